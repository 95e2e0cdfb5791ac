/**
 * Column kinds that give the same answers on SQLite and PostgreSQL: times are milliseconds since the epoch (bigint read as a
 * number), flags are 0 or 1, JSON is text that the repositories encode and decode.
 */
import { p } from '@mikro-orm/core'

export const id = () => p.string().length(64)
export const name = () => p.string().length(255)
export const text = () => p.text()
export const json = () => p.text()
export const time = () => p.bigint('number')
export const flag = () => p.integer()
export const count = () => p.integer()
export const big = () => p.bigint('number')
export const real = () => p.float().columnType('double precision')
export const serial = () => p.bigint('number').primary().autoincrement()
