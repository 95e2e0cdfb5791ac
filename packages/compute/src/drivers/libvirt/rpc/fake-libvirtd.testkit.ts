/** A libvirt daemon for tests: a socket that speaks the protocol and answers as it is told to. */
import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import {
  type Header,
  headerLength,
  keepalive,
  keepaliveProgram,
  messageStatus,
  messageType,
  packet,
  procedure,
  type RemoteError,
  readHeader,
  remoteProgram,
} from './protocol.js'
import { XdrReader, XdrWriter } from './xdr.js'

/** The body of the answer, an error, or nothing at all. */
export type Answer = XdrWriter | RemoteError | 'silence'
export type Answerer = (body: XdrReader) => Answer

const okay = (): Answer => new XdrWriter()

export class FakeLibvirtd {
  readonly path: string
  /** Procedure numbers in the order they came. */
  readonly calls: number[] = []
  readonly clients = new Set<Socket>()
  pongs = 0
  readonly #answers = new Map<number, Answerer>([
    [procedure.authList, () => new XdrWriter().uint(1).int(0)],
    [procedure.connectOpen, okay],
    [procedure.eventCallbackRegisterAny, () => new XdrWriter().int(1)],
  ])
  #server: Server | undefined

  constructor(path: string) {
    this.path = path
  }

  on(name: keyof typeof procedure, answer: Answerer): void {
    this.#answers.set(procedure[name], answer)
  }

  async start(): Promise<void> {
    rmSync(this.path, { force: true })
    const server = createServer((client) => this.#serve(client))
    this.#server = server
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.path, resolve))
  }

  /** As a daemon that dies: every client loses its connection. */
  async stop(): Promise<void> {
    for (const client of this.clients) client.destroy()
    await new Promise((resolve) => (this.#server === undefined ? resolve(undefined) : this.#server.close(resolve)))
  }

  /** Sends bytes as they are to every client. */
  write(bytes: Buffer): void {
    for (const client of this.clients) client.write(bytes)
  }

  event(procedureNumber: number, body: XdrWriter): void {
    this.write(packet(headerOf({ procedure: procedureNumber, type: messageType.event }), body.bytes()))
  }

  ping(): void {
    this.write(packet(headerOf({ program: keepaliveProgram, procedure: keepalive.ping, type: messageType.event }), Buffer.alloc(0)))
  }

  #serve(client: Socket): void {
    this.clients.add(client)
    client.once('close', () => this.clients.delete(client))
    client.on('error', () => {})
    let received = Buffer.alloc(0)
    client.on('data', (bytes) => {
      received = Buffer.concat([received, bytes])
      while (received.length >= 4 && received.length >= received.readUInt32BE(0)) {
        const length = received.readUInt32BE(0)
        this.#answer(client, readHeader(received), new XdrReader(received.subarray(headerLength, length)))
        received = received.subarray(length)
      }
    })
  }

  #answer(client: Socket, header: Header, body: XdrReader): void {
    if (header.program === keepaliveProgram) {
      if (header.procedure === keepalive.pong) this.pongs += 1
      return
    }
    this.calls.push(header.procedure)
    const answer = this.#answers.get(header.procedure)?.(body) ?? {
      code: 3,
      domain: 7,
      message: `no answer is known to procedure ${header.procedure}`,
      level: 2,
    }
    if (answer === 'silence') return
    const reply = { ...header, type: messageType.reply }
    if (answer instanceof XdrWriter) client.write(packet({ ...reply, status: messageStatus.ok }, answer.bytes()))
    else client.write(packet({ ...reply, status: messageStatus.error }, errorBody(answer)))
  }
}

const headerOf = (header: Partial<Header>): Header => ({
  program: remoteProgram,
  version: 1,
  procedure: 0,
  type: messageType.event,
  serial: 0,
  status: messageStatus.ok,
  ...header,
})

const errorBody = ({ code, domain, message, level }: RemoteError): Buffer =>
  new XdrWriter()
    .int(code)
    .int(domain)
    .uint(1)
    .string(message)
    .int(level)
    // No domain, no texts, no numbers, no network.
    .fixed(Buffer.alloc(28))
    .bytes()
