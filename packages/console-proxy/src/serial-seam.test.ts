import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endsAlike, seamCandidates } from './serial-seam.js'

describe('the seam between log and live bytes', () => {
  it('is found wherever it is', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.nat(1000),
        fc.nat(60),
        fc.integer({ min: 1, max: 60 }),
        fc.nat(60),
        (written, startOffset, seamAt, liveLength, low) => {
          const bytes = Buffer.from(written)
          const seam = Math.min(seamAt, bytes.length - 1)
          const live = bytes.subarray(seam, seam + liveLength)
          const lowest = startOffset + Math.min(low, seam)
          const found = seamCandidates({ startOffset, bytes }, live, lowest)
          expect(found).toContainEqual({ offset: startOffset + seam, whole: true })
          for (const { offset } of found) expect(offset).toBeGreaterThanOrEqual(lowest)
        },
      ),
    )
  })

  it('is found when the log has only the first of the live bytes', () => {
    const bytes = Buffer.from('booting... login: ab')
    expect(seamCandidates({ startOffset: 7, bytes }, Buffer.from('abcdef'), 0)).toEqual([{ offset: 7 + 18, whole: false }])
  })

  it('is in several places when the guest repeats itself, and in none when the log knows nothing of it', () => {
    const log = { startOffset: 0, bytes: Buffer.from('tick tick tick ') }
    expect(seamCandidates(log, Buffer.from('tick '), 0).map(({ offset }) => offset)).toEqual([0, 5, 10])
    expect(seamCandidates(log, Buffer.from('tick '), 6).map(({ offset }) => offset)).toEqual([10])
    expect(seamCandidates(log, Buffer.from('tock'), 0)).toEqual([])
    expect(seamCandidates({ startOffset: 0, bytes: Buffer.from('a'.repeat(500)) }, Buffer.from('a'), 0)).toHaveLength(32)
  })
})

describe('the ends of log and live bytes', () => {
  it('are alike, also when the log has bytes more than once', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 30 }),
        fc.uint8Array({ maxLength: 12 }),
        fc.nat(11),
        fc.nat(2),
        (before, last, twice, times) => {
          const tail = Buffer.from(last)
          const again = tail.subarray(twice, twice + 1)
          const log = Buffer.concat([
            Buffer.from(before),
            tail.subarray(0, twice + 1),
            ...Array.from({ length: times }, () => again),
            tail.subarray(twice + 1),
          ])
          expect(endsAlike(log, tail)).toBe(true)
        },
      ),
    )
  })

  it('are not when something is missing or different', () => {
    for (const log of ['login:', 'logi: ', 'xogin: ', 'ogin: ', '', 'login: #'])
      expect(endsAlike(Buffer.from(log), Buffer.from('login: '))).toBe(false)
  })
})
