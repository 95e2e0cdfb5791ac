/** cancelOperation: what was begun is unwound, what cannot stop is refused, and both are known before (contract: operations). */
import type { WrapSaga } from '@kilonova/api/conductor/conductors'
import { powerStates } from '@kilonova/contract/server-states'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud, until } from './cloud.testkit.js'
import { auditCloud, create, createActive, fakeDriver, remove, serverInput, show, untilStatus } from './proof.testkit.js'

/** Holds sagas before a step until they are let go. */
class Gates {
  readonly #closed = new Map<string, { reached: () => void; open: Promise<void>; release: () => void }>()
  readonly #reached = new Map<string, Promise<void>>()

  readonly wrap: WrapSaga = (definition) => ({
    ...definition,
    steps: definition.steps.map((step) => ({
      ...step,
      action: async (run) => {
        const gate = this.#closed.get(`${definition.kind}.${step.name}`)
        if (gate !== undefined) {
          gate.reached()
          await gate.open
        }
        return step.action(run)
      },
    })),
  })

  close(name: string): void {
    let reached = (): void => {}
    let release = (): void => {}
    this.#reached.set(
      name,
      new Promise((resolve) => {
        reached = resolve
      }),
    )
    const open = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#closed.set(name, { reached, open, release })
  }

  async reached(name: string): Promise<void> {
    await this.#reached.get(name)
  }

  openAll(): void {
    for (const gate of this.#closed.values()) gate.release()
    this.#closed.clear()
  }
}

interface Seen {
  state: string
  cancellable: boolean
  error: { code: string; message: string } | null
}

describe.each(dialects)('cancelling on %s', (dialect) => {
  const gates = new Gates()
  let test: TestCloud
  let imageId: string
  let member: TestClient
  let projectId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1, wrapSaga: gates.wrap, config: { fake: { power_ms: 150 } } })
    imageId = await test.image()
    ;({ client: member, projectId } = await test.user('member'))
  })
  afterEach(() => gates.openAll())
  afterAll(() => test?.destroy())

  const look = async (id: string, client = member): Promise<Seen> =>
    (await client.ask<{ operation: Seen }>('query ($id: ID!) { operation(id: $id) { state cancellable error { code message } } }', { id }))
      .operation
  const cancelDocument = 'mutation ($input: CancelOperationInput!) { cancelOperation(input: $input) { operation { id state } } }'
  const cancel = (operationId: string, more: object = {}) => member.ask(cancelDocument, { input: { operationId, ...more } })
  const refusal = async (operationId: string, client = member) => client.refused(cancelDocument, { input: { operationId } })
  const ended = (id: string): Promise<Seen> =>
    until(
      'the end',
      () => look(id),
      ({ state }) => !['QUEUED', 'RUNNING'].includes(state),
    )
  const begin = async (mutation: string, id: string, more = ''): Promise<string> => {
    const answer = await member.ask<Record<string, { operation: { id: string } }>>(
      `mutation ($id: ID!) { ${mutation}(input: { serverId: $id${more} }) { operation { id } } }`,
      { id },
    )
    return answer[mutation]?.operation.id ?? ''
  }
  const cancelled = { state: 'CANCELLED', cancellable: false, error: { code: 'CANCELLED', message: 'Cancelled by request.' } }

  it.each([
    ['pause', 'ACTIVE', powerStates.RUNNING, null],
    ['suspend', 'ACTIVE', powerStates.RUNNING, null],
    ['unpause', 'PAUSED', powerStates.PAUSED, 'pauseServer'],
    ['resume', 'SUSPENDED', powerStates.SHUTDOWN, 'suspendServer'],
  ] as const)('takes back a %s while the host works on it', async (action, status, power, first) => {
    const id = await createActive(member, serverInput(imageId, 'taken back'))
    if (first !== null) await ended(await begin(first, id))
    const operationId = await begin(`${action}Server`, id)
    expect(await look(operationId)).toMatchObject({ state: 'RUNNING', cancellable: true, error: null })
    await cancel(operationId)
    expect(await ended(operationId)).toEqual(cancelled)
    expect(await show(member, id)).toMatchObject({ status, taskState: null, fault: null })
    expect(await fakeDriver(test, 'fake-001').powerState(id)).toBe(power)
    expect((await refusal(operationId)).code).toBe('NOT_CANCELLABLE')
    await remove(member, id)
    expect(await auditCloud(test)).toEqual([])
  })

  it.each([
    ['stopServer', 'stop.stop', '', 'ACTIVE'],
    ['rebootServer', 'reboot_hard.reboot', ', type: HARD', 'ACTIVE'],
  ] as const)('%s can be stopped before the host was asked, and not after', async (mutation, gate, more, status) => {
    const id = await createActive(member, serverInput(imageId, 'unasked'))
    gates.close(gate)
    const early = await begin(mutation, id, more)
    await gates.reached(gate)
    expect(await look(early)).toMatchObject({ cancellable: true })
    await cancel(early)
    gates.openAll()
    expect(await ended(early)).toEqual(cancelled)
    expect(await show(member, id)).toMatchObject({ status, taskState: null })
    const late = await begin(mutation, id, more)
    await until(
      'the host to be asked',
      () => look(late),
      ({ cancellable }) => !cancellable,
    )
    if ((await look(late)).state === 'RUNNING') {
      expect(await refusal(late)).toMatchObject({ code: 'NOT_CANCELLABLE', exception: 'OperationNotCancellable' })
    }
    expect((await ended(late)).state).toBe('SUCCEEDED')
    await remove(member, id)
  })

  it('never takes back a delete', async () => {
    const id = await createActive(member, serverInput(imageId, 'doomed'))
    gates.close('delete.terminate')
    const operationId = await begin('deleteServer', id)
    await gates.reached('delete.terminate')
    expect(await look(operationId)).toMatchObject({ cancellable: false })
    expect((await refusal(operationId)).code).toBe('NOT_CANCELLABLE')
    gates.openAll()
    expect((await ended(operationId)).state).toBe('SUCCEEDED')
  })

  it.each(['build.schedule', 'build.create_in_cell', 'build_on_host.allocate_network', 'build_on_host.spawn'])(
    'stops a build at %s: the server is in ERROR without a host, and nothing is left',
    async (gate) => {
      gates.close(gate)
      const { server, operation } = await create(member, serverInput(imageId, 'stopped build'))
      await gates.reached(gate)
      expect(await look(operation.id)).toMatchObject({ cancellable: true })
      await cancel(operation.id)
      gates.openAll()
      expect(await ended(operation.id)).toEqual(cancelled)
      const stopped = await untilStatus(test.admin, server.id, 'ERROR')
      expect(stopped).toMatchObject({ host: null, fault: { errorCode: 'CANCELLED', message: 'Cancelled by request.' } })
      expect(await auditCloud(test)).toEqual([])
      await remove(member, server.id)
      expect(await auditCloud(test)).toEqual([])
    },
  )

  it('waits for a build that moves into its cell, and stops it there', async () => {
    gates.close('build.begin_build')
    const { server, operation } = await create(member, serverInput(imageId, 'moving build'))
    await gates.reached('build.begin_build')
    gates.close('build_on_host.allocate_network')
    const asked = cancel(operation.id)
    await new Promise((resolve) => setImmediate(resolve))
    gates.openAll()
    // It may also have got through in between.
    await asked.catch(() => undefined)
    const { state } = await ended(operation.id)
    expect(['CANCELLED', 'SUCCEEDED']).toContain(state)
    await untilStatus(member, server.id, state === 'CANCELLED' ? 'ERROR' : 'ACTIVE')
    await remove(member, server.id)
  })

  it('A-ACT-39 keeps what an owner changes while the build takes the server into its cell', async () => {
    gates.close('build.map_instance')
    const { server } = await create(member, serverInput(imageId, 'renamed late'))
    await gates.reached('build.map_instance')
    await member.ask('mutation ($id: ID!) { updateServer(input: { serverId: $id, name: "late name" }) { server { id } } }', {
      id: server.id,
    })
    await member.ask('mutation ($id: ID!) { lockServer(input: { serverId: $id, reason: "late" }) { server { id } } }', { id: server.id })
    gates.openAll()
    await untilStatus(member, server.id, 'ACTIVE')
    const seen = await member.ask<{ server: { name: string; lockedReason: string } }>(
      'query ($id: ID!) { server(id: $id) { name lockedReason } }',
      { id: server.id },
    )
    expect(seen.server).toEqual({ name: 'late name', lockedReason: 'late' })
    await remove(test.admin, server.id)
  })

  it('passes the wish of a parent on to the children that can stop', async () => {
    gates.close('build_on_host.spawn')
    const made = await create(member, serverInput(imageId, 'family', { minCount: 3 }))
    await gates.reached('build_on_host.spawn')
    expect(await look(made.operation.id)).toMatchObject({ state: 'RUNNING', cancellable: true })
    await cancel(made.operation.id)
    gates.openAll()
    const { state } = await ended(made.operation.id)
    expect(['CANCELLED', 'SUCCEEDED']).toContain(state)
    const { operation } = await member.ask<{ operation: { children: { nodes: { state: string }[] } } }>(
      'query ($id: ID!) { operation(id: $id) { children { nodes { state } } } }',
      { id: made.operation.id },
    )
    expect(operation.children.nodes.map((child) => child.state)).toContain('CANCELLED')
    for (const { id } of made.servers) await remove(member, id)
    const ids = [await createActive(member, serverInput(imageId, 'one')), await createActive(member, serverInput(imageId, 'two'))]
    const { bulkServerAction } = await member.ask<{ bulkServerAction: { operation: { id: string } } }>(
      'mutation ($ids: [ID!]!) { bulkServerAction(input: { serverIds: $ids, action: PAUSE }) { operation { id } } }',
      { ids },
    )
    await cancel(bulkServerAction.operation.id)
    expect(await ended(bulkServerAction.operation.id)).toEqual(cancelled)
    expect((await refusal(bulkServerAction.operation.id)).code).toBe('NOT_CANCELLABLE')
    for (const id of ids) {
      expect(await show(member, id)).toMatchObject({ status: 'ACTIVE', taskState: null })
      await remove(member, id)
    }
    expect(await auditCloud(test)).toEqual([])
  })

  it('stops the check of an image before it is stored', async () => {
    const { createImage } = await test.admin.ask<{ createImage: { image: { id: string } } }>(
      'mutation { createImage(input: { name: "stopped", diskFormat: RAW }) { image { id } } }',
    )
    gates.close('import_image.verify')
    const operationId = await test.upload(createImage.image.id, Buffer.alloc(4096, 'x'))
    await gates.reached('import_image.verify')
    expect(await look(operationId, test.admin)).toMatchObject({ cancellable: true })
    await test.admin.ask(cancelDocument, { input: { operationId } })
    gates.openAll()
    const seen = await until(
      'the end',
      () => look(operationId, test.admin),
      ({ state }) => state !== 'RUNNING',
    )
    expect(seen).toEqual(cancelled)
    const { image } = await test.admin.ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', {
      id: createImage.image.id,
    })
    expect(image.status).toBe('QUEUED')
  })

  it('is for members of the project: readers may not, others know of nothing', async () => {
    const { client: reader } = await test.user('reader', projectId)
    const { client: stranger } = await test.user('member')
    const id = await createActive(member, serverInput(imageId, 'watched'))
    const operationId = await begin('pauseServer', id)
    expect(await look(operationId, reader)).toMatchObject({ cancellable: false })
    expect((await refusal(operationId, reader)).code).toBe('FORBIDDEN')
    expect((await refusal(operationId, stranger)).code).toBe('NOT_FOUND')
    expect((await refusal('00000000-0000-4000-8000-000000000000')).code).toBe('NOT_FOUND')
    expect((await ended(operationId)).state).toBe('SUCCEEDED')
    await remove(member, id)
  })

  it('answers the same to the same retry key, also after the end', async () => {
    const id = await createActive(member, serverInput(imageId, 'twice'))
    const operationId = await begin('suspendServer', id)
    const key = { idempotencyKey: `cancel-${dialect}` }
    await cancel(operationId, key)
    await cancel(operationId, key)
    expect(await ended(operationId)).toEqual(cancelled)
    await test.cloud.plane.api.transaction((trx) =>
      trx.updateTable('idempotency_keys').set({ state: 'pending' }).where('key', '=', key.idempotencyKey).execute(),
    )
    await cancel(operationId, key)
    await remove(member, id)
  })

  it('lists operations by kind, state, server and time', async () => {
    const id = await createActive(member, serverInput(imageId, 'listed'))
    const operationId = await begin('pauseServer', id)
    await cancel(operationId)
    await ended(operationId)
    const find = async (filter: object) =>
      (
        await member.ask<{ operations: { nodes: { id: string; kind: string; state: string }[] } }>(
          'query ($filter: OperationFilter!) { operations(filter: $filter) { nodes { id kind state } } }',
          { filter },
        )
      ).operations.nodes
    expect(await find({ serverId: id, kinds: ['PAUSE'] })).toEqual([{ id: operationId, kind: 'PAUSE', state: 'CANCELLED' }])
    expect(await find({ serverId: id, states: ['CANCELLED'] })).toMatchObject([{ id: operationId }])
    expect(await find({ serverId: id, kinds: [] })).toEqual([])
    expect(await find({ serverId: id, states: [] })).toEqual([])
    expect((await find({ serverId: id, kinds: ['CREATE', 'PAUSE'] })).map(({ kind }) => kind)).toEqual(['PAUSE', 'CREATE'])
    const hour = 3600_000
    const at = (offset: number): string => new Date(Date.now() + offset).toISOString()
    expect(await find({ serverId: id, changedSince: at(hour) })).toEqual([])
    expect(await find({ serverId: id, changedSince: at(-hour), changedBefore: at(hour), kinds: ['PAUSE'] })).toHaveLength(1)
    const refused = await member.refused('query ($filter: OperationFilter!) { operations(filter: $filter) { totalCount } }', {
      filter: { changedSince: at(hour), changedBefore: at(-hour) },
    })
    expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['filter.changedBefore'] })
    for (const filter of [{ allProjects: true }, { projectId: 'other' }]) {
      const denied = await member.refused('query ($filter: OperationFilter!) { operations(filter: $filter) { totalCount } }', { filter })
      expect(denied.code).toBe('FORBIDDEN')
    }
    await remove(member, id)
  })
})
