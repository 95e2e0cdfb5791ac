/**
 * Cuts what was asked for out of the kept bytes of a serial console: text for people and programs, bytes for terminals. Offsets count
 * from the guest's first byte; where a cut ends, the next one may begin, and neither loses or mangles anything.
 */
import type { ConsoleBytes, ConsoleLogSlice } from '../driver.js'

/** A console as a driver keeps it. */
export interface ConsoleSource {
  /** Offset of the first byte that is kept. */
  readonly startOffset: number
  /** Offset after the last byte. */
  readonly endOffset: number
  /** Bytes between two offsets within the above. */
  read(from: number, to: number): Buffer
}

export interface ConsoleCut {
  tailLines: number | null
  fromOffset: number | null
}

/** At most this much is answered at once (B-CON-39). */
export const consoleLogLimit = 100 * 1024
/** A terminal's command may be this long; what goes on longer is no command. */
const longestCommandBytes = 1024

export const nothingWritten: ConsoleSource = { startOffset: 0, endOffset: 0, read: () => Buffer.alloc(0) }

export const consoleInMemory = (bytes: Buffer, startOffset: number): ConsoleSource => ({
  startOffset,
  endOffset: startOffset + bytes.length,
  read: (from, to) => bytes.subarray(from - startOffset, to - startOffset),
})

/** Escape sequences and control characters but tab and line breaks. */
const controls =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-_]|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g

export const printableConsole = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replaceAll(controls, '')

/** Text of the last lines, or from an offset on; without either the last of all. Ends before a sign that is not complete yet. */
export function cutConsoleLog(source: ConsoleSource, cut: ConsoleCut): ConsoleLogSlice {
  const { startOffset, endOffset } = source
  const wanted = Math.min(Math.max(cut.fromOffset ?? startOffset, 0), endOffset)
  let from = Math.max(wanted, startOffset)
  // Without an offset to go on from, the newest counts.
  if (cut.fromOffset === null || cut.tailLines !== null) from = Math.max(from, endOffset - consoleLogLimit)
  let bytes = source.read(from, Math.min(endOffset, from + consoleLogLimit))
  let skipped = from > wanted ? strayBytes(bytes) : 0
  if (cut.tailLines !== null) skipped = Math.max(skipped, startOfTail(bytes, cut.tailLines))
  from += skipped
  bytes = bytes.subarray(skipped)
  bytes = bytes.subarray(0, bytes.length - unfinishedBytes(bytes))
  return {
    output: printableConsole(bytes.toString('utf8')),
    startOffset: from,
    endOffset: from + bytes.length,
    truncated: from > wanted && cut.tailLines === null,
  }
}

/** The last bytes, or those from an offset on, as the guest wrote them. */
export function cutConsoleBytes(source: ConsoleSource, cut: { fromOffset: number | null; limitBytes: number }): ConsoleBytes {
  const { startOffset, endOffset } = source
  const from = Math.min(Math.max(cut.fromOffset ?? endOffset - cut.limitBytes, startOffset), endOffset)
  return { bytes: source.read(from, Math.min(endOffset, from + cut.limitBytes)), startOffset: from, endOffset }
}

function startOfTail(bytes: Buffer, lines: number): number {
  let found = 0
  // A line break at the very end closes the last line, it does not begin another.
  for (let index = bytes.length - 2; index >= 0; index--) {
    if (bytes[index] === 0x0a && ++found === lines) return index + 1
  }
  return 0
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Bytes at the start that belong to a letter cut off before. */
function strayBytes(bytes: Buffer): number {
  let count = 0
  while (count < 3 && isContinuation(bytes[count])) count++
  return count
}

/** Bytes at the end of what is not complete yet: half a letter, half a line break, half a terminal's command. */
export function unfinishedBytes(bytes: Buffer): number {
  if (bytes.at(-1) === 0x0d) return 1
  return Math.max(unfinishedLetter(bytes), unfinishedCommand(bytes))
}

function unfinishedLetter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (isContinuation(byte)) continue
    const length = byte >= 0xf0 && byte < 0xf8 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return byte < 0xf8 && length > back ? back : 0
  }
  return 0
}

const beginnings = /^\u001b(?:\[[0-?]*[ -/]*|\][^\u0007\u001b]*\u001b?)?$/

function unfinishedCommand(bytes: Buffer): number {
  const end = bytes.subarray(Math.max(0, bytes.length - longestCommandBytes)).toString('latin1')
  const last = end.lastIndexOf('\u001b')
  if (last < 0) return 0
  // The end of a title is an escape too: the command may have begun one escape before.
  for (const start of [last > 0 ? end.lastIndexOf('\u001b', last - 1) : -1, last]) {
    if (start >= 0 && beginnings.test(end.slice(start))) return end.length - start
  }
  return 0
}
