/**
 * One connection to a guest's serial port, shared by everyone who looks at it: the hypervisor's end serves one client at a time, and
 * a second would hang. Everyone sees all output, and the last of what was written before; who may control types.
 *
 * Each viewer has a place in the stream, by which it can go on after a break. One that reads slowly falls behind and, when the replay
 * no longer reaches back to its place, is told how much it missed. The guest is held back only when no viewer keeps up.
 */
import type { Socket } from 'node:net'
import type { ConsoleTarget } from '@kilonova/contract/rpc/agent'
import type { ClientSocket } from './client-socket.js'
import type { ConsoleLimits } from './limits.js'
import type { ReplayRing } from './replay-ring.js'
import { type ReadPast, SerialFeed } from './serial-feed.js'

interface Viewer {
  client: ClientSocket
  /** Offset in the ring of the next byte to send. */
  offset: number
  /** Has to be told its place anew when it has caught up. */
  isMisplaced: boolean
}

export interface JoinOptions {
  mode: 'CONTROL' | 'VIEW'
  /** May see what was written before. */
  seesPast: boolean
  /** Where in the log the client left off; null: it is new. */
  from: number | null
}

export interface SerialLineOptions {
  target: ConsoleTarget
  backend: Socket
  limits: ConsoleLimits
  readPast: ReadPast
  onEnd: (clients: ClientSocket[]) => void
}

export class SerialLine {
  readonly target: ConsoleTarget
  readonly #backend: Socket
  readonly #feed: SerialFeed
  readonly #viewers = new Set<Viewer>()
  readonly #onEnd: (clients: ClientSocket[]) => void
  readonly #limits: ConsoleLimits
  #ended = false

  /** A line that knows the guest's past. */
  static async open(options: SerialLineOptions): Promise<SerialLine> {
    const line = new SerialLine(options)
    await line.#feed.begin()
    return line
  }

  private constructor({ target, backend, limits, readPast, onEnd }: SerialLineOptions) {
    this.target = target
    this.#backend = backend
    this.#onEnd = onEnd
    this.#limits = limits
    this.#feed = new SerialFeed({
      readPast,
      limits,
      onBytes: (chunk) => this.#spread(chunk),
      onPlaced: () => {
        for (const viewer of this.#viewers) {
          viewer.isMisplaced = true
          this.#tellIfCaughtUp(viewer)
        }
      },
    })
    backend.on('data', (chunk: Buffer) => {
      this.#feed.push(chunk)
      if (this.#feed.full) backend.pause()
    })
    backend.on('drain', () => {
      for (const { client } of this.#viewers) client.resumeInput()
    })
    backend.once('close', () => void this.#hungUp())
    backend.resume()
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Nobody looks at it. */
  get idle(): boolean {
    return this.#viewers.size === 0
  }

  join(client: ClientSocket, options: JoinOptions): void {
    const viewer: Viewer = { client, offset: this.#startOf(options), isMisplaced: false }
    this.#viewers.add(viewer)
    client.onClose(() => this.#leave(viewer))
    client.onRoom(() => {
      this.#catchUp(viewer)
      this.#flow()
    })
    client.deliver((data) => {
      if (options.mode === 'CONTROL' && this.#backend.writable && !this.#backend.write(data)) client.pauseInput()
    })
    const place = this.#feed.placeOf(viewer.offset)
    this.#tellPlace(viewer, options.from === null || place === null ? 0 : Math.max(0, place - options.from))
    this.#catchUp(viewer)
    this.#feed.start()
    this.#flow()
  }

  /** Lets go of the port and tells who was still there. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#backend.destroy()
    this.#letGo()
  }

  /** The guest's side closed. Viewers hear where they are, so that they can go on from there, and that it is over. */
  async #hungUp(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    const enough = new Promise((resolve) => setTimeout(resolve, this.#limits.settleMs).unref())
    await Promise.race([this.#feed.settle(), enough])
    this.#letGo()
  }

  #letGo(): void {
    this.#feed.close()
    const clients = [...this.#viewers].map((viewer) => viewer.client)
    this.#viewers.clear()
    this.#onEnd(clients)
  }

  get #ring(): ReplayRing {
    return this.#feed.ring
  }

  #startOf({ seesPast, from }: JoinOptions): number {
    const { start, end } = this.#ring
    if (!seesPast) return end
    return from === null ? start : (this.#feed.offsetOf(from) ?? start)
  }

  #tellPlace({ client, offset }: Viewer, skippedBytes: number): void {
    client.tell({ type: 'position', offset: this.#feed.placeOf(offset), skippedBytes })
  }

  #tellIfCaughtUp(viewer: Viewer): void {
    if (!viewer.isMisplaced || viewer.offset !== this.#ring.end) return
    viewer.isMisplaced = false
    this.#tellPlace(viewer, 0)
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer)
    if (this.#viewers.size === 0) this.close()
    else this.#flow()
  }

  /** The ring has got this chunk. */
  #spread(chunk: Buffer): void {
    const before = this.#ring.end - chunk.length
    for (const viewer of this.#viewers) {
      if (viewer.client.full) continue
      if (viewer.offset === before) {
        viewer.client.send(chunk)
        viewer.offset = this.#ring.end
      } else {
        this.#catchUp(viewer)
      }
    }
    this.#flow()
  }

  #catchUp(viewer: Viewer): void {
    const { client } = viewer
    if (client.full) return
    const missed = this.#ring.start - viewer.offset
    if (missed > 0) {
      viewer.offset = this.#ring.start
      if (client.wantsMessages) this.#tellPlace(viewer, missed)
      else client.send(Buffer.from(`\r\n[${missed} bytes of output were skipped]\r\n`))
    }
    if (viewer.offset < this.#ring.end) {
      client.send(this.#ring.from(viewer.offset))
      viewer.offset = this.#ring.end
    }
    this.#tellIfCaughtUp(viewer)
  }

  #flow(): void {
    if (this.#ended) return
    const wanted = !this.#feed.full && [...this.#viewers].some(({ client }) => !client.full)
    if (wanted) this.#backend.resume()
    else this.#backend.pause()
  }
}
