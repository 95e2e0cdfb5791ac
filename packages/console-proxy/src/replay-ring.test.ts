import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReplayRing } from './replay-ring.js'

describe('the replay ring', () => {
  it('keeps the last bytes of any stream, from every offset it still has', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.integer({ min: 1, max: 32 }), fc.nat(100), (chunks, capacity, first) => {
        const ring = new ReplayRing(capacity, first)
        for (const chunk of chunks) ring.push(Buffer.from(chunk))
        const all = Buffer.concat(chunks)
        expect(ring.end).toBe(first + all.length)
        expect(ring.start).toBe(first + Math.max(0, all.length - capacity))
        for (let offset = ring.start; offset <= ring.end; offset++) expect(ring.from(offset)).toEqual(all.subarray(offset - first))
        expect(() => ring.from(ring.end + 1)).toThrow(RangeError)
        expect(() => ring.from(ring.start - 1)).toThrow(RangeError)
      }),
    )
  })
})
