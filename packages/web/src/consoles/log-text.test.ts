import { describe, expect, it } from 'vitest'
import { firstText, keptCharacters, withPiece } from './log-text.js'

const piece = (output: string, start: number) => ({
  output,
  startOffset: String(start),
  endOffset: String(start + output.length),
  truncated: false,
})

describe('the text of a console log', () => {
  it('grows by pieces that follow each other', () => {
    const shown = [piece('two', 3), piece('three', 6)].reduce(withPiece, firstText(piece('one', 0)))
    expect(shown).toEqual({ text: 'onetwothree', endOffset: '11', isCut: false })
  })

  it('says where bytes are missing', () => {
    expect(withPiece(firstText(piece('one', 0)), { ...piece('late', 10), truncated: true }).text).toBe(
      'one\n[7 bytes are no longer kept]\nlate',
    )
  })

  it('begins anew with the server', () => {
    expect(withPiece(firstText(piece('old', 5)), piece('new', 0))).toEqual({ text: 'new', endOffset: '3', isCut: false })
  })

  it('knows when its beginning is not shown, and keeps a bounded part', () => {
    expect(firstText(piece('tail', 9)).isCut).toBe(true)
    const long = withPiece(firstText(piece('x'.repeat(keptCharacters), 0)), piece('end', keptCharacters))
    expect(long.text.length).toBe(keptCharacters)
    expect(long.text.endsWith('xend')).toBe(true)
    expect(long.isCut).toBe(true)
  })
})
