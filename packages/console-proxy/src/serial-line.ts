/**
 * One connection to a guest's serial port, shared by everyone who looks at it: the hypervisor's end serves one client at a time, and
 * a second would hang. Everyone sees all output, late comers the last of it too; who may control types.
 *
 * Each viewer has a place in the stream. One that reads slowly falls behind and, when the replay no longer reaches back to its place,
 * is told how much it missed. The guest is held back only when no viewer keeps up.
 */
import type { Socket } from 'node:net'
import type { ConsoleTarget } from '@kilonova/contract/rpc/agent'
import type { ClientSocket } from './client-socket.js'
import type { ConsoleLimits } from './limits.js'
import { ReplayRing } from './replay-ring.js'

interface Viewer {
  client: ClientSocket
  /** Offset of the next byte to send. */
  offset: number
}

export class SerialLine {
  readonly target: ConsoleTarget
  readonly #backend: Socket
  readonly #ring: ReplayRing
  readonly #viewers = new Set<Viewer>()
  readonly #onEnd: (clients: ClientSocket[]) => void
  #ended = false

  constructor(target: ConsoleTarget, backend: Socket, limits: ConsoleLimits, onEnd: (clients: ClientSocket[]) => void) {
    this.target = target
    this.#backend = backend
    this.#ring = new ReplayRing(limits.replayBytes)
    this.#onEnd = onEnd
    backend.on('data', (chunk: Buffer) => this.#spread(chunk))
    backend.on('drain', () => {
      for (const { client } of this.#viewers) client.resumeInput()
    })
    backend.once('close', () => this.close())
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Nobody looks at it. */
  get idle(): boolean {
    return this.#viewers.size === 0
  }

  join(client: ClientSocket, mode: 'CONTROL' | 'VIEW'): void {
    const viewer: Viewer = { client, offset: this.#ring.start }
    this.#viewers.add(viewer)
    client.onClose(() => this.#leave(viewer))
    client.onRoom(() => {
      this.#catchUp(viewer)
      this.#flow()
    })
    client.deliver((data) => {
      if (mode === 'CONTROL' && this.#backend.writable && !this.#backend.write(data)) client.pauseInput()
    })
    this.#catchUp(viewer)
    this.#flow()
  }

  /** Lets go of the port and tells who was still there. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#backend.destroy()
    const clients = [...this.#viewers].map((viewer) => viewer.client)
    this.#viewers.clear()
    this.#onEnd(clients)
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer)
    if (this.#viewers.size === 0) this.close()
    else this.#flow()
  }

  #spread(chunk: Buffer): void {
    const before = this.#ring.end
    this.#ring.push(chunk)
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
    if (viewer.client.full) return
    const missed = this.#ring.start - viewer.offset
    if (missed > 0) {
      viewer.client.send(Buffer.from(`\r\n[${missed} bytes of output were skipped]\r\n`))
      viewer.offset = this.#ring.start
    }
    if (viewer.offset === this.#ring.end) return
    viewer.client.send(this.#ring.from(viewer.offset))
    viewer.offset = this.#ring.end
  }

  #flow(): void {
    if (this.#ended) return
    for (const { client } of this.#viewers) {
      if (client.full) continue
      this.#backend.resume()
      return
    }
    this.#backend.pause()
  }
}
