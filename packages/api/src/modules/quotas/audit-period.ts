/** Periods of the usage audit, in UTC, as `instance_usage_audit_period` gives them: `hour`, `day`, `month` or `year`, begun later by `@n`. */
import type { Window } from './usage.service.js'

const pattern = /^(hour|day|month|year)(?:@(\d{1,3}))?$/

type Unit = 'hour' | 'day' | 'month' | 'year'
export interface AuditPeriod {
  readonly unit: Unit
  /** A month may begin on its 2nd day: `month@2`; a day at 6 o'clock: `day@6`; an hour 15 minutes late: `hour@15`; a year in March: `year@3`. */
  readonly offset: number
}

/** Months and days of a month are counted from 1, hours and minutes from 0. */
const offsets: Record<Unit, { least: number; most: number }> = {
  hour: { least: 0, most: 59 },
  day: { least: 0, most: 23 },
  month: { least: 1, most: 28 },
  year: { least: 1, most: 12 },
}

/** Null when it cannot be read. */
export function readAuditPeriod(text: string): AuditPeriod | null {
  const [, unit, given] = pattern.exec(text) ?? []
  if (unit !== 'hour' && unit !== 'day' && unit !== 'month' && unit !== 'year') return null
  const { least, most } = offsets[unit]
  const offset = given === undefined ? least : Number(given)
  return offset >= least && offset <= most ? { unit, offset } : null
}

/** The last period that has ended at a time. */
export function lastPeriod(period: AuditPeriod, time: number): Window {
  const end = startOf(period, new Date(time), 0)
  // The one that has begun last may begin after the time, when it begins late.
  const back = end > time ? 1 : 0
  return { start: startOf(period, new Date(time), back + 1), end: startOf(period, new Date(time), back) }
}

function startOf({ unit, offset }: AuditPeriod, time: Date, back: number): number {
  const [year, month, day, hour] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate(), time.getUTCHours()]
  if (unit === 'year') return Date.UTC(year - back, offset - 1, 1)
  if (unit === 'month') return Date.UTC(year, month - back, offset)
  if (unit === 'day') return Date.UTC(year, month, day - back, offset)
  return Date.UTC(year, month, day, hour - back, offset)
}
