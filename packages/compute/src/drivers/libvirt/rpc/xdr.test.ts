/** The codec against bytes worked out by hand from RFC 4506. */
import { describe, expect, it } from 'vitest'
import { XdrError, XdrReader, XdrWriter } from './xdr.js'

const hex = (writer: XdrWriter): string => writer.bytes().toString('hex')
const reader = (text: string): XdrReader => new XdrReader(Buffer.from(text.replaceAll(' ', ''), 'hex'))

describe('writing', () => {
  it('writes numbers big-endian in four bytes', () => {
    expect(hex(new XdrWriter().uint(0xfffffffe).int(-2).int(258))).toBe('fffffffe' + 'fffffffe' + '00000102')
  })

  it('counts strings in bytes and fills up to four', () => {
    expect(hex(new XdrWriter().string('é'))).toBe('00000002' + 'c3a90000')
    expect(hex(new XdrWriter().string('abcd'))).toBe('00000004' + '61626364')
    expect(hex(new XdrWriter().string(''))).toBe('00000000')
  })

  it('marks what is absent', () => {
    const writer = new XdrWriter()
    expect(hex(writer.optional<number>(7, (value) => writer.int(value)).optional(null, () => {}))).toBe(
      '00000001' + '00000007' + '00000000',
    )
  })
})

describe('reading', () => {
  it('reads what was written, to the last byte', () => {
    const values = reader('fffffffe fffffffe 00000003 61626300 00000001 00000009 00000000 0000000100000002')
    expect(values.uint()).toBe(0xfffffffe)
    expect(values.int()).toBe(-2)
    expect(values.string()).toBe('abc')
    expect(values.optional(() => values.int())).toBe(9)
    expect(values.optional(() => values.int())).toBeNull()
    expect(values.hyper()).toBe(2 ** 32 + 2)
    expect(() => values.int()).toThrow(XdrError)
  })

  it('refuses lengths that the bytes do not have, without taking the memory for them', () => {
    expect(() => reader('ffffffff 61').string()).toThrow(XdrError)
    const many = reader('ffffffff')
    expect(() => many.list(100, () => many.int())).toThrow('longer than the 100')
  })

  it('refuses numbers that JavaScript cannot hold', () => {
    expect(() => reader('0020000000000001').hyper()).toThrow(XdrError)
  })
})
