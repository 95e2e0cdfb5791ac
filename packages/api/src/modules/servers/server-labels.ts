/** What owners write on a server: names and texts (A-ACT-39), metadata (A-ACT-34) and tags (A-ACT-35). */
import { randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { description, hostname, metadataKey, metadataValue, tag, name as validName } from '@kilonova/contract/inputs'
import type { PolicyRuleName } from '@kilonova/contract/policy-rules'
import { z } from 'zod'
import type { Caller } from '../../caller.js'
import { type InstanceChange, type InstanceRow, instanceJson } from '../../cells/instance.store.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { parseInput } from '../../parse-input.js'
import type { IdempotencyService } from '../idempotency/idempotency.service.js'
import type { QuotaService } from '../quotas/quota.service.js'
import type { FoundServer, ServerRepository } from './server.repository.js'
import type { ServerChanges } from './server-changes.js'
import type { ServerGuard } from './server-guard.js'

export const maxTags = 50

/** One entry per key: with two there is no telling which is meant. */
export const metadataItems = z.array(z.object({ key: metadataKey, value: metadataValue })).superRefine((items, context) => {
  const seen = new Set<string>()
  for (const [index, { key }] of items.entries()) {
    if (seen.has(key)) context.addIssue({ code: 'custom', message: `The key '${key}' is given twice.`, path: [index, 'key'] })
    seen.add(key)
  }
})
const some = <T extends z.ZodType>(item: T) => z.array(item).min(1, 'At least one is needed.')
const common = { serverId: z.string(), idempotencyKey: z.string().nullish() }
const expectedGeneration = z.number().int().nullish()

const updateServer = z.object({
  ...common,
  name: validName.nullish(),
  description: description.nullish(),
  hostname: hostname.nullish(),
  accessIpV4: z.ipv4('That is not an IPv4 address.').nullish(),
  accessIpV6: z.ipv6('That is not an IPv6 address.').nullish(),
  diskConfig: z.enum(['AUTO', 'MANUAL']).nullish(),
  expectedGeneration,
})
const setMetadata = z.object({ ...common, metadata: metadataItems })
const replaceMetadata = z.object({ ...common, metadata: metadataItems, expectedGeneration })
const deleteMetadata = z.object({ ...common, keys: some(metadataKey) })
const someTags = z.object({ ...common, tags: some(tag) })
const allTags = z.object({ ...common, tags: z.array(tag), expectedGeneration })

/** A change of labels, apart from who asks and how often. */
export interface LabelChange {
  action: 'UPDATE' | 'CHANGE_METADATA' | 'CHANGE_TAGS'
  rules: readonly PolicyRuleName[]
  decide: (row: InstanceRow) => Promise<InstanceChange | null> | InstanceChange | null
}

const metadataOf = (row: InstanceRow): Record<string, string> => instanceJson.metadata.parse(JSON.parse(row.metadata))
const tagsOf = (row: InstanceRow): string[] => instanceJson.tags.parse(JSON.parse(row.tags))
const writeTags = (tags: readonly string[]): InstanceChange => ({ tags: JSON.stringify(tags) })

export interface ServerLabelsOptions {
  api: Database<ApiSchema>
  repository: ServerRepository
  guard: ServerGuard
  changes: ServerChanges
  idempotency: IdempotencyService
  quotas: Pick<QuotaService, 'checkMetadataItems'>
}

export class ServerLabels {
  readonly #options: ServerLabelsOptions

  constructor(options: ServerLabelsOptions) {
    this.#options = options
  }

  async update(caller: Caller, raw: unknown): Promise<FoundServer> {
    const input = parseInput(updateServer, raw)
    const values: InstanceChange = {
      ...(input.name == null ? {} : { display_name: input.name }),
      ...(input.description === undefined ? {} : { display_description: input.description }),
      ...(input.hostname == null ? {} : { hostname: input.hostname }),
      ...(input.accessIpV4 === undefined ? {} : { access_ip_v4: input.accessIpV4 }),
      ...(input.accessIpV6 === undefined ? {} : { access_ip_v6: input.accessIpV6 }),
      ...(input.diskConfig == null ? {} : { disk_config: input.diskConfig }),
    }
    const decide = () => (Object.keys(values).length === 0 ? null : values)
    return this.#run(caller, 'updateServer', raw, input, { action: 'UPDATE', rules: ['os_compute_api:servers:update'], decide })
  }

  async setMetadata(caller: Caller, raw: unknown): Promise<FoundServer> {
    const input = parseInput(setMetadata, raw)
    return this.#run(caller, 'setServerMetadata', raw, input, this.metadataChange(input.metadata))
  }

  async replaceMetadata(caller: Caller, raw: unknown): Promise<FoundServer> {
    const input = parseInput(replaceMetadata, raw)
    return this.#run(caller, 'replaceServerMetadata', raw, input, {
      action: 'CHANGE_METADATA',
      rules: ['os_compute_api:server-metadata:update_all'],
      decide: (row) => this.#writeMetadata(row, Object.fromEntries(input.metadata.map(({ key, value }) => [key, value]))),
    })
  }

  async deleteMetadata(caller: Caller, raw: unknown): Promise<FoundServer> {
    const input = parseInput(deleteMetadata, raw)
    return this.#run(caller, 'deleteServerMetadata', raw, input, {
      action: 'CHANGE_METADATA',
      rules: ['os_compute_api:server-metadata:delete'],
      decide: (row) => {
        const items = metadataOf(row)
        const missing = input.keys.findIndex((key) => !Object.hasOwn(items, key))
        if (missing >= 0) {
          throw new CloudError('NOT_FOUND', `Metadata item '${input.keys[missing]}' was not found.`, {
            exception: 'InstanceMetadataNotFound',
            fields: [`input.keys.${missing}`],
          })
        }
        return { metadata: JSON.stringify(Object.fromEntries(Object.entries(items).filter(([key]) => !input.keys.includes(key)))) }
      },
    })
  }

  async addTags(caller: Caller, raw: unknown): Promise<FoundServer> {
    const input = parseInput(someTags, raw)
    return this.#run(caller, 'addServerTags', raw, input, this.tagsChange({ add: input.tags }))
  }

  async removeTags(caller: Caller, raw: unknown): Promise<FoundServer> {
    const input = parseInput(someTags, raw)
    return this.#run(caller, 'removeServerTags', raw, input, this.tagsChange({ remove: input.tags }))
  }

  async replaceTags(caller: Caller, raw: unknown): Promise<FoundServer> {
    const input = parseInput(allTags, raw)
    return this.#run(caller, 'replaceServerTags', raw, input, {
      action: 'CHANGE_TAGS',
      rules: ['os_compute_api:os-server-tags:update_all'],
      decide: () => writeTags(atMost50([...new Set(input.tags)], 'input.tags')),
    })
  }

  async clearTags(caller: Caller, raw: { serverId: string; idempotencyKey?: string | null }): Promise<FoundServer> {
    return this.#run(caller, 'clearServerTags', raw, raw, {
      action: 'CHANGE_TAGS',
      rules: ['os_compute_api:os-server-tags:delete_all'],
      decide: () => writeTags([]),
    })
  }

  metadataChange(items: readonly { key: string; value: string }[]): LabelChange {
    return {
      action: 'CHANGE_METADATA',
      rules: ['os_compute_api:server-metadata:create'],
      decide: (row) => this.#writeMetadata(row, { ...metadataOf(row), ...Object.fromEntries(items.map(({ key, value }) => [key, value])) }),
    }
  }

  /** First the removals, which must be there, then the additions. */
  tagsChange(
    { add = [], remove = [] }: { add?: readonly string[]; remove?: readonly string[] },
    fields = { add: 'input.tags', remove: 'input.tags' },
  ): LabelChange {
    return {
      action: 'CHANGE_TAGS',
      rules: [
        ...(add.length > 0 ? (['os_compute_api:os-server-tags:update'] as const) : []),
        ...(remove.length > 0 ? (['os_compute_api:os-server-tags:delete'] as const) : []),
      ],
      decide: (row) => {
        const tags = tagsOf(row)
        const missing = remove.findIndex((wanted) => !tags.includes(wanted))
        if (missing >= 0) {
          throw new CloudError('NOT_FOUND', `Server ${row.uuid} has no tag '${remove[missing]}'.`, {
            exception: 'ServerTagNotFound',
            fields: [`${fields.remove}.${missing}`],
          })
        }
        const kept = tags.filter((one) => !remove.includes(one))
        return writeTags(atMost50([...new Set([...kept, ...add])], fields.add))
      },
    }
  }

  /** One change of one server, under a name chosen before. */
  async apply(
    caller: Caller,
    serverId: string,
    change: LabelChange,
    at: { changeId: string; mayBeRepeat: boolean; expectedGeneration?: number | null | undefined },
  ): Promise<void> {
    const { changes, guard } = this.#options
    const allowed = (found: FoundServer): void => {
      for (const rule of change.rules) {
        const refusal = guard.refusal(caller, change.action, found.row, rule)
        if (refusal !== null) throw refusal
      }
    }
    // Whether it may be seen at all comes first; the rest is asked of the very row that is changed.
    await guard.requireSeen(caller, serverId)
    await changes.apply({
      serverId,
      ...at,
      requestId: caller.requestId,
      decide: (found) => {
        allowed(found)
        return change.decide(found.row)
      },
    })
  }

  async #run(
    caller: Caller,
    mutation: string,
    raw: unknown,
    input: { serverId: string; idempotencyKey?: string | null | undefined; expectedGeneration?: number | null | undefined },
    change: LabelChange,
  ): Promise<FoundServer> {
    const { api, guard, idempotency } = this.#options
    const mayBeRepeat = input.idempotencyKey != null
    await idempotency.run(caller, {
      mutation,
      key: input.idempotencyKey,
      input: raw,
      choose: () => ({ changeId: randomUUID() as string }),
      work: async (refs, done) => {
        await this.apply(caller, input.serverId, change, {
          changeId: refs.changeId,
          mayBeRepeat,
          expectedGeneration: input.expectedGeneration,
        })
        await api.transaction((trx) => done(trx, refs))
        return refs
      },
    })
    return guard.requireSeen(caller, input.serverId)
  }

  async #writeMetadata(row: InstanceRow, items: Record<string, string>): Promise<InstanceChange> {
    const owner = { projectId: row.project_id, userId: row.user_id }
    await this.#options.quotas.checkMetadataItems(owner, Object.keys(items).length, 'input.metadata')
    return { metadata: JSON.stringify(items) }
  }
}

function atMost50(tags: string[], field: string): string[] {
  if (tags.length <= maxTags) return tags
  throw new CloudError('LIMIT_EXCEEDED', `The number of tags exceeded the per-server limit ${maxTags}.`, {
    exception: 'TagsLimitExceeded',
    fields: [field],
  })
}
