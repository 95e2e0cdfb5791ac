/** Locks (A-ACT-29, A-GEN-4, D-ACT-32) and forced states (A-ACT-38, D-ACT-33). */
import { serverActions } from '@kilonova/contract/server-states'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud, until } from './cloud.testkit.js'
import { auditCloud, create, createActive, remove, serverInput, show, untilStatus } from './proof.testkit.js'

interface Locked {
  server: { locked: boolean; lockedReason: string | null; lockedBy: string | null; status: string }
  operation: { id: string; kind: string; state: string; progressPercent: number; steps: { name: string; result: string }[] }
}
const documentOf = (mutation: string) =>
  `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) {
    server { locked lockedReason lockedBy status } operation { id kind state progressPercent steps { name result } }
  } }`

describe.each(dialects)('locks on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  let member: TestClient
  let projectId: string
  let reader: TestClient
  let stranger: TestClient
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1 })
    imageId = await test.image()
    ;({ client: member, projectId } = await test.user('member'))
    ;({ client: reader } = await test.user('reader', projectId))
    ;({ client: stranger } = await test.user('member'))
  })
  afterAll(() => test?.destroy())

  const act = async (client: TestClient, mutation: string, input: object): Promise<Locked> => {
    const answer = await client.ask<Record<string, Locked>>(documentOf(mutation), { input })
    const done = answer[mutation]
    if (done === undefined) throw new Error(`no answer from ${mutation}`)
    return done
  }
  const refused = (client: TestClient, mutation: string, input: object) => client.refused(documentOf(mutation), { input })
  const eventsOf = async (type: string, serverId: string) =>
    (
      await test.cloud.plane.api.read
        .selectFrom('event_log')
        .select('position')
        .where('event_type', '=', type)
        .where('subject_id', '=', serverId)
        .execute()
    ).length

  it('A-ACT-29 locks with a reason and unlocks, each an operation with its step, and tells of it', async () => {
    const serverId = await createActive(member, serverInput(imageId, 'locked'))
    const locked = await act(member, 'lockServer', { serverId, reason: 'do not touch' })
    expect(locked.server).toMatchObject({ locked: true, lockedReason: 'do not touch', lockedBy: null, status: 'ACTIVE' })
    expect(locked.operation).toMatchObject({
      kind: 'LOCK',
      state: 'SUCCEEDED',
      progressPercent: 100,
      steps: [{ name: 'api_lock', result: 'SUCCESS' }],
    })
    const seen = await test.admin.ask<{ server: { lockedBy: string } }>('query ($id: ID!) { server(id: $id) { lockedBy } }', {
      id: serverId,
    })
    expect(seen.server.lockedBy).toBe('OWNER')
    // The owner's lock on a locked server changes nothing.
    expect((await act(member, 'lockServer', { serverId, reason: 'another' })).server.lockedReason).toBe('do not touch')
    const unlocked = await act(member, 'unlockServer', { serverId })
    expect(unlocked.server).toMatchObject({ locked: false, lockedReason: null })
    expect(unlocked.operation).toMatchObject({ kind: 'UNLOCK', state: 'SUCCEEDED', steps: [{ name: 'api_unlock' }] })
    await until(
      'the notifications',
      async () => [await eventsOf('instance.lock', serverId), await eventsOf('instance.unlock', serverId)],
      ([locks, unlocks]) => locks === 1 && unlocks === 1,
    )
    for (const reason of ['', 'x'.repeat(256)]) {
      expect(await refused(member, 'lockServer', { serverId, reason })).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.reason'] })
    }
    await remove(member, serverId)
  })

  it('A-GEN-4 refuses every lock-checked action of others with LOCKED, lets admins, and says so before', async () => {
    const serverId = await createActive(member, serverInput(imageId, 'guarded'))
    await act(member, 'lockServer', { serverId })
    const permissions = async (client: TestClient) => {
      const { server } = await client.ask<{ server: { allowedActions: { action: string; errorCode: string | null; reason: string }[] } }>(
        'query ($id: ID!) { server(id: $id) { allowedActions { action allowed errorCode reason } } }',
        { id: serverId },
      )
      return new Map(server.allowedActions.map((entry) => [entry.action, entry]))
    }
    const asMember = await permissions(member)
    const asAdmin = await permissions(test.admin)
    for (const [action, { lockChecked }] of Object.entries(serverActions)) {
      expect(asMember.get(action)?.errorCode === 'LOCKED', action).toBe(lockChecked)
      expect(asAdmin.get(action)?.errorCode, action).not.toBe('LOCKED')
    }
    expect(asMember.get('STOP')?.reason).toBe(`Instance ${serverId} is locked`)
    for (const [mutation, input] of [
      ['stopServer', {}],
      ['startServer', {}],
      ['rebootServer', {}],
      ['pauseServer', {}],
      ['unpauseServer', {}],
      ['suspendServer', {}],
      ['resumeServer', {}],
      ['setServerMetadata', { metadata: [] }],
      ['replaceServerMetadata', { metadata: [] }],
      ['deleteServerMetadata', { keys: ['a'] }],
      ['deleteServer', {}],
    ] as const) {
      const document = `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { __typename } }`
      expect(await member.refused(document, { input: { serverId, ...input } }), mutation).toMatchObject({
        code: 'LOCKED',
        exception: 'InstanceIsLocked',
      })
    }
    // Names, tags and the lock itself are not behind the lock.
    await member.ask('mutation ($id: ID!) { updateServer(input: { serverId: $id, name: "renamed" }) { server { id } } }', { id: serverId })
    await member.ask('mutation ($id: ID!) { addServerTags(input: { serverId: $id, tags: ["t"] }) { server { id } } }', { id: serverId })
    await test.admin.ask('mutation ($id: ID!) { stopServer(input: { serverId: $id }) { operation { id } } }', { id: serverId })
    await untilStatus(member, serverId, 'SHUTOFF')
    await remove(test.admin, serverId)
  })

  it('A-ACT-29 keeps an administrator’s lock from owners, who need the override', async () => {
    const serverId = await createActive(member, serverInput(imageId, 'held'))
    await act(member, 'lockServer', { serverId, reason: 'mine' })
    // An administrator takes the lock over.
    expect((await act(test.admin, 'lockServer', { serverId, reason: 'theirs' })).server).toMatchObject({
      lockedBy: 'ADMIN',
      lockedReason: 'theirs',
    })
    const denied = await refused(member, 'unlockServer', { serverId })
    expect(denied).toMatchObject({ code: 'FORBIDDEN' })
    expect(denied.message).toContain('unlock_override')
    const { server } = await member.ask<{ server: { allowedActions: { action: string; allowed: boolean; errorCode: string }[] } }>(
      'query ($id: ID!) { server(id: $id) { allowedActions { action allowed errorCode } } }',
      { id: serverId },
    )
    expect(server.allowedActions.find((entry) => entry.action === 'UNLOCK')).toMatchObject({ allowed: false, errorCode: 'FORBIDDEN' })
    await act(test.admin, 'unlockServer', { serverId })
    await act(member, 'lockServer', { serverId })
    expect((await act(test.admin, 'unlockServer', { serverId })).server.locked).toBe(false)
    await remove(member, serverId)
  })

  it('locks a server that waits for its build, and finds the locked ones', async () => {
    const { server } = await create(member, serverInput(imageId, 'slow-disk early'))
    await act(member, 'lockServer', { serverId: server.id, reason: 'early' })
    await untilStatus(member, server.id, 'ACTIVE')
    const seen = await member.ask<{ server: { locked: boolean } }>('query ($id: ID!) { server(id: $id) { locked } }', { id: server.id })
    expect(seen.server.locked).toBe(true)
    const find = async (client: TestClient, filter: object) =>
      (
        await client.ask<{ servers: { nodes: { id: string }[] } }>(
          'query ($filter: ServerFilter) { servers(filter: $filter, orderBy: [{ key: LOCKED }]) { nodes { id } } }',
          { filter },
        )
      ).servers.nodes.map(({ id }) => id)
    expect(await find(member, { locked: true })).toEqual([server.id])
    expect(await find(member, { locked: false })).toEqual([])
    expect(await find(test.admin, { lockedBy: 'OWNER', projectId })).toEqual([server.id])
    expect(await find(test.admin, { lockedBy: 'ADMIN', projectId })).toEqual([])
    const denied = await member.refused('{ servers(filter: { lockedBy: OWNER }) { nodes { id } } }')
    expect(denied.code).toBe('FORBIDDEN')
    await act(member, 'unlockServer', { serverId: server.id })
    await remove(member, server.id)
  })

  it('asks for the rule: readers may not lock, others see nothing', async () => {
    const serverId = await createActive(member, serverInput(imageId, 'ruled'))
    for (const mutation of ['lockServer', 'unlockServer', 'resetServerState']) {
      expect(await refused(reader, mutation, { serverId }), mutation).toMatchObject({ code: 'FORBIDDEN' })
      expect(await refused(stranger, mutation, { serverId }), mutation).toMatchObject({ code: 'NOT_FOUND' })
    }
    expect(await refused(member, 'resetServerState', { serverId }), 'admins only').toMatchObject({ code: 'FORBIDDEN' })
    const { operations } = await member.ask<{ operations: { nodes: { kind: string }[] } }>(
      'query ($id: ID!) { operations(filter: { serverId: $id, topLevelOnly: false }) { nodes { kind } } }',
      { id: serverId },
    )
    expect(
      operations.nodes.map(({ kind }) => kind),
      'refused actions leave no operation',
    ).toEqual(['CREATE'])
    await remove(member, serverId)
  })

  it('locks once under one retry key, also when the service was stopped before it answered', async () => {
    const serverId = await createActive(member, serverInput(imageId, 'once'))
    const input = { serverId, reason: 'first', idempotencyKey: `lock-${dialect}` }
    const first = await act(member, 'lockServer', input)
    await act(member, 'unlockServer', { serverId })
    await test.cloud.plane.api.transaction((trx) =>
      trx.updateTable('idempotency_keys').set({ state: 'pending' }).where('key', '=', input.idempotencyKey).execute(),
    )
    const again = await act(member, 'lockServer', input)
    expect(again.operation.id).toBe(first.operation.id)
    expect(again.server.locked, 'it is not locked a second time').toBe(false)
    await remove(member, serverId)
  })

  it('A-ACT-38 forces the state and clears the task, without touching the guest', async () => {
    const serverId = await createActive(member, serverInput(imageId, 'forced'))
    await act(member, 'lockServer', { serverId })
    const forced = await act(test.admin, 'resetServerState', { serverId })
    expect(forced.server.status).toBe('ERROR')
    expect(forced.operation).toMatchObject({ kind: 'RESET_STATE', state: 'SUCCEEDED' })
    expect((await act(test.admin, 'resetServerState', { serverId, state: 'ACTIVE' })).server.status).toBe('ACTIVE')
    expect(await show(member, serverId)).toMatchObject({ status: 'ACTIVE', taskState: null })
    const { server } = await create(member, serverInput(imageId, 'no host', { minCount: 1, flavorId: '0' }))
    await untilStatus(member, server.id, 'ACTIVE')
    await remove(member, server.id)
    await remove(test.admin, serverId)
    expect(await auditCloud(test)).toEqual([])
  })
})
