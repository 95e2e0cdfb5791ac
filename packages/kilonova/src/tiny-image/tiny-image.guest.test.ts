/** Builds the image and boots it with the memory it claims to need, without libvirt, so that nothing but the image is tested. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeConfigDrive } from '@kilonova/compute/config-drive/config-drive'
import { guestSpecFor } from '@kilonova/compute/guest.testkit'
import { inspectImage } from '@kilonova/runtime/format-inspector/inspect'
import { createLogger } from '@kilonova/runtime/logger'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { buildTinyImage, type TinyImage } from './tiny-image.js'

const userData = Buffer.from('#!/bin/sh\necho "user data says $((40 + 2))"\n')
const log = createLogger('silent')
/** `./kilonova test` builds it before the tests leave the machine's network. */
const imageFolder = process.env.KILONOVA_TEST_IMAGES ?? join(tmpdir(), 'kilonova-test-images')

let folder: string
let image: TinyImage
let guest: ChildProcess
let monitor: Socket
let serial = ''
let ended: Promise<number | null>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kilonova-tiny-image-'))
  image = await buildTinyImage({ workFolder: imageFolder, log })
  const disk = join(folder, 'disk')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', image.path, disk])
  const drive = join(folder, 'config')
  await writeConfigDrive({ guest: guestSpecFor(), adminPassword: null, userData, target: drive })
  const qmp = join(folder, 'qmp')
  guest = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'pc,accel=tcg', '-cpu', 'max', '-m', String(image.minRamMb), '-nodefaults', '-vga', 'std', '-display', 'none'],
      ...['-drive', `file=${disk},format=qcow2,if=virtio`, '-drive', `file=${drive},format=raw,if=ide,media=cdrom,readonly=on`],
      ...[
        '-netdev',
        'user,id=net,restrict=on',
        '-device',
        'virtio-net-pci,netdev=net,romfile=',
        '-device',
        'virtio-rng-pci',
        '-device',
        'virtio-balloon-pci',
      ],
      ...['-serial', 'stdio', '-qmp', `unix:${qmp},server=on,wait=off`],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  ended = new Promise((resolve) => guest.once('exit', resolve))
  guest.stdout?.on('data', (data: Buffer) => {
    serial += data.toString('latin1')
  })
  monitor = await vi.waitFor(
    () =>
      new Promise<Socket>((resolve, reject) => {
        const socket = connect(qmp, () => resolve(socket)).once('error', reject)
      }),
    { timeout: 20_000 },
  )
  monitor.write('{"execute":"qmp_capabilities"}\n')
})
afterAll(async () => {
  monitor?.destroy()
  if (guest !== undefined && guest.exitCode === null && guest.kill('SIGKILL')) await ended
  rmSync(folder, { recursive: true, force: true })
})

const seen = (text: string | RegExp): Promise<void> => vi.waitFor(() => expect(serial).toMatch(text), { timeout: 150_000, interval: 100 })

it('is small, is what it says, and is built once only', async () => {
  expect(image.sizeBytes).toBe(statSync(image.path).size)
  expect(image.sizeBytes).toBeLessThan(25 * 2 ** 20)
  expect(await inspectImage(image.path)).toMatchObject({ format: 'qcow2', refusal: null })
  const { mtimeMs } = statSync(image.path)
  expect(await buildTinyImage({ workFolder: imageFolder, log })).toEqual(image)
  expect(statSync(image.path).mtimeMs).toBe(mtimeMs)
})

it('boots with 128 MB, reads its config drive, gets an address and gives a shell', async () => {
  // Not the first lines: an emulator on a busy host drops some of what the kernel prints before it has measured time.
  await seen(/Run \/init as init process/)
  await seen(/Kilonova tiny Linux ready: host web-1, address 10\.0\.2\.15, 1 CPU/)
  await seen(/user data says 42/)
  expect(serial).not.toMatch(/^module .* failed|Out of memory|Kernel panic/m)
  guest.stdin?.write('\n')
  await seen(/web-1:~# /)
  guest.stdin?.write('cat /root/.ssh/authorized_keys; ls /dev/vda1; echo sum $((1000 + 234))\n')
  await seen(/ssh-ed25519 AAAAC3Nza laptop/)
  await seen(/^\/dev\/vda1/m)
  await seen(/^sum 1234/m)
})

it('shows something on its screen', async () => {
  const picture = join(folder, 'screen.ppm')
  await vi.waitFor(
    async () => {
      monitor.write(`{"execute":"screendump","arguments":{"filename":"${picture}"}}\n`)
      await vi.waitFor(() => expect(statSync(picture).size).toBeGreaterThan(100_000))
      const pixels = readFileSync(picture).subarray(20)
      // Text: some light pixels, far from all.
      const light = pixels.filter((value) => value > 0x80).length
      expect(light).toBeGreaterThan(1000)
    },
    { timeout: 30_000 },
  )
})

it('switches itself off when the power button is pressed', async () => {
  monitor.write('{"execute":"system_powerdown"}\n')
  expect(await ended).toBe(0)
  expect(serial).toContain('Kilonova tiny Linux powers off')
})
