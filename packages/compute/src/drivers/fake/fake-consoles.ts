/** The consoles of one simulated host's guests. Sockets are opened when somebody asks for a console, so that idle guests cost nothing. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConsoleTarget, ConsoleTypeName } from '@kilonova/contract/rpc/agent'
import { openFakeSerial } from './fake-serial.js'
import { openFakeVnc } from './fake-vnc.js'
import type { SocketServer } from './socket-server.js'

export interface ConsoleGuest {
  serverId: string
  hostname: string
  onOutput: (text: string) => void
}

/** The kernel's limit for the path of a unix socket is 107 bytes. */
const longestPathBytes = 100

export class FakeConsoles {
  readonly #folder: string
  readonly #open = new Map<string, Promise<SocketServer>>()
  #shortFolder: string | null = null

  constructor(folder: string) {
    this.#folder = folder
  }

  async target(guest: ConsoleGuest, type: ConsoleTypeName): Promise<ConsoleTarget> {
    const key = keyOf(guest.serverId, type)
    let opening = this.#open.get(key)
    if (opening === undefined) {
      const path = this.#pathOf(key)
      opening = type === 'SERIAL' ? openFakeSerial({ ...guest, path }) : openFakeVnc(path, guest.hostname)
      this.#open.set(key, opening)
      opening.catch(() => this.#open.delete(key))
    }
    return { kind: 'unix', path: (await opening).path }
  }

  /** The guest writes to its serial port: whoever is being served sees it. */
  say(serverId: string, text: string): void {
    void this.#open.get(keyOf(serverId, 'SERIAL'))?.then(({ clients }) => {
      const [served] = clients
      served?.write(text)
    })
  }

  /** The guest is off or gone: its clients are cut off at once. */
  async close(serverId: string): Promise<void> {
    for (const type of ['SERIAL', 'NOVNC'] as const) await this.#closeOne(keyOf(serverId, type))
  }

  async closeAll(): Promise<void> {
    for (const key of [...this.#open.keys()]) await this.#closeOne(key)
    if (this.#shortFolder !== null) rmSync(this.#shortFolder, { recursive: true, force: true })
    this.#shortFolder = null
  }

  async #closeOne(key: string): Promise<void> {
    const opening = this.#open.get(key)
    if (opening === undefined) return
    this.#open.delete(key)
    const [settled] = await Promise.allSettled([opening])
    if (settled.status === 'fulfilled') settled.value.close()
  }

  #pathOf(key: string): string {
    const path = join(this.#folder, key)
    if (Buffer.byteLength(path) <= longestPathBytes) return path
    this.#shortFolder ??= mkdtempSync(join(tmpdir(), 'kilonova-consoles-'))
    return join(this.#shortFolder, key)
  }
}

/** Short, for the sake of the path's limit. */
const keyOf = (serverId: string, type: ConsoleTypeName): string =>
  `${createHash('sha256').update(serverId).digest('hex').slice(0, 12)}.${type === 'SERIAL' ? 'tty' : 'vnc'}`
