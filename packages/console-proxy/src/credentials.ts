/**
 * What a console client brings: its token, beside the sub-protocol `binary` or in its first message, never in a path or query, which
 * end up in logs and histories; and, in the same places, what it wishes besides the bytes:
 * - `kilonova.messages`: text messages about the stream between its binary frames (client-socket.ts);
 * - `kilonova.from.<offset>`: a serial console from this offset of the log on, to go on after a break.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'

export const tokenProtocolPrefix = 'kilonova.token.'
export const messagesProtocol = 'kilonova.messages'
export const fromProtocolPrefix = 'kilonova.from.'
export const dataProtocol = 'binary'

/** What the server picks of the offered sub-protocols: never the one with the token, answers are visible too. */
export const selectConsoleProtocol = (offered: Set<string>): string | false => (offered.has(dataProtocol) ? dataProtocol : false)

const token = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-]{20,}$/)
const offset = z.number().int().nonnegative()
const firstMessage = z.object({ token, messages: z.boolean().default(false), from: offset.nullable().default(null) })

export const longestFirstMessageBytes = 1024

export interface ClientWishes {
  messages: boolean
  /** Null: the end of what was written before. */
  from: number | null
}

export type OfferedToken = { kind: 'token'; token: string; wishes: ClientWishes } | { kind: 'malformed' } | { kind: 'absent' }

export function tokenOfProtocols(header: IncomingHttpHeaders['sec-websocket-protocol']): OfferedToken {
  const offered = (header ?? '').split(',').map((name) => name.trim())
  const carriers = offered.filter((name) => name.startsWith(tokenProtocolPrefix))
  const [carrier] = carriers
  if (carrier === undefined) return { kind: 'absent' }
  const parsed = token.safeParse(carrier.slice(tokenProtocolPrefix.length))
  if (carriers.length > 1 || !parsed.success) return { kind: 'malformed' }
  const digits = offered.find((name) => name.startsWith(fromProtocolPrefix))?.slice(fromProtocolPrefix.length)
  const from = digits !== undefined && /^\d{1,15}$/.test(digits) ? Number(digits) : null
  return { kind: 'token', token: parsed.data, wishes: { messages: offered.includes(messagesProtocol), from } }
}

export function tokenOfFirstMessage(data: Buffer, isBinary: boolean): OfferedToken {
  if (isBinary || data.length > longestFirstMessageBytes) return { kind: 'malformed' }
  try {
    const parsed = firstMessage.safeParse(JSON.parse(data.toString('utf8')))
    if (!parsed.success) return { kind: 'malformed' }
    const { token: shown, ...wishes } = parsed.data
    return { kind: 'token', token: shown, wishes }
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
