/**
 * KVM or TCG? On some machines /dev/kvm exists, libvirt advertises kvm and even real-mode code runs, yet 64-bit guests hang. So the answer is
 * proven: a disk with a 64-bit system must come up within a deadline. Proven once per boot of the host, kernel and QEMU.
 */
import { execFile, spawn } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { promisify } from 'node:util'
import { z } from 'zod'

const execute = promisify(execFile)

export interface VirtTypeAnswer {
  virtType: 'kvm' | 'qemu'
  /** Why, for the operator. */
  reason: string
  /** What QEMU said, for the log. */
  detail?: string | undefined
}

const cached = z.object({ key: z.string(), virtType: z.enum(['kvm', 'qemu']), reason: z.string(), detail: z.string().optional() })

export interface ProofOptions {
  cacheFile: string
  /** A qcow2 disk with a 64-bit system that writes `marker` on the serial line. Only asked when a proof is needed. */
  guest: () => Promise<ProofGuest>
  deadlineMs?: number
}

export interface ProofGuest {
  disk: string
  marker: string
}

const qemu = '/usr/bin/qemu-system-x86_64'
const device = '/dev/kvm'

function mayUseDevice(): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

export async function proveVirtType(options: ProofOptions): Promise<VirtTypeAnswer> {
  if (!existsSync(device)) return { virtType: 'qemu', reason: `there is no ${device}` }
  if (!mayUseDevice()) return { virtType: 'qemu', reason: `this user may not use ${device}; members of its group may` }
  const { stdout } = await execute(qemu, ['--version'])
  const key = [readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), release(), stdout.split('\n')[0]].join(' ')
  const known = readCache(options.cacheFile)
  if (known?.key === key) return known
  const answer = await boot(await options.guest(), options.deadlineMs ?? 10_000)
  writeFileSync(options.cacheFile, JSON.stringify({ key, ...answer }), { mode: 0o600 })
  return answer
}

function readCache(file: string): z.infer<typeof cached> | null {
  try {
    return cached.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

function boot(guest: ProofGuest, deadlineMs: number): Promise<VirtTypeAnswer> {
  return new Promise((resolve) => {
    const child = spawn(
      qemu,
      [
        ...['-accel', 'kvm', '-cpu', 'host', '-m', '256', '-smp', '1', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
        ...['-drive', `file=${guest.disk.replaceAll(',', ',,')},format=qcow2,if=virtio,snapshot=on`, '-serial', 'stdio'],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let said = ''
    let complaint = ''
    const end = (answer: VirtTypeAnswer): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      resolve(answer)
    }
    const timer = setTimeout(
      () =>
        end({ virtType: 'qemu', reason: `/dev/kvm is there, but a 64-bit guest did not boot on it within ${deadlineMs / 1000} seconds` }),
      deadlineMs,
    )
    child.stdout.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString('latin1')).slice(-8192)
      if (said.includes(guest.marker)) end({ virtType: 'kvm', reason: 'a 64-bit guest boots on KVM' })
    })
    child.stderr.on('data', (bytes: Buffer) => {
      complaint = (complaint + bytes.toString('utf8')).slice(-500)
    })
    child.once('error', (error) => end({ virtType: 'qemu', reason: `QEMU could not be started: ${error.message}` }))
    child.once('exit', () => end({ virtType: 'qemu', reason: 'QEMU cannot run a guest on /dev/kvm here', detail: complaint.trim() }))
  })
}
