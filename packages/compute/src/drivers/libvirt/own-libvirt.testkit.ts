/** A libvirt of its own for tests with real guests: private folders, gone afterwards with everything that ran in it. */
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@kilonova/runtime/clock'
import { createLogger } from '@kilonova/runtime/logger'
import { allocationOf, computeOptions } from '../../config.js'
import { HostNetwork } from '../../network/host-network.js'
import { bootGuestBytes, writeBootGuest } from './boot-guest.testkit.js'
import { daemonFile } from './daemon/daemon-files.js'
import { daemonMode, startDaemons, stopDaemons } from './daemon/daemons.js'
import { qemuIdentity } from './daemon/qemu-user.js'
import { endGuests } from './end-guests.js'
import { LibvirtDriver } from './libvirt.driver.js'
import { LibvirtSession } from './rpc/session.js'

export const log = createLogger('silent')

export class OwnLibvirt {
  readonly folder: string
  readonly cloudId = randomUUID()
  readonly daemonFolder: string
  readonly #entry: string
  readonly #mode = daemonMode()
  #socketPath = ''

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'kilonova-guests-'))
    // QEMU runs as a user of its own.
    chmodSync(this.folder, 0o711)
    this.daemonFolder = join(this.folder, 'libvirt')
    this.#entry = compileEntry(join(this.folder, 'entry'))
    writeBootGuest(join(this.folder, 'base'))
  }

  get guestFolder(): string {
    return join(this.folder, 'guests')
  }

  async start(): Promise<void> {
    this.#socketPath = await startDaemons({
      folder: this.daemonFolder,
      mode: this.#mode,
      hostUuid: this.cloudId,
      kvm: false,
      clock: systemClock,
      entry: this.#entry,
    })
  }

  pidOf(daemon: 'libvirtd' | 'virtlogd'): number {
    const file = daemon === 'libvirtd' ? daemonFile.libvirtdPid(this.daemonFolder) : daemonFile.virtlogdPid(this.daemonFolder)
    return Number(readFileSync(file, 'utf8'))
  }

  session(): LibvirtSession {
    return new LibvirtSession({ socketPath: this.#socketPath, uri: `qemu:///${this.#mode}`, clock: systemClock, log })
  }

  driver(cloudId = this.cloudId): LibvirtDriver {
    return new LibvirtDriver({
      host: 'node-1',
      nodeId: '5e5e5e5e-0000-4000-8000-000000000001',
      cloudId,
      guestFolder: join(this.folder, cloudId === this.cloudId ? 'guests' : 'others'),
      qemuIdentity: this.#mode === 'system' ? qemuIdentity() : null,
      session: this.session(),
      virtType: 'qemu',
      images: { get: async () => join(this.folder, 'base'), clean: async () => [] },
      // QEMU's own network: nothing of the machine's network is touched.
      network: new HostNetwork({ cloudId, folder: this.folder, log, kind: 'user' }),
      unseal: () => {
        throw new Error('these guests have no secrets')
      },
      allocation: allocationOf(computeOptions.compute.parse({})),
      clock: systemClock,
      log,
    })
  }

  /** Size of the image's disk, for guests' specifications. */
  readonly imageBytes = bootGuestBytes

  /** Ends all guests, whoever's they are, and the daemons. */
  async remove(cloudIds: readonly string[] = [this.cloudId]): Promise<void> {
    const session = this.session()
    await session.start()
    for (const cloudId of cloudIds) await endGuests({ session, cloudId, remove: true, graceSeconds: 0, clock: systemClock })
    await session.close()
    await stopDaemons(this.daemonFolder, systemClock)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Tests run from source, but the program in the mount namespace is plain JavaScript. */
function compileEntry(folder: string): string {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const name of ['enter-and-run', 'run-daemons', 'daemon-files', 'mounts']) {
    const source = readFileSync(join(import.meta.dirname, 'daemon', `${name}.ts`), 'utf8')
    writeFileSync(join(folder, `${name}.js`), stripTypeScriptTypes(source))
  }
  return join(folder, 'enter-and-run.js')
}
