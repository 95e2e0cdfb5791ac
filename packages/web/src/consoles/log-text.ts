/** The text of a console log as pieces of it come. */

export interface LogPiece {
  output: string
  startOffset: string
  endOffset: string
  truncated: boolean
}

export interface LogText {
  text: string
  /** Where the next piece is expected. */
  endOffset: string
  /** Its beginning is not shown. */
  isCut: boolean
}

/** More than this is not kept in the page; the file on the host has it. */
export const keptCharacters = 1_000_000

export const firstText = ({ output, startOffset, endOffset, truncated }: LogPiece): LogText => ({
  text: output,
  endOffset,
  isCut: truncated || BigInt(startOffset) > 0n,
})

export function withPiece(shown: LogText, piece: LogPiece): LogText {
  const missing = BigInt(piece.startOffset) - BigInt(shown.endOffset)
  // The server was made anew, and its log with it.
  if (missing < 0n) return firstText(piece)
  const note = missing > 0n ? `\n[${missing} bytes are no longer kept]\n` : ''
  const text = `${shown.text}${note}${piece.output}`
  return { text: text.slice(-keptCharacters), endOffset: piece.endOffset, isCut: shown.isCut || text.length > keptCharacters }
}
