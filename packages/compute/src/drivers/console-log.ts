/** Cuts what a user asked for out of the kept bytes of a serial console. */
import type { ConsoleLogSlice } from '../driver.js'

export interface KeptConsole {
  bytes: Buffer
  /** Offset of the first kept byte since the guest was made. */
  startOffset: number
}

/** At most this much is answered at once (B-CON-39). */
export const consoleLogLimit = 100 * 1024

/** Escape sequences and control characters but tab and line breaks. */
const controls =
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-_]|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g

export const printableConsole = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replaceAll(controls, '')

export function cutConsoleLog(kept: KeptConsole, cut: { tailLines: number | null; fromOffset: number | null }): ConsoleLogSlice {
  const end = kept.startOffset + kept.bytes.length
  const wanted = Math.min(Math.max(cut.fromOffset ?? kept.startOffset, 0), end)
  let from = Math.max(wanted, kept.startOffset)
  if (cut.tailLines !== null) from = Math.max(from, kept.startOffset + startOfTail(kept.bytes, cut.tailLines))
  else if (cut.fromOffset === null) from = Math.max(from, end - consoleLogLimit)
  const to = Math.min(end, from + consoleLogLimit)
  const slice = kept.bytes.subarray(from - kept.startOffset, to - kept.startOffset)
  return {
    output: printableConsole(slice.toString('utf8')),
    startOffset: from,
    endOffset: to,
    truncated: from > wanted && cut.tailLines === null,
  }
}

function startOfTail(bytes: Buffer, lines: number): number {
  let found = 0
  // A line break at the very end closes the last line, it does not begin another.
  for (let index = bytes.length - 2; index >= 0; index--) {
    if (bytes[index] === 0x0a && ++found === lines) return index + 1
  }
  return 0
}
