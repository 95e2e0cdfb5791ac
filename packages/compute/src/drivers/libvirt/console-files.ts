/**
 * The serial log of a guest as one stream of bytes with stable offsets. virtlogd writes `console.log` and renames it to `console.log.0` when
 * it is full; a small file beside it remembers which file was current and where it began, so that rotation does not break offsets.
 */
import { closeSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { KeptConsole } from '../console-log.js'

const marker = z.object({ inode: z.number(), base: z.number() })
type Marker = z.infer<typeof marker>

/** virtlogd's max_backups, and some to be sure. */
const mostBackups = 4
/** Most that is handed out: older bytes count as dropped. */
const keptBytes = 1024 * 1024

export const consoleLogFile = (folder: string): string => join(folder, 'console.log')

interface LogFile {
  path: string
  inode: number
  size: number
}

/** What is kept of a guest's console, oldest first. Null when the guest has not written yet. */
export function readConsole(folder: string): KeptConsole | null {
  const files = logFiles(folder)
  const [current] = files
  if (current === undefined) return null
  const { base } = follow(folder, files, current)
  const end = base + current.size
  const parts: Buffer[] = []
  let missing = Math.min(keptBytes, end)
  for (const file of files) {
    if (missing <= 0) break
    const wanted = Math.min(file.size, missing)
    parts.unshift(readEnd(file, wanted))
    missing -= wanted
  }
  const bytes = Buffer.concat(parts)
  return { bytes, startOffset: end - bytes.length }
}

/** Newest first: `console.log`, `.0`, `.1`, … */
function logFiles(folder: string): LogFile[] {
  const files: LogFile[] = []
  for (let index = -1; index < mostBackups; index++) {
    const path = index < 0 ? consoleLogFile(folder) : `${consoleLogFile(folder)}.${index}`
    try {
      const { ino, size } = statSync(path)
      files.push({ path, inode: ino, size })
    } catch {
      break
    }
  }
  return files
}

/** Where the current file begins; moves on when it was rotated since the last look. */
function follow(folder: string, files: readonly LogFile[], current: LogFile): Marker {
  const file = join(folder, 'console.offset')
  const known = readMarker(file)
  if (known?.inode === current.inode) return known
  const rotated = known === null ? -1 : files.findIndex((candidate) => candidate.inode === known.inode)
  // The file that was current is now a backup: it and those after it lie before the current one; without it, all that are left do.
  const passed = files.slice(1, rotated < 0 ? files.length : rotated + 1)
  const base = (known?.base ?? 0) + passed.reduce((sum, { size }) => sum + size, 0)
  const next: Marker = { inode: current.inode, base }
  writeFileSync(`${file}.new`, JSON.stringify(next), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return next
}

function readMarker(file: string): Marker | null {
  try {
    return marker.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return null
  }
}

/** The last bytes of what was counted, though the file may have grown since. */
function readEnd({ path, size }: LogFile, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const handle = openSync(path, 'r')
  try {
    const read = readSync(handle, bytes, 0, length, size - length)
    return bytes.subarray(0, read)
  } finally {
    closeSync(handle)
  }
}
