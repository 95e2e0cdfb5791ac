import { describe, expect, it } from 'vitest'
import { networkMatcher } from './metrics-route.js'

describe('networks that may read metrics', () => {
  it.each([
    [['127.0.0.0/8', '::1'], '127.0.0.1', true],
    [['127.0.0.0/8', '::1'], '127.9.9.9', true],
    [['127.0.0.0/8', '::1'], '::1', true],
    // As a socket that listens on both families names them.
    [['127.0.0.0/8', '::1'], '::ffff:127.0.0.1', true],
    [['127.0.0.0/8', '::1'], '::ffff:192.0.2.1', false],
    [['127.0.0.0/8', '::1'], '192.0.2.1', false],
    [['192.0.2.0/24'], '192.0.2.77', true],
    [['192.0.2.0/24'], '192.0.3.1', false],
    [['2001:db8::/32'], '2001:db8::7', true],
    [['2001:db8::/32'], '2001:db9::7', false],
    [[], '127.0.0.1', false],
    [['127.0.0.0/8'], '', false],
  ])('%j and %s: %s', (networks, address, expected) => {
    expect(networkMatcher(networks)(address)).toBe(expected)
  })
})
