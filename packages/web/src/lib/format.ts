/** Numbers, times and enum names as people read them. */

export function formatBytes(bytes: number | string | null | undefined): string {
  if (bytes === null || bytes === undefined) return '—'
  let value = Number(bytes)
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (value < 1024) return `${unit === 'B' || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${unit}`
    value /= 1024
  }
  return `${Math.round(value * 10) / 10} TiB`
}

export const formatMb = (megabytes: number): string => formatBytes(megabytes * 1024 * 1024)

/** POWERING_OFF → Powering off. */
export function words(name: string): string {
  const text = name.toLowerCase().replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
export const formatTime = (iso: string): string => dateTime.format(new Date(iso))

export function formatDuration(fromIso: string, toIso: string): string {
  const ms = Math.max(Date.parse(toIso) - Date.parse(fromIso), 0)
  if (ms < 1000) return `${ms} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
