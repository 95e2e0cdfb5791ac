import { formatTime } from '../lib/format.js'

export function Time({ value }: { value: string | null | undefined }) {
  return value === null || value === undefined ? <>—</> : <time dateTime={value}>{formatTime(value)}</time>
}
