/** The disk of the smallest guest there is: one sector, up in a tenth of a second. Its source is boot-guest.S. */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'

/** boot-guest.S, assembled as it says, without the empty end and the mark of a boot sector. */
const code =
  '6gV8AAAxwI7YjtC8AHC6Aga4AAHv+76WfOhfAPT2BpV8AXURugAG7fbEAXQIvqZ86EgA6ya6/QPsqAF037r4A+zoQgA8b3QTPHJ0FzxmdBg8ZHXJxgaVfAHrwroEBrgA' +
  'IO/0sP7mZPS5AAS+tXzoCgDi+L72fOgCAOuirITAdAXoAwDr9sNQuv0D7KggdPtYuvgD7sMAZ3Vlc3QgaXMgdXANCj4gAHBvd2VyIGJ1dHRvbg0KADAxMjM0NTY3ODlh' +
  'YmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkDQoAZmlsbGVkDQoA'

const diskBytes = 2 ** 20

/** What the guest says when it listens, as the console log shows it; nothing follows until it is spoken to. */
export const guestIsUp = 'guest is up\n> '
export const guestFarewell = 'power button'
/** Bytes the guest obeys. */
export const tellGuest = { powerOff: 'o', reset: 'r', ignorePowerButton: 'd', fillLog: 'f' } as const
/** The last line after fillLog. */
export const guestHasFilled = 'filled\n'

export const bootGuestBytes = diskBytes

/** Writes the disk as qcow2. */
export function writeBootGuest(target: string): void {
  const disk = Buffer.alloc(diskBytes)
  Buffer.from(code, 'base64').copy(disk)
  disk.writeUInt16LE(0xaa55, 510)
  const raw = `${target}.raw`
  writeFileSync(raw, disk)
  execFileSync('qemu-img', ['convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, target])
  rmSync(raw)
}
