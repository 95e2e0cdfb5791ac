/** Live bytes of a serial port and what its log has of them: where the first ones stand, and whether both end alike. */

export interface SeamCandidate {
  /** Offset of the first live byte. */
  offset: number
  /** The log has all of the live bytes; otherwise it ends within them. */
  whole: boolean
}

/** Text that repeats itself could be in endless places. */
const mostCandidates = 32

/** Where the live bytes may begin, at or after the lowest offset that is possible. */
export function seamCandidates(log: { startOffset: number; bytes: Buffer }, live: Buffer, lowest: number): SeamCandidate[] {
  const { startOffset, bytes } = log
  const first = Math.max(0, lowest - startOffset)
  const found: SeamCandidate[] = []
  for (let at = bytes.indexOf(live, first); at >= 0 && found.length < mostCandidates; at = bytes.indexOf(live, at + 1)) {
    found.push({ offset: startOffset + at, whole: true })
  }
  if (found.length > 0) return found
  // The log comes a little later: it may end with the beginning of the live bytes.
  for (let length = Math.min(live.length - 1, bytes.length - first); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(live.subarray(0, length))) {
      return [{ offset: startOffset + bytes.length - length, whole: false }]
    }
  }
  return []
}

/** Whether the log ends with these bytes, some of which it may have more than once. */
export function endsAlike(log: Buffer, tail: Buffer): boolean {
  let at = log.length - 1
  for (let index = tail.length - 1; index >= 0; index--) {
    while (at >= 0 && log[at] !== tail[index] && log[at] === log[at + 1]) at--
    if (log[at] !== tail[index]) return false
    at--
  }
  return true
}
