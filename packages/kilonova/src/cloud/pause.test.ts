/** Pause, unpause, suspend, resume (D-ACT-10…13, D-ACT-52, D-ACT-54, A-ACT-9, A-ACT-10) and how their states are kept in step (D-SYN-1). */
import { type PowerState, powerStates } from '@kilonova/contract/server-states'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud, until } from './cloud.testkit.js'
import { cell1Id } from './deployment.js'
import { auditCloud, createActive, fakeDriver, remove, serverInput, settled, show, untilStatus } from './proof.testkit.js'

interface SeenOperation {
  id: string
  kind: string
  state: string
  error: { code: string; exception: string | null } | null
  steps: { name: string; result: string | null; host: string | null }[]
}

describe.each(dialects)('pause and suspend on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1, config: { fake: { power_ms: 50 } } })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  const documentOf = (mutation: string) =>
    `mutation ($input: ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input!) { ${mutation}(input: $input) { server { status taskState } operation { id } } }`
  const begin = async (mutation: string, serverId: string, more: object = {}) => {
    const answer = await test.admin.ask<Record<string, { server: { taskState: string }; operation: { id: string } }>>(
      documentOf(mutation),
      { input: { serverId, ...more } },
    )
    const begun = answer[mutation]
    if (begun === undefined) throw new Error(`no answer from ${mutation}`)
    return begun
  }
  const ended = async (id: string): Promise<SeenOperation> => {
    const { operation } = await until(
      'the end of the operation',
      () =>
        test.admin.ask<{ operation: SeenOperation }>(
          'query ($id: ID!) { operation(id: $id) { id kind state error { code exception } steps { name result host } } }',
          { id },
        ),
      ({ operation: { state } }) => !['QUEUED', 'RUNNING'].includes(state),
    )
    return operation
  }
  const done = async (mutation: string, serverId: string): Promise<SeenOperation> => ended((await begin(mutation, serverId)).operation.id)
  const powerOf = async (id: string) =>
    (await test.admin.ask<{ server: { powerState: string } }>('query ($id: ID!) { server(id: $id) { powerState } }', { id })).server
      .powerState
  const guest = (id: string): Promise<PowerState> => fakeDriver(test, 'fake-001').powerState(id)
  const eventTypes = async (id: string): Promise<string[]> => {
    await settled(test)
    const rows = await test.cloud.plane.api.read
      .selectFrom('event_log')
      .select('event_type')
      .where('subject_id', '=', id)
      .where('event_type', '!=', 'instance.update')
      .orderBy('position')
      .execute()
    return rows.map((row) => row.event_type)
  }

  it.each([
    ['pause', 'PAUSING', 'PAUSED', 'PAUSED', 'unpause', 'UNPAUSING'],
    ['suspend', 'SUSPENDING', 'SUSPENDED', 'SHUTDOWN', 'resume', 'RESUMING'],
  ] as const)('D-ACT: %s and back, with task states, steps and events', async (there, task, status, power, back, backTask) => {
    const id = await createActive(test.admin, serverInput(imageId, there))
    const begun = await begin(`${there}Server`, id)
    expect(begun.server.taskState).toBe(task)
    expect(await ended(begun.operation.id)).toMatchObject({
      kind: there.toUpperCase(),
      state: 'SUCCEEDED',
      error: null,
      steps: [{ name: `compute_${there}_instance`, result: 'SUCCESS', host: 'fake-001' }],
    })
    expect(await show(test.admin, id)).toMatchObject({ status, taskState: null })
    expect(await powerOf(id)).toBe(power)
    expect(await guest(id)).toBe(powerStates[power])
    const returned = await begin(`${back}Server`, id)
    expect(returned.server.taskState).toBe(backTask)
    expect(await ended(returned.operation.id)).toMatchObject({
      kind: back.toUpperCase(),
      state: 'SUCCEEDED',
      steps: [{ name: `compute_${back}_instance`, result: 'SUCCESS' }],
    })
    expect(await show(test.admin, id)).toMatchObject({ status: 'ACTIVE', taskState: null })
    expect(await guest(id)).toBe(powerStates.RUNNING)
    expect((await eventTypes(id)).slice(-4)).toEqual([
      `instance.${there}.start`,
      `instance.${there}.end`,
      `instance.${back}.start`,
      `instance.${back}.end`,
    ])
    await remove(test.admin, id)
    expect(await auditCloud(test)).toEqual([])
  })

  it('D-ACT-10…13 begins from one state only, idle, and allowedActions says the same', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'stateful'))
    const from = { pauseServer: 'ACTIVE', unpauseServer: 'PAUSED', suspendServer: 'ACTIVE', resumeServer: 'SUSPENDED' } as const
    const visit = async (status: string): Promise<void> => {
      for (const [mutation, allowedIn] of Object.entries(from)) {
        const action = mutation.replace('Server', '').toUpperCase()
        const { server } = await test.admin.ask<{
          server: { allowedActions: { action: string; allowed: boolean; errorCode: string | null; reason: string | null }[] }
        }>('query ($id: ID!) { server(id: $id) { allowedActions { action allowed errorCode reason } } }', { id })
        const permission = server.allowedActions.find((entry) => entry.action === action)
        if (status === allowedIn) {
          expect(permission, `${action} in ${status}`).toMatchObject({ allowed: true, errorCode: null, reason: null })
          continue
        }
        const refused = await test.admin.refused(documentOf(mutation), { input: { serverId: id } })
        expect(refused, `${action} in ${status}`).toMatchObject({ code: 'INVALID_STATE', exception: 'InstanceInvalidState' })
        expect(permission).toMatchObject({ allowed: false, errorCode: 'INVALID_STATE', reason: refused.message })
      }
    }
    await visit('ACTIVE')
    await done('pauseServer', id)
    await visit('PAUSED')
    await done('unpauseServer', id)
    await done('suspendServer', id)
    await visit('SUSPENDED')
    const { operation } = await begin('resumeServer', id)
    expect(await test.admin.refused(documentOf('resumeServer'), { input: { serverId: id } })).toMatchObject({ code: 'INVALID_STATE' })
    await ended(operation.id)
    await remove(test.admin, id)
  })

  it('lets one of many begin', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'contended'))
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        test.admin.raw(documentOf(index % 2 === 0 ? 'pauseServer' : 'suspendServer'), { input: { serverId: id } }),
      ),
    )
    const codes = answers.map((answer) => answer.errors?.[0]?.extensions.code ?? 'begun')
    expect(codes.filter((code) => code === 'begun')).toHaveLength(1)
    expect(codes.filter((code) => code === 'INVALID_STATE')).toHaveLength(7)
    await untilStatus(test.admin, id, 'PAUSED', 'SUSPENDED')
    const { server } = await test.admin.ask<{ server: { operations: { totalCount: number } } }>(
      'query ($id: ID!) { server(id: $id) { operations { totalCount } } }',
      { id },
    )
    expect(server.operations.totalCount, 'the losers leave no operation').toBe(2)
    await remove(test.admin, id)
  })

  it('answers the first operation to the same retry key', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'retried'))
    const key = { idempotencyKey: `pause-${dialect}` }
    const first = await begin('pauseServer', id, key)
    expect((await begin('pauseServer', id, key)).operation.id).toBe(first.operation.id)
    await ended(first.operation.id)
    expect((await begin('pauseServer', id, key)).operation.id).toBe(first.operation.id)
    const other = await test.admin.refused(documentOf('unpauseServer'), { input: { serverId: id, ...key } })
    expect(other.code).toBe('IDEMPOTENCY_KEY_REUSED')
    await remove(test.admin, id)
  })

  it.each([
    ['pause', 'ACTIVE'],
    ['unpause', 'PAUSED'],
    ['suspend', 'ERROR'],
    ['resume', 'ERROR'],
  ] as const)('D-ACT-52 D-ACT-54 a failed %s leaves the server %s with a fault', async (action, status) => {
    const id = await createActive(test.admin, serverInput(imageId, `fail-${action}`))
    if (action === 'unpause') await done('pauseServer', id)
    if (action === 'resume') await done('suspendServer', id)
    expect(await done(`${action}Server`, id)).toMatchObject({
      state: 'FAILED',
      error: { code: 'GUEST_ERROR' },
      steps: [{ name: `compute_${action}_instance`, result: 'ERROR' }],
    })
    const after = await show(test.admin, id)
    expect(after).toMatchObject({ status, taskState: null })
    expect(after?.fault?.errorCode).toBe(status === 'ERROR' ? 'GUEST_ERROR' : undefined)
    if (status === 'ERROR') {
      // The way out of it.
      await begin('rebootServer', id, { type: 'HARD' })
      await untilStatus(test.admin, id, 'ACTIVE')
    }
    await remove(test.admin, id)
    expect(await auditCloud(test)).toEqual([])
  })

  it.each([
    ['pause', 'ACTIVE'],
    ['unpause', 'PAUSED'],
    ['suspend', 'ACTIVE'],
    ['resume', 'SUSPENDED'],
  ] as const)('D-ACT-47 D-ACT-54 a hypervisor without %s leaves the server %s', async (action, status) => {
    const id = await createActive(test.admin, serverInput(imageId, `no-${action}`))
    if (action === 'unpause') await done('pauseServer', id)
    if (action === 'resume') await done('suspendServer', id)
    expect(await done(`${action}Server`, id)).toMatchObject({ state: 'FAILED', error: { code: 'NOT_IMPLEMENTED' } })
    expect(await show(test.admin, id)).toMatchObject({ status, taskState: null })
    await remove(test.admin, id)
  })

  it.each([
    ['pause', 'ACTIVE'],
    ['suspend', 'ERROR'],
  ] as const)('ends a %s of a guest that is off already, although nothing can be taken back: %s', async (action, status) => {
    const id = await createActive(test.admin, serverInput(imageId, 'off unnoticed'))
    // The driver is asked past the agent: nobody is told.
    await fakeDriver(test, 'fake-001').powerOff(id, 0, new AbortController().signal)
    expect(await done(`${action}Server`, id)).toMatchObject({
      state: 'FAILED',
      error: { code: 'GUEST_ERROR', exception: 'InstanceInvalidState' },
    })
    expect(await show(test.admin, id)).toMatchObject({ status, taskState: null })
    await remove(test.admin, id)
  })

  it('D-ACT-54 resume without the saved memory ends in ERROR', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'memory lost'))
    await done('suspendServer', id)
    await fakeDriver(test, 'fake-001').powerOn(id)
    await fakeDriver(test, 'fake-001').powerOff(id, 0, new AbortController().signal)
    expect(await done('resumeServer', id)).toMatchObject({ state: 'FAILED', error: { code: 'GUEST_ERROR' } })
    const after = await show(test.admin, id)
    expect(after).toMatchObject({ status: 'ERROR', taskState: null })
    expect(after?.fault?.message).toContain('hard reboot')
    await remove(test.admin, id)
  })

  it('D-ACT-12 D-ACT-49 refuses to suspend what can never be saved', async () => {
    for (const [key, value, exception] of [
      ['hw:mem_encryption', 'true', 'OperationNotSupportedForSEV'],
      ['accel:device_profile', 'fpga', 'ForbiddenWithAccelerators'],
    ] as const) {
      const id = await createActive(test.admin, serverInput(imageId, 'special'))
      const { database } = await test.cloud.plane.cells.get(cell1Id)
      await database.transaction(async (trx) => {
        const row = await trx.selectFrom('instances').select('flavor').where('uuid', '=', id).executeTakeFirstOrThrow()
        const flavor = JSON.stringify({ ...JSON.parse(row.flavor), extraSpecs: { [key]: value } })
        await trx.updateTable('instances').set({ flavor }).where('uuid', '=', id).execute()
      })
      expect(await test.admin.refused(documentOf('suspendServer'), { input: { serverId: id } })).toMatchObject({
        code: 'OPERATION_NOT_SUPPORTED',
        exception,
      })
      await remove(test.admin, id)
    }
  })

  it.each(['pause', 'suspend'] as const)('D-ACT-9 a hard reboot takes over from a %s and from its state', async (action) => {
    const id = await createActive(test.admin, serverInput(imageId, 'overtaken'))
    const { operation } = await begin(`${action}Server`, id)
    const reboot = await begin('rebootServer', id, { type: 'HARD' })
    expect((await ended(reboot.operation.id)).state).toBe('SUCCEEDED')
    expect(['CANCELLED', 'SUCCEEDED']).toContain((await ended(operation.id)).state)
    expect(await show(test.admin, id)).toMatchObject({ status: 'ACTIVE', taskState: null })
    expect(await guest(id)).toBe(powerStates.RUNNING)
    await done(`${action}Server`, id)
    expect((await ended((await begin('rebootServer', id, { type: 'HARD' })).operation.id)).state).toBe('SUCCEEDED')
    expect(await show(test.admin, id)).toMatchObject({ status: 'ACTIVE' })
    expect(await guest(id)).toBe(powerStates.RUNNING)
    await remove(test.admin, id)
    expect(await auditCloud(test)).toEqual([])
  })

  it.each(['pause', 'suspend'] as const)('A-ACT-41 deletes a server in the middle of a %s, and one that it has ended', async (action) => {
    const busy = await createActive(test.admin, serverInput(imageId, 'deleted while busy'))
    await begin(`${action}Server`, busy)
    await remove(test.admin, busy)
    const still = await createActive(test.admin, serverInput(imageId, 'deleted after'))
    await done(`${action}Server`, still)
    await remove(test.admin, still)
    expect(await auditCloud(test)).toEqual([])
  })

  describe('D-SYN-1', () => {
    const told = async (id: string, state: PowerState): Promise<void> => {
      await settled(test)
      fakeDriver(test, 'fake-001').simulatePowerState(id, state)
    }

    it('stops a paused server whose guest is off', async () => {
      const id = await createActive(test.admin, serverInput(imageId, 'paused, then off'))
      await done('pauseServer', id)
      await told(id, powerStates.SHUTDOWN)
      await untilStatus(test.admin, id, 'SHUTOFF')
      await remove(test.admin, id)
    })

    it('only notes that an active server’s guest was paused by others', async () => {
      const id = await createActive(test.admin, serverInput(imageId, 'paused by others'))
      await told(id, powerStates.PAUSED)
      await until(
        'the power state',
        () => powerOf(id),
        (power) => power === 'PAUSED',
      )
      await settled(test)
      expect(await show(test.admin, id)).toMatchObject({ status: 'ACTIVE', taskState: null })
      // What the guest is already, it is made in the record.
      await done('pauseServer', id)
      expect(await show(test.admin, id)).toMatchObject({ status: 'PAUSED' })
      await remove(test.admin, id)
    })

    it('leaves a suspended server alone, whatever its guest is', async () => {
      const id = await createActive(test.admin, serverInput(imageId, 'suspended, then on'))
      await done('suspendServer', id)
      await told(id, powerStates.RUNNING)
      await until(
        'the power state',
        () => powerOf(id),
        (power) => power === 'RUNNING',
      )
      await settled(test)
      expect(await show(test.admin, id)).toMatchObject({ status: 'SUSPENDED', taskState: null })
      await remove(test.admin, id)
    })
  })
})
