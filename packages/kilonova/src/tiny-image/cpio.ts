/**
 * Writes the archive a Linux kernel unpacks as its first file system ("newc" cpio). Done here and not with a tool, because device nodes
 * can then be described without being root, and because equal input gives equal bytes.
 */

export type ArchiveEntry =
  | { kind: 'folder'; path: string }
  | { kind: 'file'; path: string; content: Buffer | string; executable?: boolean }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'device'; path: string; major: number; minor: number }

const fileTypes = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const
const trailer = 'TRAILER!!!'

export function writeArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = []
  entries.forEach((entry, index) => {
    const data = contentOf(entry)
    const device = entry.kind === 'device' ? entry : { major: 0, minor: 0 }
    parts.push(header(entry.path, index + 1, fileTypes[entry.kind] | permissionsOf(entry), data.length, device), padded(data))
  })
  parts.push(header(trailer, 0, 0, 0, { major: 0, minor: 0 }))
  return Buffer.concat(parts)
}

function contentOf(entry: ArchiveEntry): Buffer {
  if (entry.kind === 'file') return Buffer.from(entry.content)
  return Buffer.from(entry.kind === 'link' ? entry.target : '')
}

function permissionsOf(entry: ArchiveEntry): number {
  switch (entry.kind) {
    case 'folder':
      return 0o755
    case 'file':
      return entry.executable === true ? 0o755 : 0o644
    case 'link':
      return 0o777
    case 'device':
      return 0o600
  }
}

function header(path: string, inode: number, mode: number, size: number, device: { major: number; minor: number }): Buffer {
  const [user, group, links, time, deviceMajor, deviceMinor, checksum] = [0, 0, 1, 0, 0, 0, 0]
  const nameLength = Buffer.byteLength(path) + 1
  const fields = [inode, mode, user, group, links, time, size, deviceMajor, deviceMinor, device.major, device.minor, nameLength, checksum]
  return padded(Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${path}\0`))
}

/** Everything starts at a multiple of four bytes. */
const padded = (data: Buffer): Buffer => Buffer.concat([data, Buffer.alloc(-data.length & 3)])
