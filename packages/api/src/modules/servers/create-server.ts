/** createServer: checks everything that can be known now, then stores the request in one transaction (A-LAUNCH-3…17). */
import { randomBytes, randomUUID } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'
import { payload } from '@kilonova/contract/events'
import type { GuestFlavor, GuestKeypair } from '@kilonova/contract/rpc/guest'
import { powerStates } from '@kilonova/contract/server-states'
import { Secret, type SecretBox } from '@kilonova/runtime/secrets'
import type { Transaction } from 'kysely'
import { type Caller } from '../../caller.js'
import type { NewInstance } from '../../cells/instance.store.js'
import type { SagaQueue } from '../../conductor/saga-queue.js'
import type { StoredRequestSpec } from '../../conductor/tasks/build.task.js'
import type { RequestedNetwork } from '../../conductor/up-calls.js'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import type { Outbox, OutboxEntry } from '../../events/outbox.js'
import { parseInput } from '../../parse-input.js'
import type { Policy } from '../../policy/policy.js'
import { type FlavorRow, type FlavorService, specsOf } from '../flavors/flavor.service.js'
import { requireAgreement } from '../flavors/flavor-image.js'
import type { HypervisorService } from '../hypervisors/hypervisor.service.js'
import type { IdempotencyService, References } from '../idempotency/idempotency.service.js'
import { type ImageRow, type ImageService, propertiesOf, requireProject } from '../images/image.service.js'
import type { KeypairService } from '../keypairs/keypair.service.js'
import type { NetworkService } from '../networks/network.service.js'
import { type NewOperation, newOperation, operationBegun } from '../operations/operation.store.js'
import type { QuotaService } from '../quotas/quota.service.js'
import { type CreateServerValues, checkSizes, countsOf, createServerInput, randomPassword } from './create-server.rules.js'
import { hostNameFrom } from './host-name.js'

export interface CreateServerOptions {
  db: Database<ApiSchema>
  outbox: Outbox<ApiSchema>
  policy: Policy
  idempotency: IdempotencyService
  box: SecretBox
  flavors: FlavorService
  images: ImageService
  keypairs: KeypairService
  networks: NetworkService
  hypervisors: HypervisorService
  quotas: QuotaService
  sagas: SagaQueue<ApiSchema>
  settings: {
    defaultZone: string
    scheduleZone: string | null
    passwordLength: number
    showPassword: boolean
    forceConfigDrive: boolean
  }
}

export interface CreatedServers {
  serverIds: string[]
  reservationId: string
  operationId: string
  adminPassword: string | null
}

interface CreatePlan {
  flavor: FlavorRow
  image: ImageRow
  imageProperties: Record<string, string>
  networks: RequestedNetwork[]
  keypairs: GuestKeypair[]
  configDrive: boolean
}

interface CreateRefs extends References {
  serverIds: string[]
  operationIds: string[]
  parentId: string
  reservationId: string
}

export class CreateServer {
  readonly #options: CreateServerOptions

  constructor(options: CreateServerOptions) {
    this.#options = options
  }

  async run(caller: Caller, raw: unknown): Promise<CreatedServers> {
    const { policy, idempotency, box, quotas, settings } = this.#options
    policy.enforce('os_compute_api:servers:create', caller)
    policy.enforce('os_compute_api:servers:create:attach_network', caller)
    const projectId = requireProject(caller)
    const input = parseInput(createServerInput, raw)
    const counts = countsOf(input)
    const given = input.adminPassword == null ? null : new Secret(input.adminPassword)
    let shown: Secret | null = null

    const refs = await idempotency.run<CreateRefs>(caller, {
      mutation: 'createServer',
      key: input.idempotencyKey,
      input: raw,
      choose: () => ({
        serverIds: Array.from({ length: counts.maxCount }, () => randomUUID()),
        operationIds: Array.from({ length: counts.maxCount }, () => randomUUID()),
        parentId: randomUUID(),
        reservationId: `r-${randomBytes(5).toString('hex').slice(0, 8)}`,
      }),
      work: async (chosen, done) => {
        const plan = await this.#plan(caller, projectId, input, counts)
        const password = given ?? new Secret(randomPassword(settings.passwordLength))
        const owner = { projectId, userId: caller.userId }
        const made = await quotas.admitServers(owner, amountsOf(plan.flavor), counts, (admitted, recheck) =>
          this.#store(caller, projectId, input, plan, { admitted, recheck }, chosen, box.seal(password), async (trx, final) =>
            done(trx, final, settings.showPassword ? password : undefined),
          ),
        )
        shown = settings.showPassword ? password : null
        return made
      },
    })
    const secret = shown ?? (settings.showPassword ? await idempotency.secretOf(caller, input.idempotencyKey) : null)
    return {
      serverIds: refs.serverIds,
      reservationId: refs.reservationId,
      operationId: refs.serverIds.length > 1 ? refs.parentId : (refs.operationIds[0] ?? refs.parentId),
      adminPassword: (secret as Secret | null)?.reveal() ?? null,
    }
  }

  /** Looks up what the input names; every refusal names its field. Changes nothing. */
  async #plan(caller: Caller, projectId: string, input: CreateServerValues, counts: { maxCount: number }): Promise<CreatePlan> {
    const { flavors, images, keypairs, policy, quotas, settings } = this.#options
    const flavor = await flavors.flavor(caller, input.flavorId)
    if (flavor === null || flavor.disabled === 1) {
      throw CloudError.invalidReference('input.flavorId', `Flavor ${input.flavorId} could not be found.`, 'FlavorNotFound')
    }
    if (input.imageId == null) throw CloudError.badInput('input.imageId', 'Missing imageRef attribute: an image to boot is needed.')
    const image = await images.image(caller, input.imageId)
    if (image === null)
      throw CloudError.invalidReference('input.imageId', `Can not find requested image ${input.imageId}.`, 'ImageNotFound')
    if (image.status !== 'ACTIVE') throw CloudError.invalidReference('input.imageId', `Image ${image.id} is not active.`, 'ImageNotActive')
    checkSizes(flavor, image)
    if (flavor.disk_gb === 0 && !policy.allows('os_compute_api:servers:create:zero_disk_flavor', caller)) {
      throw new CloudError('LIMIT_EXCEEDED', 'Only volume-backed servers are allowed for flavors with zero disk.', {
        exception: 'BootFromVolumeRequiredForZeroDiskFlavor',
        fields: ['input.flavorId'],
      })
    }
    const imageProperties = propertiesOf(image)
    requireAgreement(specsOf(flavor), imageProperties)
    const configDriveWish = imageProperties.img_config_drive
    const keys = await keypairs.ofUser(caller.userId, input.keyNames ?? [])
    for (const [index, keyName] of (input.keyNames ?? []).entries()) {
      if (!keys.has(keyName)) throw CloudError.invalidReference(`input.keyNames.${index}`, 'Invalid key_name provided.', 'KeypairNotFound')
    }
    await quotas.checkMetadataItems({ projectId, userId: caller.userId }, input.metadata?.length ?? 0)
    await this.#checkDestination(caller, input)
    return {
      flavor,
      image,
      imageProperties,
      networks: await this.#networks(caller, projectId, input, counts.maxCount),
      keypairs: (input.keyNames ?? []).flatMap((keyName): GuestKeypair[] => {
        const row = keys.get(keyName)
        if (row === undefined) return []
        return [{ name: row.name, type: row.type === 'x509' ? 'x509' : 'ssh', fingerprint: row.fingerprint, publicKey: row.public_key }]
      }),
      configDrive: input.configDrive === true || settings.forceConfigDrive || configDriveWish === 'mandatory',
    }
  }

  async #checkDestination(caller: Caller, input: CreateServerValues): Promise<void> {
    const { hypervisors, policy } = this.#options
    if (input.host != null || input.hypervisorHostname != null) {
      policy.enforce('compute:servers:create:requested_destination', caller)
      const hosts = await hypervisors.hostStates()
      const known = hosts.some(
        (host) =>
          (input.host == null || host.host === input.host) && (input.hypervisorHostname == null || host.node === input.hypervisorHostname),
      )
      if (!known) {
        const field = input.host != null ? 'input.host' : 'input.hypervisorHostname'
        throw CloudError.invalidReference(
          field,
          `Compute host ${input.host ?? input.hypervisorHostname} could not be found.`,
          'ComputeHostNotFound',
        )
      }
    }
    if (input.availabilityZone != null) {
      const zones = new Set((await hypervisors.hostStates()).flatMap((host) => host.availabilityZones))
      zones.add(this.#options.settings.defaultZone)
      if (!zones.has(input.availabilityZone)) {
        throw CloudError.invalidReference('input.availabilityZone', 'The requested availability zone is not available.', 'InvalidRequest')
      }
    }
  }

  /** A-LAUNCH-16 for networks; existing ports come with the network service's own issue. */
  async #networks(caller: Caller, projectId: string, input: CreateServerValues, maxCount: number): Promise<RequestedNetwork[]> {
    const { networks } = this.#options
    const { mode, list } = input.networks
    if (mode !== 'LIST' && list != null && list.length > 0) {
      throw CloudError.badInput('input.networks.list', `A list of networks is only allowed with mode LIST, not ${mode}.`)
    }
    if (mode === 'NONE') return []
    if (mode === 'AUTO') {
      const usable = await networks.usableBy(projectId)
      if (usable.length > 1) {
        throw new CloudError('AMBIGUOUS_NETWORK', 'Multiple possible networks found, use a network id to be more specific.', {
          exception: 'NetworkAmbiguous',
          fields: ['input.networks'],
        })
      }
      const [only] = usable
      if (only === undefined)
        throw CloudError.invalidReference('input.networks', 'There is no network the project can use.', 'NetworkNotFound')
      return [{ networkId: only.id, fixedIp: null, tag: null }]
    }
    if (list == null || list.length === 0) throw CloudError.badInput('input.networks.list', 'Mode LIST needs at least one network.')
    const wanted: RequestedNetwork[] = []
    for (const [index, entry] of list.entries()) {
      const field = `input.networks.list.${index}`
      if (entry.networkId == null) throw CloudError.badInput(`${field}.networkId`, 'A network is needed.')
      const network = await networks.network(caller, entry.networkId)
      if (network === null || network.admin_state_up === 0) {
        throw CloudError.invalidReference(`${field}.networkId`, `Network ${entry.networkId} could not be found.`, 'NetworkNotFound')
      }
      if (network.external === 1 && network.shared === 0) this.#options.policy.enforce('network:attach_external_network', caller)
      if (entry.fixedIp != null) {
        if (maxCount > 1) throw CloudError.badInput(`${field}.fixedIp`, 'A fixed address is only allowed with one server.')
        await networks.checkFixedIp(network.id, entry.fixedIp, `${field}.fixedIp`)
      }
      wanted.push({ networkId: network.id, fixedIp: entry.fixedIp ?? null, tag: entry.tag ?? null })
    }
    return wanted
  }

  async #store(
    caller: Caller,
    projectId: string,
    input: CreateServerValues,
    plan: CreatePlan,
    { admitted, recheck }: { admitted: number; recheck: (trx: Transaction<ApiSchema>) => Promise<void> },
    chosen: CreateRefs,
    sealedPassword: string,
    done: (trx: Parameters<Parameters<Database<ApiSchema>['transaction']>[0]>[0], refs: CreateRefs) => Promise<void>,
  ): Promise<CreateRefs> {
    const { db, outbox, sagas, settings } = this.#options
    const { flavor } = plan
    const createdAt = await db.readClock()
    return db.transaction(async (trx) => {
      const refs: CreateRefs = {
        ...chosen,
        serverIds: chosen.serverIds.slice(0, admitted),
        operationIds: chosen.operationIds.slice(0, admitted),
      }
      const several = admitted > 1
      const events: OutboxEntry[] = []
      if (several) {
        const parent: NewOperation = { id: refs.parentId, kind: 'CREATE', caller, projectId }
        await newOperation(trx, db, parent)
        events.push(operationBegun(parent))
      }
      const spec: StoredRequestSpec = {
        userId: caller.userId,
        projectId,
        amounts: amountsOf(flavor),
        availabilityZone: input.availabilityZone ?? settings.scheduleZone,
        imageProperties: plan.imageProperties,
        requestedHost: input.host ?? null,
        requestedNode: input.hypervisorHostname ?? null,
        networks: plan.networks,
        adminPassword: sealedPassword,
      }
      for (const [index, serverId] of refs.serverIds.entries()) {
        const operationId = refs.operationIds[index] ?? randomUUID()
        const instance = this.#instance(caller, projectId, input, plan, {
          serverId,
          operationId,
          index,
          several,
          reservationId: refs.reservationId,
          createdAt,
        })
        await trx
          .insertInto('request_specs')
          .values({ instance_uuid: serverId, spec: JSON.stringify(spec), created_at: createdAt })
          .execute()
        await trx
          .insertInto('build_requests')
          .values({
            instance_uuid: serverId,
            project_id: projectId,
            instance: JSON.stringify(instance),
            vcpus: flavor.vcpus,
            memory_mb: flavor.ram_mb,
            disk_gb: amountsOf(flavor).DISK_GB,
            created_at: createdAt,
            updated_at: createdAt,
          })
          .execute()
        await trx
          .insertInto('instance_mappings')
          .values({ instance_uuid: serverId, project_id: projectId, user_id: caller.userId, created_at: createdAt })
          .execute()
        const operation: NewOperation = {
          id: operationId,
          kind: 'CREATE',
          caller,
          projectId,
          serverId,
          parentId: several ? refs.parentId : null,
        }
        await newOperation(trx, db, operation)
        events.push(operationBegun(operation), created(instance, caller, operationId))
        await sagas.begin(trx, {
          id: operationId,
          kind: 'build',
          operationId,
          serverId,
          projectId,
          requestId: caller.requestId,
          fence: 0,
          state: { selected: null, alternates: [] },
        })
      }
      await recheck(trx)
      await outbox.append(trx, events)
      await done(trx, refs)
      return refs
    })
  }

  #instance(
    caller: Caller,
    projectId: string,
    input: CreateServerValues,
    plan: CreatePlan,
    at: { serverId: string; operationId: string; index: number; several: boolean; reservationId: string; createdAt: number },
  ): NewInstance {
    const suffix = at.several ? `-${at.index + 1}` : ''
    const displayName = `${input.name}${suffix}`
    const { flavor } = plan
    const guestFlavor: GuestFlavor = {
      flavorId: flavor.id,
      name: flavor.name,
      vcpus: flavor.vcpus,
      ramMb: flavor.ram_mb,
      diskGb: flavor.disk_gb,
      ephemeralGb: flavor.ephemeral_gb,
      swapMb: flavor.swap_mb,
      extraSpecs: specsOf(flavor),
    }
    return {
      uuid: at.serverId,
      project_id: projectId,
      user_id: caller.userId,
      display_name: displayName,
      display_description: input.description ?? null,
      hostname: input.hostname ?? hostNameFrom(displayName, at.serverId),
      vm_state: 'building',
      task_state: 'scheduling',
      power_state: powerStates.NOSTATE,
      progress: 0,
      host: null,
      node: null,
      image_id: plan.image.id,
      flavor_id: flavor.id,
      flavor: JSON.stringify(guestFlavor),
      key_name: input.keyNames?.[0] ?? null,
      keypairs: JSON.stringify(plan.keypairs),
      availability_zone: input.availabilityZone ?? this.#options.settings.scheduleZone ?? this.#options.settings.defaultZone,
      pinned_availability_zone: input.availabilityZone ?? this.#options.settings.scheduleZone,
      config_drive: plan.configDrive ? 1 : 0,
      disk_config: input.diskConfig ?? 'MANUAL',
      metadata: JSON.stringify(Object.fromEntries((input.metadata ?? []).map(({ key, value }) => [key, value]))),
      tags: JSON.stringify([...new Set(input.tags ?? [])]),
      network_info: '[]',
      locked: 0,
      locked_by: null,
      locked_reason: null,
      // Sealed: it may hold secrets, and only the guest and administrators read it.
      user_data: input.userData == null ? null : this.#options.box.seal(new Secret(input.userData)),
      access_ip_v4: input.accessIpV4 ?? null,
      access_ip_v6: input.accessIpV6 ?? null,
      reservation_id: at.reservationId,
      launch_index: at.index,
      root_device_name: null,
      fault: null,
      operation_id: at.operationId,
      fence: 0,
      generation: 1,
      created_at: at.createdAt,
      updated_at: at.createdAt,
      launched_at: null,
      terminated_at: null,
      deleted_at: null,
    }
  }
}

/** What one server of the flavor claims of a host. */
const amountsOf = (flavor: FlavorRow) => ({
  VCPU: flavor.vcpus,
  MEMORY_MB: flavor.ram_mb,
  DISK_GB: flavor.disk_gb + flavor.ephemeral_gb + Math.ceil(flavor.swap_mb / 1024),
})

const created = (instance: NewInstance, caller: Caller, operationId: string): OutboxEntry => ({
  eventType: 'instance.update',
  subject: 'SERVER',
  subjectId: instance.uuid,
  projectId: instance.project_id,
  userId: caller.userId,
  requestId: caller.requestId,
  operationId,
  payload: payload('InstanceUpdatePayload', {
    uuid: instance.uuid,
    display_name: instance.display_name,
    state: instance.vm_state,
    task_state: instance.task_state,
    power_state: instance.power_state,
    changedFields: [],
    created: true,
    deleted: false,
  }),
})
