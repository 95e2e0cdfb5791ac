/**
 * Looks for leftovers: whatever one part of the cloud still holds for a server, image or operation of which the other parts know
 * nothing. What the hosts and the image store have is handed in, so that the auditor speaks to databases only. Things a living saga
 * works on are in motion and not judged.
 */
import { finishedStates, type OperationState } from '@kilonova/contract/operations'
import { type Cell, cell0Id } from '../cells/cells.service.js'
import { instanceJson } from '../cells/instance.store.js'
import { requestSpec } from '../conductor/tasks/build.task.js'
import type { Database } from '../db/database.js'
import type { ApiSchema, CellSchema, SharedSchema } from '../db/schemas.js'
import { auditHosts } from './audit-hosts.js'
import { auditImages } from './audit-images.js'
import { type HostPresence, type Inventory, type LocatedInstance, placed, type SagaInfo } from './inventory.js'

export interface AuditParts {
  api: Database<ApiSchema>
  /** All cells, cell0 too. */
  cells: readonly Cell[]
  /** Absent: what hosts have is not looked at. */
  hosts?: readonly HostPresence[] | undefined
  /** Names of the files in the image store; absent: not looked at. */
  imageFiles?: readonly string[] | undefined
  /** Nothing is going on: living sagas and unrelayed events are leftovers as well. */
  quiet?: boolean
}

export interface Finding {
  /** What kind of leftover, for example `allocation-orphan`. */
  kind: string
  /** Id of the server, image, operation or row. */
  subject: string
  /** What is wrong, for the operator. */
  message: string
}

/** Every leftover there is; empty when the parts agree. */
export async function audit(parts: AuditParts): Promise<Finding[]> {
  const { api } = parts
  const findings: Finding[] = []
  const live = new Map<string, LocatedInstance[]>()
  const sagas: SagaInfo[] = await sagasOf(api)
  const outbox = await operationsInOutbox(api)
  for (const { id, database } of parts.cells) {
    sagas.push(...(await sagasOf(database)))
    outbox.push(...(await operationsInOutbox(database)))
    for (const row of await database.read.selectFrom('instances').selectAll().where('deleted_at', 'is', null).execute()) {
      live.set(row.uuid, [...(live.get(row.uuid) ?? []), { row, cellId: id }])
    }
  }
  const inMotion = new Set(sagas.flatMap((saga) => (saga.server_id === null ? [] : [saga.server_id])))
  const find = (kind: string, subject: string, message: string): void => void findings.push({ kind, subject, message })
  const inventory: Inventory = { api, live, sagas, inMotion, find }

  if (parts.quiet === true) {
    for (const saga of sagas) find('saga-left', saga.id, `a saga of kind ${saga.kind} has not ended`)
    if (outbox.length > 0) find('outbox-left', api.name, `${outbox.length} events were not carried to the event log`)
  }
  await auditMappings(inventory)
  await auditRequests(inventory)
  await auditInstances(inventory)
  await auditAllocations(inventory, parts.cells)
  await auditPorts(inventory)
  await auditOperations(inventory, new Set(outbox))
  await auditTokens(inventory, parts.cells)
  await auditImages(inventory, parts.imageFiles)
  if (parts.hosts !== undefined) auditHosts(inventory, parts.hosts)
  return findings
}

async function sagasOf<Schema>(database: Database<Schema>): Promise<SagaInfo[]> {
  const shared = database as unknown as Database<SharedSchema>
  return shared.read.selectFrom('sagas').select(['id', 'kind', 'operation_id', 'server_id', 'state']).execute()
}

async function operationsInOutbox<Schema>(database: Database<Schema>): Promise<string[]> {
  const shared = database as unknown as Database<SharedSchema>
  return (await shared.read.selectFrom('outbox').select('operation_id').execute()).map((row) => row.operation_id ?? '')
}

async function auditMappings({ api, live, inMotion, find }: Inventory): Promise<void> {
  const mappings = await api.read.selectFrom('instance_mappings').selectAll().execute()
  const requests = new Set((await api.read.selectFrom('build_requests').select('instance_uuid').execute()).map((row) => row.instance_uuid))
  const known = new Set(mappings.map((mapping) => mapping.instance_uuid))
  for (const mapping of mappings) {
    const id = mapping.instance_uuid
    if (inMotion.has(id)) continue
    const [instance] = live.get(id) ?? []
    if (mapping.queued_for_delete === 1) {
      if (instance !== undefined) find('delete-lost', id, 'the server is marked as deleted but lives on in its cell')
    } else if (mapping.cell_uuid === null) {
      if (!requests.has(id)) find('mapping-lost', id, 'the server has neither a cell nor a build request')
    } else if (instance === undefined) {
      find('mapping-stale', id, 'the server is mapped to a cell that does not have it')
    } else if (instance.cellId !== mapping.cell_uuid) {
      find('mapping-wrong', id, `the server is mapped to cell ${mapping.cell_uuid} but lives in ${instance.cellId}`)
    }
  }
  for (const [id, places] of live) {
    if (inMotion.has(id)) continue
    if (!known.has(id)) find('mapping-missing', id, 'the server lives in a cell but no mapping leads to it')
    if (places.length > 1) find('instance-twice', id, `the server lives in ${places.length} cells`)
  }
}

async function auditRequests({ api, sagas, find }: Inventory): Promise<void> {
  const building = new Set(sagas.filter((saga) => saga.kind === 'build').map((saga) => saga.server_id))
  for (const row of await api.read.selectFrom('build_requests').select('instance_uuid').execute()) {
    if (!building.has(row.instance_uuid)) find('build-request-left', row.instance_uuid, 'a build request that nobody works on')
  }
  for (const row of await api.read.selectFrom('request_specs').select(['instance_uuid', 'spec']).execute()) {
    if (building.has(row.instance_uuid)) continue
    if (requestSpec.parse(JSON.parse(row.spec)).adminPassword !== null) {
      find('secret-left', row.instance_uuid, 'the request still holds the password of the administrator')
    }
  }
}

async function auditInstances({ live, inMotion, find }: Inventory): Promise<void> {
  for (const [id, places] of live) {
    for (const { row, cellId } of places) {
      if (inMotion.has(id)) continue
      if (row.task_state !== null) find('instance-stuck', id, `the server is in task ${row.task_state} but nobody works on it`)
      else if (row.vm_state === 'building') find('instance-stuck', id, 'the server is building but nobody builds it')
      if (cellId === cell0Id && row.host !== null) find('instance-misplaced', id, 'a server in cell0 has a host')
    }
  }
}

async function auditAllocations(inventory: Inventory, cells: readonly Cell[]): Promise<void> {
  const { api, live, inMotion, find } = inventory
  const nodes = new Map<string, string>()
  for (const { database } of cells) {
    for (const node of await database.read.selectFrom('compute_nodes').select(['host', 'uuid']).execute()) nodes.set(node.host, node.uuid)
  }
  const allocations = await api.read.selectFrom('allocations').selectAll().execute()
  const held = Map.groupBy(allocations, (row) => row.consumer_uuid)
  const consumers = new Set((await api.read.selectFrom('consumers').select('uuid').execute()).map((row) => row.uuid))
  for (const [id, rows] of held) {
    if (!consumers.has(id)) find('consumer-missing', id, 'allocations without a consumer')
    if (inMotion.has(id)) continue
    const row = placed(inventory, id)
    if (row === null) {
      find('allocation-orphan', id, `${rows.length} allocations of a consumer that has no host`)
    } else if (rows.some((allocation) => allocation.provider_uuid !== nodes.get(row.host ?? ''))) {
      find('allocation-elsewhere', id, `the server is on ${row.host} but holds allocations of another provider`)
    }
  }
  for (const id of consumers) if (!held.has(id) && !inMotion.has(id)) find('consumer-empty', id, 'a consumer without allocations')
  for (const [id, places] of live) {
    if (inMotion.has(id) || placed(inventory, id) === null) continue
    const flavor = instanceJson.flavor.parse(JSON.parse(places[0]?.row.flavor ?? '{}'))
    const wanted = {
      VCPU: flavor.vcpus,
      MEMORY_MB: flavor.ramMb,
      DISK_GB: flavor.diskGb + flavor.ephemeralGb + Math.ceil(flavor.swapMb / 1024),
    }
    for (const [resourceClass, amount] of Object.entries(wanted)) {
      const used = (held.get(id) ?? []).filter((row) => row.resource_class === resourceClass).reduce((sum, row) => sum + row.used, 0)
      if (used !== amount) find('allocation-wrong', id, `${resourceClass}: ${used} are claimed, the flavor has ${amount}`)
    }
  }
}

async function auditPorts(inventory: Inventory): Promise<void> {
  const { api, live, inMotion, find } = inventory
  const ports = await api.read.selectFrom('ports').selectAll().execute()
  const portIds = new Set(ports.map((port) => port.id))
  for (const port of ports) {
    if (port.device_id === null || inMotion.has(port.device_id)) continue
    const row = placed(inventory, port.device_id)
    if (row === null) find('port-orphan', port.id, `the port belongs to server ${port.device_id}, which is on no host`)
    else if (port.host !== row.host) find('port-elsewhere', port.id, `the port is bound to ${port.host}, its server is on ${row.host}`)
  }
  for (const address of await api.read.selectFrom('ip_allocations').selectAll().execute()) {
    if (!portIds.has(address.port_id))
      find('address-orphan', address.ip_address, `the address belongs to port ${address.port_id}, which is gone`)
  }
  for (const [id, places] of live) {
    if (inMotion.has(id)) continue
    for (const { row } of places) {
      for (const { portId } of instanceJson.networkInfo.parse(JSON.parse(row.network_info))) {
        if (!portIds.has(portId)) find('port-missing', id, `the server has port ${portId}, which is gone`)
      }
    }
  }
}

/** An unfinished operation needs a saga, an event on its way, or an unfinished child. */
async function auditOperations({ api, sagas, find }: Inventory, underway: ReadonlySet<string>): Promise<void> {
  const unfinished = (await api.read.selectFrom('operations').select(['id', 'kind', 'state', 'parent_id']).execute()).filter(
    (operation) => !finishedStates.includes(operation.state as OperationState),
  )
  const worked = new Set(sagas.map((saga) => saga.operation_id))
  const parents = new Set(unfinished.map((operation) => operation.parent_id))
  for (const { id, kind, state } of unfinished) {
    if (!worked.has(id) && !underway.has(id) && !parents.has(id)) find('operation-stuck', id, `${kind} is ${state} but nobody works on it`)
  }
}

async function auditTokens({ live, find }: Inventory, cells: readonly Cell[]): Promise<void> {
  for (const { database } of cells) {
    const tokens = await (database as Database<CellSchema>).read.selectFrom('console_auth_tokens').select('instance_uuid').execute()
    for (const token of tokens) {
      if (!live.has(token.instance_uuid)) find('console-token-left', token.instance_uuid, 'a console token of a server that is gone')
    }
  }
}
