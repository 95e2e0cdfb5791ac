/**
 * The WebSocket of a console. Between the bytes the cloud sends text messages about them: where in the guest's log the next byte stands,
 * and that the line lives though the guest is silent. They are kept from whoever takes the bytes.
 */
import type { LinkBreak } from './console-link.js'

export interface ConsoleTicket {
  webSocketUrl: string
  token: string
}

export type ConsoleMessage =
  /** Where the next byte stands, null when that is not known, and how many before it were left out. */
  { type: 'position'; offset: number | null; skippedBytes: number } | { type: 'alive' }

export interface ConsoleSocketOptions {
  url: string
  token: string
  /** Where in the guest's log to go on; null: at its end. */
  from: number | null
  onMessage: (message: ConsoleMessage) => void
  onBreak: (cause: LinkBreak) => void
}

/** The cloud is heard every 15 s at least. */
const silentMs = 40_000
const lookMs = 5000

export function openConsoleSocket({ url, token, from, onMessage, onBreak }: ConsoleSocketOptions): WebSocket {
  const place = from === null ? [] : [`kilonova.from.${from}`]
  const socket = new WebSocket(url, ['binary', 'kilonova.messages', ...place, `kilonova.token.${token}`])
  socket.binaryType = 'arraybuffer'
  let heardAt = performance.now()
  const watch = setInterval(() => {
    if (performance.now() - heardAt < silentMs) return
    clearInterval(watch)
    onBreak({ kind: 'silent' })
    socket.close()
  }, lookMs)
  // The first listener of all, so that it can keep messages from the others.
  socket.addEventListener('message', (event: MessageEvent<ArrayBuffer | string>) => {
    heardAt = performance.now()
    if (typeof event.data !== 'string') return
    event.stopImmediatePropagation()
    const message = messageOf(event.data)
    if (message !== null) onMessage(message)
  })
  socket.addEventListener('close', ({ code, reason }) => {
    clearInterval(watch)
    onBreak({ kind: 'closed', code, reason })
  })
  return socket
}

function messageOf(text: string): ConsoleMessage | null {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || !('type' in value)) return null
  if (value.type === 'alive') return { type: 'alive' }
  if (value.type !== 'position' || !('offset' in value)) return null
  const skippedBytes = 'skippedBytes' in value && typeof value.skippedBytes === 'number' ? value.skippedBytes : 0
  return { type: 'position', offset: typeof value.offset === 'number' ? value.offset : null, skippedBytes }
}
