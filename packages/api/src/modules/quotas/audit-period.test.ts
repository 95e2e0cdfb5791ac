import { describe, expect, it } from 'vitest'
import { lastPeriod, readAuditPeriod } from './audit-period.js'

describe('the period of the usage audit', () => {
  it.each([
    ['hour', '2026-03-01T00:30:00Z', '2026-02-28T23:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['hour@45', '2026-03-01T00:30:00Z', '2026-02-28T22:45:00.000Z', '2026-02-28T23:45:00.000Z'],
    ['day', '2026-03-01T00:00:00Z', '2026-02-28T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['day@6', '2026-03-01T05:59:59Z', '2026-02-27T06:00:00.000Z', '2026-02-28T06:00:00.000Z'],
    ['month', '2026-01-15T12:00:00Z', '2025-12-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'],
    ['month@28', '2026-03-31T12:00:00Z', '2026-02-28T00:00:00.000Z', '2026-03-28T00:00:00.000Z'],
    ['month@20', '2026-03-15T12:00:00Z', '2026-01-20T00:00:00.000Z', '2026-02-20T00:00:00.000Z'],
    ['year', '2026-03-15T12:00:00Z', '2025-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'],
    ['year@4', '2026-03-15T12:00:00Z', '2024-04-01T00:00:00.000Z', '2025-04-01T00:00:00.000Z'],
  ])('%s at %s is the last one that has ended', (text, at, start, end) => {
    const period = readAuditPeriod(text)
    if (period === null) throw new Error(`${text} is not read`)
    const window = lastPeriod(period, Date.parse(at))
    expect([new Date(window.start).toISOString(), new Date(window.end).toISOString()]).toEqual([start, end])
  })

  it.each(['', 'week', 'month@0', 'month@29', 'hour@60', 'day@24', 'year@13', 'day@-1', 'day@'])('is not %s', (text) => {
    expect(readAuditPeriod(text)).toBeNull()
  })
})
