import { powerStates } from '@kilonova/contract/server-states'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud, until } from './cloud.testkit.js'
import { cell1Id } from './deployment.js'
import { auditCloud, createActive, fakeDriver, serverInput, show, untilStatus } from './proof.testkit.js'

describe.each(dialects)('power states on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1 })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  const stop = (id: string) => test.admin.ask('mutation ($id: ID!) { stopServer(input: { serverId: $id }) { operation { id } } }', { id })

  it('D-SYN-1 stops a server whose guest powered itself off', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'self off'))
    fakeDriver(test, 'fake-001').simulatePowerState(id, powerStates.SHUTDOWN)
    await untilStatus(test.admin, id, 'SHUTOFF')
    expect(await auditCloud(test)).toEqual([])
  })

  it('D-SYN-1 stops a guest that runs although its server is stopped', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'self on'))
    await stop(id)
    await untilStatus(test.admin, id, 'SHUTOFF')
    const driver = fakeDriver(test, 'fake-001')
    driver.simulatePowerState(id, powerStates.RUNNING)
    await until(
      'the guest to be off',
      () => driver.powerState(id),
      (state) => state === powerStates.SHUTDOWN,
    )
    await untilStatus(test.admin, id, 'SHUTOFF')
    expect(await auditCloud(test)).toEqual([])
  })

  it('D-SYN-2 at the start of an agent ends builds nobody works on in ERROR and forgets other tasks', async () => {
    const building = await createActive(test.admin, serverInput(imageId, 'half built'))
    const stopping = await createActive(test.admin, serverInput(imageId, 'half stopped'))
    const { database } = await test.cloud.plane.cells.get(cell1Id)
    await database.transaction(async (trx) => {
      await trx.updateTable('instances').set({ vm_state: 'building', task_state: 'spawning' }).where('uuid', '=', building).execute()
      await trx.updateTable('instances').set({ task_state: 'powering-off' }).where('uuid', '=', stopping).execute()
    })
    await test.close()
    await test.open()
    expect(await untilStatus(test.admin, building, 'ERROR')).toMatchObject({ taskState: null })
    expect(await untilStatus(test.admin, stopping, 'ACTIVE')).toMatchObject({ taskState: null })
  })

  it('lets one of many actions begin, and refuses the others with INVALID_STATE', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'contended'))
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        test.admin.raw('mutation ($id: ID!) { stopServer(input: { serverId: $id }) { operation { id } } }', { id }),
      ),
    )
    const codes = answers.map((answer) => answer.errors?.[0]?.extensions.code ?? 'begun')
    expect(codes.filter((code) => code === 'begun')).toHaveLength(1)
    expect(codes.filter((code) => code === 'INVALID_STATE')).toHaveLength(9)
    await untilStatus(test.admin, id, 'SHUTOFF')
    expect((await show(test.admin, id))?.fault).toBeNull()
    expect(await auditCloud(test)).toEqual([])
  })
})
