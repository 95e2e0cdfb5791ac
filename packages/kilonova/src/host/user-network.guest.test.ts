/**
 * A guest on QEMU's own network gets by DHCP what the cloud says it has, and a config drive leads it there. Without libvirt: QEMU is given
 * the arguments that the domain has for it.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { networkData } from '@kilonova/compute/config-drive/instance-data'
import { domainXml } from '@kilonova/compute/domain-xml/domain-xml'
import { guestSpecFor } from '@kilonova/compute/guest.testkit'
import { HostNetwork } from '@kilonova/compute/network/host-network'
import { createLogger } from '@kilonova/runtime/logger'
import { expect, it, vi } from 'vitest'
import { buildTinyImage } from '../tiny-image/tiny-image.js'

const log = createLogger('silent')
/** `./kilonova test` builds it before the tests leave the machine's network. */
const imageFolder = process.env.KILONOVA_TEST_IMAGES ?? join(tmpdir(), 'kilonova-test-images')

it('gives a guest its port’s address and MTU, no way out, and nobody to talk to but its DHCP server', async () => {
  const guest = guestSpecFor()
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-user-network-'))
  const image = await buildTinyImage({ workFolder: imageFolder, log })
  const disk = join(folder, 'disk')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', image.path, disk])
  const network = new HostNetwork({ cloudId: 'c1a0c1a0', folder, log, kind: 'user' })
  const none = { configDrive: null, consoleLog: '', serialSocket: '', vncSocket: '', agentSocket: '' }
  const xml = domainXml({
    cloudId: 'c1a0c1a0-0000-4000-8000-000000000001',
    guest,
    virtType: 'qemu',
    paths: { disk, diskFormat: 'qcow2', ...none },
    interfaces: await network.plug(guest),
  })
  const args = [...xml.matchAll(/<qemu:arg value="([^"]*)"/g)].map(([, value = '']) => value)
  expect(args).toHaveLength(4)
  expect(networkData(guest.interfaces).networks).toMatchObject([{ type: 'ipv4_dhcp' }])
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'pc,accel=tcg', '-cpu', 'max', '-m', '128', '-nodefaults', '-display', 'none', '-serial', 'stdio'],
      ...['-drive', `file=${disk},format=qcow2,if=virtio`, ...args],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const ended = new Promise((resolve) => qemu.once('exit', resolve))
  let serial = ''
  qemu.stdout.on('data', (data: Buffer) => {
    serial += data.toString('latin1')
  })
  const seen = (text: RegExp): Promise<void> => vi.waitFor(() => expect(serial).toMatch(text), { timeout: 150_000, interval: 100 })
  try {
    await seen(/Kilonova tiny Linux ready: host \S+, address 10\.20\.0\.5,/)
    qemu.stdin.write('\n')
    await seen(/~# /)
    qemu.stdin.write('ip addr show eth0; ip route; nc -w 3 10.20.0.1 22 < /dev/null; echo "answer $?"; echo looked $((40 + 2))\n')
    await seen(/^looked 42/m)
    expect(serial).toMatch(/mtu 1450[\s\S]*inet 10\.20\.0\.5\/20/)
    expect(serial).not.toMatch(/^default via/m)
    expect(serial).toMatch(/^answer 1/m)
  } finally {
    qemu.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
})
