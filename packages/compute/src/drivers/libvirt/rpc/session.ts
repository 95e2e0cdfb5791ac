/**
 * The driver's hold on libvirt: one connection for calls, one for events, both made again when the daemon restarts. Domain states and
 * lifecycle events in the driver's words.
 */
import type { Clock } from '@kilonova/runtime/clock'
import type { Logger } from '@kilonova/runtime/logger'
import { LibvirtConnection } from './connection.js'
import { LibvirtError, LibvirtUnavailableError } from './libvirt-error.js'
import { procedure, type RemoteDomain, readDomain, readDomains, writeDomain } from './protocol.js'
import { XdrWriter } from './xdr.js'

export interface SessionOptions {
  socketPath: string
  uri: string
  clock: Clock
  log: Logger
}

/** virDomainState. */
export const domainState = { noState: 0, running: 1, blocked: 2, paused: 3, shutdown: 4, shutoff: 5, crashed: 6, pmSuspended: 7 } as const

export interface LifecycleEvent {
  uuid: string
  /** virDomainEventType: defined 0, undefined 1, started 2, suspended 3, resumed 4, stopped 5, shutdown 6, pmsuspended 7, crashed 8. */
  event: number
  detail: number
}

const eventLifecycle = 0
/** Undefine also removes a saved memory image, snapshots' metadata and firmware variables. */
const undefineEverything = 1 | 2 | 4
const shutdownByAcpi = 1
const startForceBoot = 1 << 3
/** The guest runs when it is restored, whatever it did when it was saved. */
const saveRunning = 1 << 1
/** Memory travels to or from the disk. */
const memoryMs = 900_000

export const uuidText = (bytes: Buffer): string => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
const uuidBytes = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')

export class LibvirtSession {
  readonly #options: SessionOptions
  readonly #listeners: ((event: LifecycleEvent) => void)[] = []
  readonly #reconnected: (() => void)[] = []
  #calls: Promise<LibvirtConnection> | undefined
  #closed = false

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** Connects; later losses are mended by themselves. */
  async start(): Promise<void> {
    await this.#connection()
    await this.#listen()
  }

  async close(): Promise<void> {
    this.#closed = true
    ;(await this.#calls?.catch(() => undefined))?.close()
    this.#eventConnection?.close()
  }

  onLifecycle(listener: (event: LifecycleEvent) => void): void {
    this.#listeners.push(listener)
  }

  /** Events may have been missed: look at everything again. */
  onReconnected(listener: () => void): void {
    this.#reconnected.push(listener)
  }

  async hypervisorVersion(): Promise<number> {
    return (await this.#call('getVersion', new XdrWriter())).hyper()
  }

  async domains(): Promise<RemoteDomain[]> {
    return readDomains(await this.#call('listAllDomains', new XdrWriter().int(1).uint(0)))
  }

  /** Null when there is no such domain. */
  async find(uuid: string): Promise<RemoteDomain | null> {
    return this.#unlessMissing(async () => readDomain(await this.#call('domainLookupByUuid', new XdrWriter().fixed(uuidBytes(uuid)))))
  }

  async define(xml: string): Promise<RemoteDomain> {
    return readDomain(await this.#call('domainDefineXmlFlags', new XdrWriter().string(xml).uint(0)))
  }

  /** Boots a guest; memory saved earlier is dropped. */
  async boot(domain: RemoteDomain): Promise<void> {
    await this.#call('domainCreateWithFlags', writeDomain(new XdrWriter(), domain).uint(startForceBoot), 120_000)
  }

  /** Starts a guest from the memory that was saved. */
  async restore(domain: RemoteDomain): Promise<void> {
    await this.#call('domainCreateWithFlags', writeDomain(new XdrWriter(), domain).uint(0), memoryMs)
  }

  /** Saves the memory of a guest beside libvirt's own files and ends it. */
  async save(domain: RemoteDomain): Promise<void> {
    await this.#call('domainManagedSave', writeDomain(new XdrWriter(), domain).uint(saveRunning), memoryMs)
  }

  async hasSavedMemory(domain: RemoteDomain): Promise<boolean> {
    return (await this.#call('domainHasManagedSaveImage', writeDomain(new XdrWriter(), domain).uint(0))).int() === 1
  }

  /** Stops the vCPUs. */
  async suspend(domain: RemoteDomain): Promise<void> {
    await this.#call('domainSuspend', writeDomain(new XdrWriter(), domain))
  }

  async resume(domain: RemoteDomain): Promise<void> {
    await this.#call('domainResume', writeDomain(new XdrWriter(), domain))
  }

  /** Ends a guest at once; one that is off stays off. */
  async destroy(domain: RemoteDomain): Promise<void> {
    await this.#unlessInvalid(() => this.#call('domainDestroyFlags', writeDomain(new XdrWriter(), domain).uint(0), 60_000))
  }

  async undefine(domain: RemoteDomain): Promise<void> {
    await this.#unlessMissing(() => this.#call('domainUndefineFlags', writeDomain(new XdrWriter(), domain).uint(undefineEverything)))
  }

  /** Presses the power button. */
  async shutdown(domain: RemoteDomain): Promise<void> {
    await this.#unlessInvalid(() => this.#call('domainShutdownFlags', writeDomain(new XdrWriter(), domain).uint(shutdownByAcpi)))
  }

  /** Null when there is no such domain. */
  async state(uuid: string): Promise<number | null> {
    const domain = await this.find(uuid)
    if (domain === null) return null
    return this.#unlessMissing(async () => (await this.#call('domainGetState', writeDomain(new XdrWriter(), domain).uint(0))).int())
  }

  async xml(domain: RemoteDomain): Promise<string> {
    return (await this.#call('domainGetXmlDesc', writeDomain(new XdrWriter(), domain).uint(0))).string()
  }

  async #call(...args: Parameters<LibvirtConnection['call']>) {
    return (await this.#connection()).call(...args)
  }

  async #connection(): Promise<LibvirtConnection> {
    if (this.#closed) throw new LibvirtUnavailableError('the session was closed')
    const { socketPath, uri } = this.#options
    const known = this.#calls
    const current = await known?.catch(() => undefined)
    if (current?.isOpen === true) return current
    // Several calls may find the connection lost: the first opens a new one for all.
    if (this.#calls !== known && this.#calls !== undefined) return this.#calls
    this.#calls = LibvirtConnection.open(socketPath, uri)
    // A close in the meantime must not leave it open.
    this.#calls.then(
      (connection) => this.#closed && connection.close(),
      () => {},
    )
    return this.#calls
  }

  #eventConnection: LibvirtConnection | undefined

  async #listen(): Promise<void> {
    const { socketPath, uri, clock, log } = this.#options
    const connection = await LibvirtConnection.open(socketPath, uri)
    connection.onEvent((number, body) => {
      if (number !== procedure.eventCallbackLifecycle) return
      body.int()
      const domain = readDomain(body)
      const event: LifecycleEvent = { uuid: uuidText(domain.uuid), event: body.int(), detail: body.int() }
      for (const listener of this.#listeners) listener(event)
    })
    try {
      await connection.call(
        'eventCallbackRegisterAny',
        new XdrWriter().int(eventLifecycle).optional(null, () => {}),
      )
    } catch (error) {
      connection.close()
      throw error
    }
    if (this.#closed) {
      connection.close()
      return
    }
    // Only a connection that was registered is mended: before that, whoever makes it hears of the failure.
    connection.onClose((reason) => {
      if (this.#closed) return
      log.warn({ err: reason }, 'libvirt is away; trying to reach it again')
      void this.#listenAgain(clock)
    })
    this.#eventConnection = connection
  }

  async #listenAgain(clock: Clock): Promise<void> {
    for (let tries = 1; !this.#closed; tries++) {
      await clock.sleep(Math.min(100 * 2 ** tries, 5000))
      try {
        await this.#listen()
        this.#options.log.info('libvirt answers again')
        for (const listener of this.#reconnected) listener()
        return
      } catch (error) {
        this.#options.log.debug({ err: error, tries }, 'libvirt is still away')
      }
    }
  }

  async #unlessMissing<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof LibvirtError && error.is('noDomain')) return null
      throw error
    }
  }

  async #unlessInvalid(act: () => Promise<unknown>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof LibvirtError && (error.is('operationInvalid') || error.is('noDomain')))) throw error
    }
  }
}
