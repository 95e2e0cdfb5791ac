/**
 * Where a console client may put its token: beside the sub-protocol `binary`, or in its first message. Never in a path or
 * query, which end up in logs and histories.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'

export const tokenProtocolPrefix = 'kilonova.token.'
export const dataProtocol = 'binary'

/** What the server picks of the offered sub-protocols: never the one with the token, answers are visible too. */
export const selectConsoleProtocol = (offered: Set<string>): string | false => (offered.has(dataProtocol) ? dataProtocol : false)

const token = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-]{20,}$/)
const firstMessage = z.object({ token })

export const longestFirstMessageBytes = 1024

export type OfferedToken = { kind: 'token'; token: string } | { kind: 'malformed' } | { kind: 'absent' }

export function tokenOfProtocols(header: IncomingHttpHeaders['sec-websocket-protocol']): OfferedToken {
  const offered = (header ?? '').split(',').map((name) => name.trim())
  const carriers = offered.filter((name) => name.startsWith(tokenProtocolPrefix))
  const [carrier] = carriers
  if (carrier === undefined) return { kind: 'absent' }
  const parsed = token.safeParse(carrier.slice(tokenProtocolPrefix.length))
  return carriers.length === 1 && parsed.success ? { kind: 'token', token: parsed.data } : { kind: 'malformed' }
}

export function tokenOfFirstMessage(data: Buffer, isBinary: boolean): OfferedToken {
  if (isBinary || data.length > longestFirstMessageBytes) return { kind: 'malformed' }
  try {
    const parsed = firstMessage.safeParse(JSON.parse(data.toString('utf8')))
    return parsed.success ? { kind: 'token', token: parsed.data.token } : { kind: 'malformed' }
  } catch {
    return { kind: 'malformed' }
  }
}

export type UpgradeRefusal = { status: 400 | 403; message: string } | null

/** Decides before the upgrade, by what a page on another site cannot forge. */
export function refuseUpgrade(url: string, origin: string | undefined, allowedOrigins: readonly string[]): UpgradeRefusal {
  if (url.includes('?')) {
    return { status: 400, message: 'A console address takes no query. Send the token as sub-protocol or first message.' }
  }
  if (origin !== undefined && !allowedOrigins.includes(origin)) {
    return { status: 403, message: 'This origin may not open consoles; its public URL must be configured.' }
  }
  return null
}
