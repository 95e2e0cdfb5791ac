/** Compute services: what administrators see of them, and how they take hosts out of use and away. */
import { randomUUID } from 'node:crypto'
import { cell0Id } from '@kilonova/api/cells/cells.service'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { dialects, TestClient, TestCloud, until } from './cloud.testkit.js'
import { auditCloud, create, createActive, fakeDriver, remove, serverInput, show, untilStatus } from './proof.testkit.js'

const updateDocument =
  'mutation ($input: UpdateComputeServiceInput!) { updateComputeService(input: $input) { service { id status state disabledReason forcedDown generation } } }'
const deleteDocument = 'mutation ($input: DeleteComputeServiceInput!) { deleteComputeService(input: $input) { deletedId } }'
const unknown = '99999999-9999-4999-8999-999999999999'

interface Service {
  id: string
  host: string
  binary: string
  zone: string | null
  status: string
  state: string | null
  disabledReason: string | null
  forcedDown: boolean | null
  version: number | null
  generation: number
  hypervisors: { id: string; hypervisorHostname: string }[]
}
interface List {
  totalCount: number
  isPartial: boolean
  pageInfo: { hasNextPage: boolean; endCursor: string | null }
  nodes: Service[]
}

describe.each(dialects)('compute services on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  let member: { client: TestClient; projectId: string }

  const list = async (variables: Record<string, unknown> = {}): Promise<List> => {
    const answer = await test.admin.ask<{ computeServices: List }>(
      `query ($first: Int, $after: String, $filter: ComputeServiceFilter, $orderBy: [ResourceOrder!]) {
        computeServices(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
          totalCount isPartial pageInfo { hasNextPage endCursor }
          nodes { id host binary zone status state disabledReason forcedDown version generation hypervisors { id hypervisorHostname } }
        }
      }`,
      variables,
    )
    return answer.computeServices
  }
  const hosts = async (filter: Record<string, unknown>): Promise<string[]> => (await list({ filter })).nodes.map((node) => node.host)
  const serviceOf = async (host: string): Promise<Service> => {
    const [service] = (await list({ filter: { host, binary: 'COMPUTE' } })).nodes
    if (service === undefined) throw new Error(`no service on ${host}`)
    return service
  }
  const update = async (host: string, change: Record<string, unknown>): Promise<Service> => {
    const input = { serviceId: (await serviceOf(host)).id, ...change }
    return (await test.admin.ask<{ updateComputeService: { service: Service } }>(updateDocument, { input })).updateComputeService.service
  }
  const cellDatabase = async () => {
    const [cell] = await test.cloud.plane.cells.withHosts()
    if (cell === undefined) throw new Error('no cell')
    return cell.database
  }
  const traitsOf = async (host: string): Promise<string[]> => {
    const { api } = test.cloud.plane
    const [node] = (await serviceOf(host)).hypervisors
    const rows = await api.read
      .selectFrom('provider_traits')
      .select('trait')
      .where('provider_uuid', '=', node?.id ?? '')
      .execute()
    return rows.map((row) => row.trait)
  }
  /** A program without an agent, as an older version may have left one. */
  const plantService = async (binary: string, host: string): Promise<string> => {
    const database = await cellDatabase()
    const id = randomUUID()
    const { now } = database
    await database.transaction((trx) =>
      trx.insertInto('services').values({ id, binary, host, version: 1, last_seen_at: 0, created_at: now, updated_at: now }).execute(),
    )
    return id
  }
  const agentOf = (host: string) => {
    const agent = test.cloud.agents.find((candidate) => candidate.host === host)
    if (agent === undefined) throw new Error(`no agent ${host}`)
    return agent
  }

  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    member = await test.user('member')
    imageId = await test.image()
  })
  afterEach(() => vi.restoreAllMocks())
  afterAll(() => test?.destroy())

  it('D-SVC-1: lists services with their state, filtered, sorted and in pages', async () => {
    const all = await list({ orderBy: [{ key: 'NAME', direction: 'DESC' }] })
    expect(all.nodes.map((node) => node.host)).toEqual(['fake-003', 'fake-002', 'fake-001'])
    expect(all.nodes[0]).toMatchObject({
      binary: 'COMPUTE',
      zone: 'nova',
      status: 'ENABLED',
      state: 'UP',
      disabledReason: null,
      forcedDown: false,
      hypervisors: [{ hypervisorHostname: 'fake-003' }],
    })
    const first = await list({ first: 2 })
    expect(first).toMatchObject({ totalCount: 3, isPartial: false, pageInfo: { hasNextPage: true } })
    const second = await list({ first: 2, after: first.pageInfo.endCursor })
    expect([...first.nodes, ...second.nodes].map((node) => node.host)).toEqual(['fake-001', 'fake-002', 'fake-003'])
    expect(second.pageInfo.hasNextPage).toBe(false)
    await update('fake-002', { status: 'DISABLED', disabledReason: 'new memory' })
    await update('fake-003', { forcedDown: true })
    expect(await hosts({ status: ['DISABLED'] })).toEqual(['fake-002'])
    expect(await hosts({ status: ['ENABLED', 'DISABLED'] })).toHaveLength(3)
    expect(await hosts({ state: 'DOWN' })).toEqual(['fake-003'])
    expect(await hosts({ forcedDown: false })).toEqual(['fake-001', 'fake-002'])
    expect(await hosts({ zone: 'internal' })).toEqual([])
    expect(await hosts({ binary: 'CONDUCTOR' })).toEqual([])
    expect(await hosts({ host: 'fake-00' })).toEqual([])
    await update('fake-002', { status: 'ENABLED' })
    await update('fake-003', { forcedDown: false })
    const { id } = await serviceOf('fake-001')
    const one = 'query ($id: ID!) { computeService(id: $id) { id host lastSeenAt updatedAt } }'
    expect(await test.admin.ask(one, { id })).toMatchObject({ computeService: { id, host: 'fake-001' } })
    expect(await test.admin.ask(one, { id: unknown })).toEqual({ computeService: null })
  })

  it('A-MV-69: services of a cell that does not answer are listed as unknown', async () => {
    const { cells } = test.cloud.plane
    const before = await serviceOf('fake-001')
    vi.spyOn(cells, 'scatter').mockImplementation(async (asked) => ({
      answers: [],
      missing: asked.map((cell) => cell.id).filter((id) => id !== cell0Id),
    }))
    const { isPartial, nodes } = await list({ filter: { status: ['UNKNOWN'] } })
    expect(isPartial).toBe(true)
    expect(nodes.map((node) => node.host)).toEqual(['fake-001', 'fake-002', 'fake-003'])
    expect(nodes[0]).toMatchObject({ binary: 'COMPUTE', state: null, forcedDown: null, version: null, status: 'UNKNOWN', hypervisors: [] })
    expect(await hosts({ state: 'DOWN' })).toEqual([])
    expect((await list()).nodes.map((node) => node.id)).toEqual(nodes.map((node) => node.id))
    for (const serviceId of [before.id, nodes[0]?.id]) {
      const input = { serviceId, status: 'DISABLED' }
      expect(await test.admin.refused(updateDocument, { input })).toMatchObject({ code: 'CELL_UNAVAILABLE' })
      expect(await test.admin.refused(deleteDocument, { input: { serviceId } })).toMatchObject({ code: 'CELL_UNAVAILABLE' })
    }
  })

  it.each([
    ['disabledReason', { status: 'DISABLED', disabledReason: '' }],
    ['disabledReason', { status: 'DISABLED', disabledReason: 'r'.repeat(256) }],
    ['disabledReason', { status: 'DISABLED', disabledReason: 'a\u0007b' }],
    ['disabledReason', { status: 'ENABLED', disabledReason: 'why' }],
    ['disabledReason', { forcedDown: true, disabledReason: 'why' }],
    ['status', {}],
    ['status', { status: null, forcedDown: null }],
    ['status', { status: 'UNKNOWN' }],
  ])('D-SVC-2: a bad %s is named, and nothing changes: %j', async (field, wrong) => {
    const before = await serviceOf('fake-001')
    const refusal = await test.admin.refused(updateDocument, { input: { serviceId: before.id, ...wrong } })
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', exception: 'ValidationError', fields: [`input.${field}`] })
    expect(await serviceOf('fake-001')).toEqual(before)
  })

  it('D-SVC-2: other programs cannot be changed, what is not there is not found, and both are for administrators', async () => {
    const conductorId = await plantService('nova-conductor', 'fake-001')
    expect(await hosts({ binary: 'CONDUCTOR', zone: 'internal', state: 'DOWN' })).toEqual(['fake-001'])
    const change = { status: 'DISABLED' }
    expect(await test.admin.refused(updateDocument, { input: { serviceId: conductorId, ...change } })).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: ['input.serviceId'],
    })
    expect(await test.admin.refused(updateDocument, { input: { serviceId: unknown, ...change } })).toMatchObject({
      code: 'NOT_FOUND',
      exception: 'ServiceNotFound',
    })
    expect(await test.admin.refused(deleteDocument, { input: { serviceId: unknown } })).toMatchObject({
      code: 'NOT_FOUND',
      exception: 'ServiceNotFound',
    })
    for (const document of [updateDocument, deleteDocument]) {
      const input = { serviceId: conductorId, ...(document === updateDocument ? change : {}) }
      expect(await member.client.refused(document, { input })).toMatchObject({ code: 'FORBIDDEN' })
    }
    // Its record goes; the host it was on stays.
    expect(await test.admin.ask(deleteDocument, { input: { serviceId: conductorId } })).toEqual({
      deleteComputeService: { deletedId: conductorId },
    })
    expect(await serviceOf('fake-001')).toMatchObject({ state: 'UP', hypervisors: [{ hypervisorHostname: 'fake-001' }] })
    expect(await hosts({ binary: 'CONDUCTOR' })).toEqual([])
  })

  it('D-SVC-2: the reason stands until the service is enabled, and generations guard the change', async () => {
    const disabled = await update('fake-001', { status: 'DISABLED', disabledReason: 'broken fan' })
    expect(disabled).toMatchObject({ status: 'DISABLED', disabledReason: 'broken fan', state: 'UP' })
    expect(await update('fake-001', { status: 'DISABLED' })).toMatchObject({ disabledReason: 'broken fan' })
    const stale = { serviceId: disabled.id, status: 'ENABLED', expectedGeneration: disabled.generation }
    expect(await test.admin.refused(updateDocument, { input: stale })).toMatchObject({ code: 'GENERATION_MISMATCH' })
    const enabled = await update('fake-001', { status: 'ENABLED', expectedGeneration: disabled.generation + 1 })
    expect(enabled).toMatchObject({ status: 'ENABLED', disabledReason: null, generation: disabled.generation + 2 })
  })

  it('a retry with its key changes nothing twice, and another input is refused', async () => {
    const { id, generation } = await serviceOf('fake-001')
    const input = { serviceId: id, status: 'DISABLED', expectedGeneration: generation, idempotencyKey: 'disable-once' }
    const ask = () => test.admin.ask<{ updateComputeService: { service: Service } }>(updateDocument, { input })
    const first = await ask()
    expect(await ask()).toEqual(first)
    // As after a crash between the change and the note that it is done.
    const { api } = test.cloud.plane
    await api.transaction((trx) =>
      trx.updateTable('idempotency_keys').set({ state: 'pending' }).where('key', '=', 'disable-once').execute(),
    )
    expect(await ask()).toEqual(first)
    expect(await test.admin.refused(updateDocument, { input: { ...input, status: 'ENABLED' } })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    })
    await update('fake-001', { status: 'ENABLED' })
  })

  it('D-SVC-3: a disabled host gets no new servers and keeps those it has', async () => {
    const id = await createActive(member.client, serverInput(imageId, 'stays', { networks: { mode: 'NONE' } }))
    const host = (await show(test.admin, id))?.host ?? ''
    await update(host, { status: 'DISABLED', disabledReason: 'maintenance' })
    expect(await traitsOf(host)).toContain('COMPUTE_STATUS_DISABLED')
    for (const name of ['a', 'b', 'c', 'd']) {
      const other = await createActive(member.client, serverInput(imageId, name, { networks: { mode: 'NONE' } }))
      expect((await show(test.admin, other))?.host).not.toBe(host)
      await remove(member.client, other)
    }
    const forced = await create(test.admin, serverInput(imageId, 'forced', { host, networks: { mode: 'NONE' } }))
    expect(await untilStatus(test.admin, forced.server.id, 'ERROR')).toMatchObject({ fault: { errorCode: 'NO_VALID_HOST' } })
    await remove(test.admin, forced.server.id)
    expect(await show(member.client, id)).toMatchObject({ status: 'ACTIVE' })
    await update(host, { status: 'ENABLED' })
    expect(await traitsOf(host)).not.toContain('COMPUTE_STATUS_DISABLED')
    const back = await createActive(test.admin, serverInput(imageId, 'back', { host, networks: { mode: 'NONE' } }))
    await remove(test.admin, back)
    await remove(member.client, id)
  })

  it('D-SVC-3: a trait that a crash has lost or left is mended when the agent starts', async () => {
    const { api } = test.cloud.plane
    await update('fake-001', { status: 'DISABLED' })
    const lost = (await serviceOf('fake-001')).hypervisors[0]?.id ?? ''
    const left = (await serviceOf('fake-002')).hypervisors[0]?.id ?? ''
    const trait = 'COMPUTE_STATUS_DISABLED'
    await api.transaction(async (trx) => {
      await trx.deleteFrom('provider_traits').where('provider_uuid', '=', lost).where('trait', '=', trait).execute()
      await trx.insertInto('provider_traits').values({ provider_uuid: left, trait }).execute()
    })
    await test.close()
    await test.open()
    member.client = new TestClient(test.url, member.client.token)
    expect(await traitsOf('fake-001')).toContain(trait)
    expect(await traitsOf('fake-002')).not.toContain(trait)
    expect(await serviceOf('fake-001')).toMatchObject({ status: 'DISABLED' })
    await update('fake-001', { status: 'ENABLED' })
  })

  it('D-SVC-3: what is declared down is down at once, whatever its heartbeats say, until that is withdrawn', async () => {
    expect(await update('fake-001', { forcedDown: true })).toMatchObject({ state: 'DOWN', status: 'ENABLED', forcedDown: true })
    const { hypervisors } = await test.admin.ask<{ hypervisors: { nodes: { state: string; uptime: string | null }[] } }>(
      '{ hypervisors(filter: { host: "fake-001" }) { nodes { state uptime } } }',
    )
    expect(hypervisors.nodes).toEqual([{ state: 'DOWN', uptime: null }])
    const forced = await create(test.admin, serverInput(imageId, 'none', { host: 'fake-001', networks: { mode: 'NONE' } }))
    await untilStatus(test.admin, forced.server.id, 'ERROR')
    await remove(test.admin, forced.server.id)
    expect(await update('fake-001', { forcedDown: false })).toMatchObject({ state: 'UP', forcedDown: false })
  })

  it('tells of changes by events of no project, with what is in force', async () => {
    const { api } = test.cloud.plane
    const { id } = await update('fake-003', { status: 'DISABLED', disabledReason: 'told' })
    const [event] = await until(
      'the event',
      async () =>
        (await api.read.selectFrom('event_log').selectAll().where('event_type', '=', 'service.update').execute()).filter(
          (row) => row.subject_id === id && row.payload.includes('told'),
        ),
      (rows) => rows.length > 0,
    )
    expect(event).toMatchObject({ subject: 'SERVICE', project_id: null })
    expect(event?.request_id).toMatch(/^req-/)
    expect(JSON.parse(event?.payload ?? '')).toMatchObject({
      data: { host: 'fake-003', binary: 'nova-compute', disabled: true, disabled_reason: 'told', forced_down: false },
    })
    await update('fake-003', { status: 'ENABLED' })
  })

  it('D-SVC-4: a host with servers, or with builds on the way to it, cannot be removed', async () => {
    const { id: serviceId } = await serviceOf('fake-003')
    const options = { host: 'fake-003', networks: { mode: 'NONE' } }
    const id = await createActive(test.admin, serverInput(imageId, 'in-the-way', options))
    const input = { serviceId }
    const refusal = await test.admin.refused(deleteDocument, { input })
    expect(refusal).toMatchObject({ code: 'IN_USE', exception: 'HTTPConflict', fields: ['input.serviceId'] })
    expect(refusal.message).toContain('1 server')
    await remove(test.admin, id)
    const driver = fakeDriver(test, 'fake-003')
    const prepare = driver.prepareDisks.bind(driver)
    let goOn = (): void => {}
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    vi.spyOn(driver, 'prepareDisks').mockImplementation(async (...args) => {
      await held
      return prepare(...args)
    })
    const { server } = await create(test.admin, serverInput(imageId, 'coming', options))
    const { services, api } = test.cloud.plane
    await until(
      'the claim',
      () => services.placement.allocationsOf(server.id),
      (claims) => claims.length > 0,
    )
    expect(await test.admin.refused(deleteDocument, { input })).toMatchObject({ code: 'IN_USE', exception: 'HTTPConflict' })
    expect(await api.read.selectFrom('host_mappings').select('host').where('host', '=', 'fake-003').execute()).toHaveLength(1)
    goOn()
    await untilStatus(test.admin, server.id, 'ACTIVE')
    await remove(test.admin, server.id)
    expect(await serviceOf('fake-003')).toMatchObject({ id: serviceId, state: 'UP' })
  })

  it('D-SVC-4: removes a retired host with its node, mapping, provider and the claims of servers that are gone', async () => {
    const { services, api } = test.cloud.plane
    const { id: serviceId, hypervisors } = await serviceOf('fake-003')
    const nodeId = hypervisors[0]?.id ?? ''
    await agentOf('fake-003').stop()
    // Left by a server that a restored database does not know any more.
    expect(await services.placement.claim({ id: unknown, projectId: member.projectId, userId: 'gone' }, nodeId, { VCPU: 1 })).toBe(true)
    const input = { serviceId, idempotencyKey: 'remove-once' }
    const ask = () => test.admin.ask(deleteDocument, { input })
    expect(await ask()).toEqual({ deleteComputeService: { deletedId: serviceId } })
    expect(await ask()).toEqual({ deleteComputeService: { deletedId: serviceId } })
    // Cut short before it was noted as done: the retry finds all of it gone.
    await api.transaction((trx) => trx.updateTable('idempotency_keys').set({ state: 'pending' }).where('key', '=', 'remove-once').execute())
    expect(await ask()).toEqual({ deleteComputeService: { deletedId: serviceId } })
    expect(await test.admin.refused(deleteDocument, { input: { serviceId } })).toMatchObject({ code: 'NOT_FOUND' })
    expect(await hosts({})).toEqual(['fake-001', 'fake-002'])
    expect(await api.read.selectFrom('host_mappings').select('host').where('host', '=', 'fake-003').execute()).toEqual([])
    expect(await services.placement.allocationsOf(unknown)).toEqual([])
    expect(await api.read.selectFrom('consumers').select('uuid').where('uuid', '=', unknown).execute()).toEqual([])
    for (const table of ['inventories', 'provider_traits', 'allocations'] as const) {
      expect(await api.read.selectFrom(table).select('provider_uuid').where('provider_uuid', '=', nodeId).execute()).toEqual([])
    }
    expect(await api.read.selectFrom('resource_providers').select('uuid').where('uuid', '=', nodeId).execute()).toEqual([])
    const database = await cellDatabase()
    expect(await database.read.selectFrom('compute_nodes').select('uuid').where('host', '=', 'fake-003').execute()).toEqual([])
    expect(await services.placement.claim({ id: randomUUID(), projectId: 'p', userId: 'u' }, nodeId, { VCPU: 1 })).toBe(false)
    expect(await auditCloud(test)).toEqual([])
  })

  it('D-SVC-4: a host that was removed comes back when its agent starts again', async () => {
    await test.close()
    await test.open()
    await until(
      'the host',
      () =>
        serviceOf('fake-003').then(
          ({ state, hypervisors }) => `${state} ${hypervisors.length}`,
          () => 'not there',
        ),
      (seen) => seen === 'UP 1',
    )
    const id = await createActive(test.admin, serverInput(imageId, 'again', { host: 'fake-003', networks: { mode: 'NONE' } }))
    await remove(test.admin, id)
    expect(await auditCloud(test)).toEqual([])
  })
})
