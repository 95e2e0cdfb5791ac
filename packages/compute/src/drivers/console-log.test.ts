import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { consoleInMemory, consoleLogLimit, cutConsoleBytes, cutConsoleLog, printableConsole, unfinishedBytes } from './console-log.js'

const source = (text: string, startOffset = 0) => consoleInMemory(Buffer.from(text), startOffset)

describe('a cut of the console log', () => {
  it('B-CON-39 gives the last lines, or all that is kept', () => {
    const log = source('one\ntwo\nthree\n', 5)
    expect(cutConsoleLog(log, { tailLines: null, fromOffset: null })).toEqual({
      output: 'one\ntwo\nthree\n',
      startOffset: 5,
      endOffset: 19,
      truncated: false,
    })
    expect(cutConsoleLog(log, { tailLines: 2, fromOffset: null })).toMatchObject({ output: 'two\nthree\n', startOffset: 9, endOffset: 19 })
    expect(cutConsoleLog(log, { tailLines: 9, fromOffset: null })).toMatchObject({ startOffset: 5, truncated: false })
  })

  it('says when bytes from the wanted offset on are gone, and stays within the log', () => {
    const log = source('abc', 100)
    expect(cutConsoleLog(log, { tailLines: null, fromOffset: 40 })).toEqual({
      output: 'abc',
      startOffset: 100,
      endOffset: 103,
      truncated: true,
    })
    expect(cutConsoleLog(log, { tailLines: null, fromOffset: 101 })).toMatchObject({ output: 'bc', truncated: false })
    expect(cutConsoleLog(log, { tailLines: null, fromOffset: 900 })).toMatchObject({ output: '', startOffset: 103, endOffset: 103 })
  })

  it('is bounded: the newest without an offset, the next with one', () => {
    const log = source('x'.repeat(consoleLogLimit) + 'y'.repeat(10))
    expect(cutConsoleLog(log, { tailLines: null, fromOffset: null })).toMatchObject({ startOffset: 10, endOffset: consoleLogLimit + 10 })
    expect(cutConsoleLog(log, { tailLines: 5, fromOffset: null }).output.endsWith('y')).toBe(true)
    expect(cutConsoleLog(log, { tailLines: null, fromOffset: 0 })).toMatchObject({ startOffset: 0, endOffset: consoleLogLimit })
  })

  it.each([
    ['half a letter', Buffer.from('ok €').subarray(0, 5), 2],
    ['half an emoji', Buffer.from('😀').subarray(0, 3), 3],
    ['half a line break', Buffer.from('line\r'), 1],
    ['an escape', Buffer.from('a\u001b'), 1],
    ['half a colour', Buffer.from('a\u001b[1;3'), 5],
    ['half a title', Buffer.from('a\u001b]0;tit'), 7],
    ['half the end of a title', Buffer.from('\u001b]0;t\u001b'), 6],
    ['a whole colour', Buffer.from('a\u001b[1;31m'), 0],
    ['a whole title', Buffer.from('\u001b]0;t\u0007'), 0],
    ['whole letters', Buffer.from('aé€😀'), 0],
    ['no text at all', Buffer.from([0xff, 0xfe]), 0],
    ['a command that never ends', Buffer.from(`\u001b]${'x'.repeat(5000)}`), 0],
    ['nothing', Buffer.alloc(0), 0],
  ])('waits for the rest of %s', (_name, bytes, unfinished) => {
    expect(unfinishedBytes(bytes)).toBe(unfinished)
  })

  it('read on from where the last one ended gives the same text as read at once', () => {
    const piece = fc.constantFrom(
      'a',
      'é',
      '€',
      '😀',
      '\r\n',
      '\r',
      '\n',
      '\u001b[1;31m',
      '\u001b]0;t\u0007',
      '\u001b]0;t\u001b\\',
      '\u0007',
      '\t',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(12), { minLength: 1, maxLength: 40 }), (pieces, growths) => {
        const whole = Buffer.from(`${pieces.join('')}.`)
        let length = 0
        let offset = 0
        let text = ''
        for (const growth of [...growths, whole.length]) {
          length = Math.min(whole.length, length + growth)
          const slice = cutConsoleLog(consoleInMemory(whole.subarray(0, length), 0), { tailLines: null, fromOffset: offset })
          expect(slice.startOffset).toBe(offset)
          text += slice.output
          offset = slice.endOffset
        }
        expect(offset).toBe(whole.length)
        expect(text).toBe(printableConsole(whole.toString()))
      }),
    )
  })
})

describe('the bytes of a console', () => {
  it('are the last ones, or those from an offset on, as they are', () => {
    const log = source('\u001b[31mred\u001b[0m', 7)
    expect(cutConsoleBytes(log, { fromOffset: null, limitBytes: 4 })).toEqual({
      bytes: Buffer.from('\u001b[0m'),
      startOffset: 15,
      endOffset: 19,
    })
    expect(cutConsoleBytes(log, { fromOffset: 12, limitBytes: 3 })).toEqual({ bytes: Buffer.from('red'), startOffset: 12, endOffset: 19 })
    expect(cutConsoleBytes(log, { fromOffset: 0, limitBytes: 2 })).toMatchObject({ startOffset: 7, endOffset: 19 })
    expect(cutConsoleBytes(log, { fromOffset: 99, limitBytes: 2 })).toEqual({ bytes: Buffer.alloc(0), startOffset: 19, endOffset: 19 })
  })
})
