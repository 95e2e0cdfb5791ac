/** One connection to a libvirt daemon over its Unix socket: calls in parallel, events, keepalive both ways. */
import { connect, type Socket } from 'node:net'
import { LibvirtError, LibvirtUnavailableError } from './libvirt-error.js'
import {
  type Header,
  headerLength,
  keepalive,
  keepaliveProgram,
  longestMessage,
  messageStatus,
  messageType,
  packet,
  procedure,
  protocolVersion,
  readError,
  readHeader,
  remoteProgram,
} from './protocol.js'
import { XdrReader, XdrWriter } from './xdr.js'

export type ProcedureName = keyof typeof procedure
export type EventListener = (procedureNumber: number, body: XdrReader) => void

interface Pending {
  resolve: (body: XdrReader) => void
  reject: (error: Error) => void
  timer: NodeJS.Timeout
}

const pingEveryMs = 5000
const silentMs = 20_000
const defaultTimeoutMs = 30_000

export class LibvirtConnection {
  readonly #socket: Socket
  readonly #pending = new Map<number, Pending>()
  readonly #closeListeners: ((reason: Error) => void)[] = []
  readonly #eventListeners: EventListener[] = []
  readonly #pinger: NodeJS.Timeout
  #serial = 0
  #received: Buffer[] = []
  #receivedLength = 0
  #heardAt = performance.now()
  #closed: Error | null = null

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => this.#take(bytes))
    socket.on('close', () => this.#fail(new LibvirtUnavailableError('libvirt has closed the connection')))
    socket.on('error', (error) => this.#fail(new LibvirtUnavailableError(`the connection to libvirt broke: ${error.message}`)))
    this.#pinger = setInterval(() => this.#keepAlive(), pingEveryMs)
    this.#pinger.unref()
  }

  /** Connects to a daemon's socket and opens a hypervisor such as `qemu:///system`. */
  static async open(socketPath: string, uri: string): Promise<LibvirtConnection> {
    const socket = connect(socketPath)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', (error) => reject(new LibvirtUnavailableError(`libvirt does not answer at ${socketPath}: ${error.message}`)))
    })
    const connection = new LibvirtConnection(socket)
    try {
      const types = await connection.call('authList', new XdrWriter())
      const authentication = types.list(20, () => types.int())
      if (!authentication.includes(0))
        throw new LibvirtUnavailableError('this libvirt daemon asks for a password; Kilonova needs a socket without')
      const open = new XdrWriter()
      await connection.call('connectOpen', open.optional(uri, (name) => open.string(name)).uint(0))
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  get isOpen(): boolean {
    return this.#closed === null
  }

  /** Also told of a loss that has happened already. */
  onClose(listener: (reason: Error) => void): void {
    if (this.#closed === null) this.#closeListeners.push(listener)
    else listener(this.#closed)
  }

  onEvent(listener: EventListener): void {
    this.#eventListeners.push(listener)
  }

  /** Calls a procedure. Rejects with LibvirtError, or LibvirtUnavailableError when the daemon is gone or silent. */
  call(name: ProcedureName, body: XdrWriter, timeoutMs = defaultTimeoutMs): Promise<XdrReader> {
    if (this.#closed !== null) return Promise.reject(this.#closed)
    this.#serial = (this.#serial + 1) >>> 0
    const serial = this.#serial
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(serial)
        reject(new LibvirtUnavailableError(`libvirt did not answer ${name} within ${timeoutMs / 1000} s`))
      }, timeoutMs)
      this.#pending.set(serial, { resolve, reject, timer })
      this.#send(
        { program: remoteProgram, procedure: procedure[name], type: messageType.call, serial, status: messageStatus.ok },
        body.bytes(),
      )
    })
  }

  close(): void {
    this.#fail(new LibvirtUnavailableError('the connection was closed'))
  }

  #send(header: Omit<Header, 'version'>, body: Buffer): void {
    this.#socket.write(packet({ ...header, version: protocolVersion }, body))
  }

  #take(bytes: Buffer): void {
    this.#heardAt = performance.now()
    this.#received.push(bytes)
    this.#receivedLength += bytes.length
    while (this.#receivedLength >= 4) {
      const joined = this.#received.length === 1 ? (this.#received[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#received)
      this.#received = [joined]
      const length = joined.readUInt32BE(0)
      if (length < headerLength || length > longestMessage) {
        this.#fail(new LibvirtUnavailableError(`libvirt sent a message of ${length} bytes`))
        return
      }
      if (joined.length < length) return
      this.#received = [joined.subarray(length)]
      this.#receivedLength = joined.length - length
      try {
        this.#dispatch(readHeader(joined), new XdrReader(joined.subarray(headerLength, length)))
      } catch (error) {
        this.#fail(new LibvirtUnavailableError(`libvirt sent what cannot be read: ${error instanceof Error ? error.message : error}`))
        return
      }
    }
  }

  #dispatch(header: Header, body: XdrReader): void {
    if (header.program === keepaliveProgram) {
      if (header.procedure === keepalive.ping) {
        this.#send({ program: keepaliveProgram, procedure: keepalive.pong, type: messageType.event, serial: 0, status: 0 }, Buffer.alloc(0))
      }
      return
    }
    if (header.type === messageType.event) {
      for (const listener of this.#eventListeners) listener(header.procedure, body)
      return
    }
    const pending = this.#pending.get(header.serial)
    if (header.type !== messageType.reply || pending === undefined) return
    this.#pending.delete(header.serial)
    clearTimeout(pending.timer)
    if (header.status === messageStatus.ok) pending.resolve(body)
    else pending.reject(new LibvirtError(readError(body)))
  }

  #keepAlive(): void {
    if (performance.now() - this.#heardAt > silentMs) {
      this.#fail(new LibvirtUnavailableError(`libvirt has been silent for ${silentMs / 1000} s`))
      return
    }
    this.#send({ program: keepaliveProgram, procedure: keepalive.ping, type: messageType.event, serial: 0, status: 0 }, Buffer.alloc(0))
  }

  #fail(reason: Error): void {
    if (this.#closed !== null) return
    this.#closed = reason
    clearInterval(this.#pinger)
    this.#socket.destroy()
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer)
      pending.reject(reason)
    }
    this.#pending.clear()
    for (const listener of this.#closeListeners) listener(reason)
  }
}
