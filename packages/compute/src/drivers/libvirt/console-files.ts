/**
 * The serial log of a guest as one stream of bytes with stable offsets. virtlogd writes `console.log` and renames it to `console.log.0` when
 * it is full; a small file beside it remembers which file was current and where it began, so that rotation does not break offsets.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type ConsoleSource, nothingWritten } from '../console-log.js'

const marker = z.object({ inode: z.number(), base: z.number() })
type Marker = z.infer<typeof marker>

/** virtlogd's max_backups, and some to be sure. */
const mostBackups = 4
/** Most that is handed out: older bytes count as dropped. */
const keptBytes = 1024 * 1024
/** Rotations are minutes apart. */
const mostTries = 5

export const consoleLogFile = (folder: string): string => join(folder, 'console.log')

interface LogFile {
  path: string
  inode: number
  size: number
}

/** Uses what is kept of a guest's console. A file that was rotated away between the look and the reading is looked for again. */
export function withConsole<T>(folder: string, use: (source: ConsoleSource) => T): T {
  for (let tries = 1; ; tries++) {
    try {
      return use(consoleOf(folder))
    } catch (error) {
      if (!(error instanceof RotatedError) || tries >= mostTries) throw error
    }
  }
}

function consoleOf(folder: string): ConsoleSource {
  const files = logFiles(folder)
  const [current] = files
  if (current === undefined) return nothingWritten
  const { base } = follow(folder, files, current)
  const endOffset = base + current.size
  const placed: { file: LogFile; offset: number }[] = []
  let offset = endOffset
  for (const file of files) {
    offset -= file.size
    placed.unshift({ file, offset })
  }
  // What was lost between two looks was never counted: the oldest file may seem to begin before the first byte.
  const startOffset = Math.max(offset, endOffset - keptBytes, 0)
  return {
    startOffset,
    endOffset,
    read: (from, to) =>
      Buffer.concat(
        placed.map(({ file, offset: begins }) => {
          const first = Math.max(from, begins)
          const last = Math.min(to, begins + file.size)
          return first < last ? readPart(file, first - begins, last - first) : Buffer.alloc(0)
        }),
      ),
  }
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

class RotatedError extends Error {}

function openPresent(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'ENOENT' ? new RotatedError(`${path} was rotated`) : error
  }
}

function readPart({ path, inode }: LogFile, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  const handle = openPresent(path)
  try {
    if (fstatSync(handle).ino !== inode) throw new RotatedError(`${path} was rotated`)
    const read = readSync(handle, bytes, 0, length, position)
    return bytes.subarray(0, read)
  } finally {
    closeSync(handle)
  }
}
