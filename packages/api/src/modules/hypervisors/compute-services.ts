/** What administrators do with compute services: enable, disable, declare down, remove (D-SVC). */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { payload } from '@kilonova/contract/events'
import { printable } from '@kilonova/contract/inputs'
import type { Transaction } from 'kysely'
import { z } from 'zod'
import type { Caller } from '../../caller.js'
import type { Cell, CellsService } from '../../cells/cells.service.js'
import { buildsOn } from '../../conductor/builds-on-host.js'
import { showDisabled } from '../../conductor/disabled-hosts.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema, CellSchema } from '../../db/schemas.js'
import { Outbox } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import type { PlacementService } from '../../placement/placement.service.js'
import type { Policy } from '../../policy/policy.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import { refuseStale } from '../identity/identity.service.js'
import type { HypervisorService, ServiceRecord } from './hypervisor.service.js'

const common = { serviceId: z.string(), idempotencyKey: z.string().nullish() }
const update = z
  .object({
    ...common,
    status: z.enum(['ENABLED', 'DISABLED'], 'A service can be set to ENABLED or DISABLED.').nullish(),
    disabledReason: printable('A reason', 1, 255).nullish(),
    forcedDown: z.boolean().nullish(),
    expectedGeneration: z.number().int().nullish(),
  })
  .refine((input) => input.disabledReason == null || input.status === 'DISABLED', {
    message: 'A reason is given with the status DISABLED only.',
    path: ['disabledReason'],
  })
  .refine((input) => input.status != null || input.forcedDown != null, {
    message: 'Nothing to do: give a status, or forcedDown.',
    path: ['status'],
  })
const remove = z.object(common)
type Update = z.infer<typeof update>

/** The columns that an update may change. */
type Change = Partial<Pick<ServiceRecord, 'disabled' | 'disabled_reason' | 'forced_down'>>

export interface ComputeServicesOptions {
  api: Database<ApiSchema>
  cells: CellsService
  hypervisors: HypervisorService
  placement: PlacementService
  policy: Policy
  idempotency: IdempotencyService
  publisherId: string
}

export class ComputeServices {
  readonly #options: ComputeServicesOptions

  constructor(options: ComputeServicesOptions) {
    this.#options = options
  }

  /** D-SVC-2, D-SVC-3: a disabled host gets no new servers, one that is declared down counts as down at once. */
  async update(caller: Caller, raw: unknown): Promise<ServiceRecord> {
    const { api, idempotency, placement, policy } = this.#options
    policy.enforce('os_compute_api:os-services:update', caller)
    const input = parseInput(update, raw)
    await idempotency.run(caller, {
      mutation: 'updateComputeService',
      key: input.idempotencyKey,
      input,
      choose: () => ({ changeId: randomUUID() as string }),
      work: async (refs, done) => {
        const { service, cell } = await this.#require(input.serviceId)
        if (service.binary !== 'nova-compute') {
          throw CloudError.badInput(
            'input.serviceId',
            `Updating a ${service.binary} service is not possible: only compute agents can be disabled or declared down.`,
          )
        }
        const repeated = input.idempotencyKey != null && (await this.#wasMade(cell, refs.changeId))
        if (!repeated) await this.#write(caller, cell, input, refs.changeId)
        await showDisabled(cell.database, placement, service.host)
        await api.transaction((trx) => done(trx, refs))
        return refs
      },
    })
    return (await this.#require(input.serviceId)).service
  }

  /**
   * D-SVC-4. First nothing can be claimed on the host any more, then it is forgotten; cut short in between, it can be done again. An
   * agent that still runs registers anew.
   */
  async remove(caller: Caller, raw: unknown): Promise<string> {
    const { api, hypervisors, idempotency, policy } = this.#options
    policy.enforce('os_compute_api:os-services:delete', caller)
    const input = parseInput(remove, raw)
    const found = await hypervisors.serviceById(input.serviceId)
    const refs = await idempotency.run(caller, {
      mutation: 'deleteComputeService',
      key: input.idempotencyKey,
      input,
      choose: () => ({ id: input.serviceId, host: found?.host ?? null }),
      work: async (chosen, done) => {
        // A retry of what was cut short finds it gone already; what never was there is refused.
        const goneBefore = found === null && chosen.host !== null
        if (!goneBefore) await this.#removeFound(caller, await this.#require(input.serviceId))
        await api.transaction((trx) => done(trx, chosen))
        return chosen
      },
    })
    return refs.id
  }

  async #removeFound(caller: Caller, { service, cell }: FoundService): Promise<void> {
    const { api, placement } = this.#options
    const { database } = cell
    const { host } = service
    const isCompute = service.binary === 'nova-compute'
    if (isCompute) {
      const servers = await database.read
        .selectFrom('instances')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('host', '=', host)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow()
      if (Number(servers.count) > 0) {
        throw inUse(`${host} still has ${counted(Number(servers.count), 'server')}: delete them or move them away first.`)
      }
      const builds = await buildsOn(database, host)
      if (builds.length > 0) throw beingBuilt(host, builds.length)
      const nodes = await database.read.selectFrom('compute_nodes').select('uuid').where('host', '=', host).execute()
      await api.transaction(async (trx) => {
        for (const { uuid } of nodes) {
          const { claimedBy } = await placement.removeProvider(trx, uuid)
          if (claimedBy > 0) throw beingBuilt(host, claimedBy)
        }
        await forgetHost(trx, host, cell.id)
      })
    }
    await database.transaction(async (trx) => {
      if (isCompute) await trx.deleteFrom('compute_nodes').where('host', '=', host).execute()
      const gone = await trx.deleteFrom('services').where('id', '=', service.id).returning('id').execute()
      if (gone.length > 0) await this.#tell(trx, caller, cell, service, 'service.delete', randomUUID())
    })
    // Discovery may have found the host once more before its node was gone.
    if (isCompute) await api.transaction((trx) => forgetHost(trx, host, cell.id))
  }

  async #write(caller: Caller, cell: Cell, input: Update, changeId: string): Promise<void> {
    const { database } = cell
    await database.transaction(async (trx) => {
      const row = await trx
        .selectFrom('services')
        .selectAll()
        .where('id', '=', input.serviceId)
        .modifyEnd(database.lockClause())
        .executeTakeFirst()
      if (row === undefined) throw CloudError.notFound('Service', input.serviceId)
      refuseStale(row.generation, input.expectedGeneration)
      const change: Change = {
        ...(input.status === 'ENABLED' ? { disabled: 0, disabled_reason: null } : {}),
        ...(input.status === 'DISABLED' ? { disabled: 1, disabled_reason: input.disabledReason ?? row.disabled_reason } : {}),
        ...(input.forcedDown == null ? {} : { forced_down: input.forcedDown ? 1 : 0 }),
      }
      await trx
        .updateTable('services')
        .set((eb) => ({ ...change, generation: eb('generation', '+', 1), updated_at: database.now }))
        .where('id', '=', row.id)
        .execute()
      await this.#tell(trx, caller, cell, { ...row, ...change }, 'service.update', changeId)
    })
  }

  /** The event goes from the outbox to the log: looked for in that order it is found, wherever it is. */
  async #wasMade({ database }: Cell, changeId: string): Promise<boolean> {
    const waiting = await database.read.selectFrom('outbox').select('id').where('event_id', '=', changeId).executeTakeFirst()
    if (waiting !== undefined) return true
    const { read } = this.#options.api
    return (await read.selectFrom('event_log').select('position').where('event_id', '=', changeId).executeTakeFirst()) !== undefined
  }

  async #require(serviceId: string): Promise<FoundService> {
    const { cells, hypervisors } = this.#options
    const { services, isPartial } = await hypervisors.allServices()
    const service = services.find((candidate) => candidate.id === serviceId)
    if (service?.known === true) return { service, cell: await cells.get(service.cellId) }
    if (service === undefined && !isPartial) throw CloudError.notFound('Service', serviceId)
    throw new CloudError('CELL_UNAVAILABLE', 'The service cannot be reached now; try again.')
  }

  async #tell(
    trx: Transaction<CellSchema>,
    caller: Caller,
    { database }: Cell,
    service: Pick<ServiceRecord, 'id' | 'host' | 'binary' | 'disabled' | 'disabled_reason' | 'forced_down'>,
    eventType: 'service.update' | 'service.delete',
    eventId: string,
  ): Promise<void> {
    await new Outbox(database, this.#options.publisherId).append(trx, [
      {
        eventId,
        eventType,
        subject: 'SERVICE',
        subjectId: service.id,
        projectId: null,
        userId: caller.userId,
        requestId: caller.requestId,
        payload: payload('ServiceStatusPayload', {
          host: service.host,
          binary: service.binary,
          disabled: service.disabled === 1,
          disabled_reason: service.disabled_reason,
          forced_down: service.forced_down === 1,
        }),
      },
    ])
  }
}

interface FoundService {
  service: ServiceRecord
  cell: Cell
}

async function forgetHost(trx: Transaction<ApiSchema>, host: string, cellId: string): Promise<void> {
  await trx.deleteFrom('host_mappings').where('host', '=', host).where('cell_uuid', '=', cellId).execute()
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
const inUse = (message: string): CloudError => new CloudError('IN_USE', message, { exception: 'HTTPConflict', fields: ['input.serviceId'] })
const beingBuilt = (host: string, count: number): CloudError =>
  inUse(`${counted(count, 'server')} ${count === 1 ? 'is' : 'are'} being built on ${host}: wait until that has ended.`)
