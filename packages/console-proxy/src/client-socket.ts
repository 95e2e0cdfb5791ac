/** A console client's WebSocket: binary frames out with back-pressure, buffers in, liveness, and an end that always comes. */
import type { WebSocket } from 'ws'
import type { CloseCode, ConsoleLimits } from './limits.js'

export type ConsoleMessage =
  /**
   * Offset of the next byte in the guest's console log, null when it is not known, and how many bytes before it the client has missed.
   * The first message of a serial console, and again whenever it is not what counting the bytes would give.
   */
  | { type: 'position'; offset: number | null; skippedBytes: number }
  /** Sent with every ping. */
  | { type: 'alive' }

export class ClientSocket {
  readonly #ws: WebSocket
  readonly #limits: ConsoleLimits
  #early: Buffer[] | null = []
  #onData: (data: Buffer) => void = () => {}
  #roomListener: () => void = () => {}
  #full = false
  #silentPings = 0
  #pinger: NodeJS.Timeout | undefined
  #ending = false
  /** The client understands messages about the stream, as text between the binary frames. */
  wantsMessages = false
  bytesIn = 0
  bytesOut = 0

  constructor(ws: WebSocket, limits: ConsoleLimits) {
    this.#ws = ws
    this.#limits = limits
    ws.on('pong', () => {
      this.#silentPings = 0
    })
    this.#pinger = setInterval(() => this.#ping(), limits.pingMs)
    this.#pinger.unref()
    ws.once('close', () => clearInterval(this.#pinger))
    // A broken frame ends in `close` too; without a listener it would end the process.
    ws.on('error', () => {})
  }

  get open(): boolean {
    return !this.#ending && this.#ws.readyState === this.#ws.OPEN
  }

  /** No more room: what is written now only grows the queue. */
  get full(): boolean {
    return this.#full
  }

  get queuedBytes(): number {
    return this.#ws.bufferedAmount
  }

  onClose(listener: () => void): void {
    this.#ws.once('close', listener)
    if (this.#ws.readyState === this.#ws.CLOSED) listener()
  }

  /** Called when a full queue has emptied enough. */
  onRoom(listener: () => void): void {
    this.#roomListener = listener
  }

  /** The first message of a client that shows its token that way; null when it closed or was silent for too long. */
  firstMessage(): Promise<{ data: Buffer; isBinary: boolean } | null> {
    return new Promise((resolve) => {
      const done = (answer: { data: Buffer; isBinary: boolean } | null): void => {
        clearTimeout(timer)
        this.#ws.off('message', take)
        this.#ws.off('close', give)
        resolve(answer)
      }
      const take = (data: Buffer, isBinary: boolean): void => {
        // Later messages of the same packet must find the next listener at once.
        this.hold()
        done({ data, isBinary })
      }
      const give = (): void => done(null)
      const timer = setTimeout(give, this.#limits.firstMessageMs)
      this.#ws.on('message', take)
      this.#ws.once('close', give)
    })
  }

  /** Keeps what the client sends until somebody takes it; asks it to send no more. */
  hold(): void {
    this.#ws.pause()
    this.#ws.on('message', (data: Buffer) => this.#take(data))
  }

  /** Hands over what was held, then everything that comes. */
  deliver(listener: (data: Buffer) => void): void {
    this.#onData = listener
    const early = this.#early ?? []
    this.#early = null
    this.#ws.resume()
    for (const data of early) listener(data)
  }

  pauseInput(): void {
    this.#ws.pause()
  }

  resumeInput(): void {
    if (!this.#ending) this.#ws.resume()
  }

  send(chunk: Buffer): void {
    if (!this.open) return
    this.bytesOut += chunk.length
    this.#ws.send(chunk, { binary: true, compress: false }, () => {
      if (!this.#full || this.#ws.bufferedAmount > this.#limits.lowWaterBytes) return
      this.#full = false
      this.#roomListener()
    })
    if (this.#ws.bufferedAmount > this.#limits.highWaterBytes) this.#full = true
  }

  /** Tells the client something about the stream, if it wants to know. */
  tell(message: ConsoleMessage): void {
    if (this.wantsMessages && this.open) this.#ws.send(JSON.stringify(message), { binary: false, compress: false })
  }

  /** Says why, and cuts the line when the client does not answer: a slow reader may hold back the farewell. */
  end(code: CloseCode, reason: string): void {
    if (this.#ending) return
    this.#ending = true
    clearInterval(this.#pinger)
    this.#ws.resume()
    this.#ws.close(code, cutReason(reason))
    const timer = setTimeout(() => this.#ws.terminate(), this.#limits.closeMs)
    this.#ws.once('close', () => clearTimeout(timer))
  }

  #take(data: Buffer): void {
    if (this.#ending) return
    this.#silentPings = 0
    this.bytesIn += data.length
    if (this.#early === null) this.#onData(data)
    else this.#early.push(data)
  }

  #ping(): void {
    if (this.#silentPings >= 2) {
      this.#ws.terminate()
      return
    }
    // While we do not read, answers cannot be seen; that the client has gone still shows when we write.
    this.#silentPings = this.#ws.isPaused ? 0 : this.#silentPings + 1
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping()
    // Browsers answer pings but do not show them to pages, which could not tell a silent guest from a lost network.
    if (!this.#full) this.tell({ type: 'alive' })
  }
}

/** A close frame has room for 123 bytes of reason. */
function cutReason(reason: string): string {
  let text = reason
  while (Buffer.byteLength(text) > 123) text = text.slice(0, -1)
  return text
}
