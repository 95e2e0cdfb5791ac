/** Deletes against builds, against each other, and against agents that fail. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud, until } from './cloud.testkit.js'
import { auditCloud, create, createActive, fakeDriver, serverInput, show, untilStatus } from './proof.testkit.js'

describe.each(dialects)('a delete on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 3, config: { fake: { prepare_ms: 10, spawn_ms: 10 } } })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  const document = 'mutation ($id: ID!) { deleteServer(input: { serverId: $id }) { deletedId operation { id } } }'
  const operations = async (serverId: string) =>
    (
      await test.admin.ask<{ operations: { nodes: { id: string; kind: string; state: string }[] } }>(
        'query ($id: ID!) { operations(first: 50, filter: { serverId: $id }) { nodes { id kind state } } }',
        { id: serverId },
      )
    ).operations.nodes

  it('ends every build at whatever moment it comes, and leaves nothing', async () => {
    const ids: string[] = []
    await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const { server } = await create(test.admin, serverInput(imageId, `raced-${index}`))
        ids.push(server.id)
        // Spread over the whole build, from before scheduling to after spawning.
        await new Promise((resolve) => setTimeout(resolve, index * 3))
        await test.admin.ask(document, { id: server.id })
      }),
    )
    for (const id of ids) await untilStatus(test.admin, id, 'GONE')
    expect(await auditCloud(test)).toEqual([])
    const states = new Set((await Promise.all(ids.map(operations))).flat().map(({ kind, state }) => `${kind} ${state}`))
    for (const state of states) expect(['CREATE SUCCEEDED', 'CREATE CANCELLED', 'DELETE SUCCEEDED']).toContain(state)
  })

  it('asked for ten times at once is one delete, and all ten are answered', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'popular'))
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => test.admin.raw<{ deleteServer: { operation: { id: string } | null } }>(document, { id })),
    )
    for (const answer of answers) expect(answer.errors?.[0]?.extensions.code ?? 'NOT_FOUND').toBe('NOT_FOUND')
    await untilStatus(test.admin, id, 'GONE')
    expect(await auditCloud(test)).toEqual([])
    const deletes = (await operations(id)).filter((operation) => operation.kind === 'DELETE')
    expect(deletes.map((operation) => operation.state)).toEqual(deletes.map(() => 'SUCCEEDED'))
  })

  it('tries again when the host fails at it, until it is done', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'stubborn'))
    const driver = fakeDriver(test, (await show(test.admin, id))?.host ?? '')
    const destroy = driver.destroy.bind(driver)
    let tries = 0
    driver.destroy = async (serverId) => {
      if (++tries <= 3) throw new Error('the disk is busy')
      await destroy(serverId)
    }
    await test.admin.ask(document, { id })
    await untilStatus(test.admin, id, 'GONE')
    driver.destroy = destroy
    expect(tries).toBe(4)
    expect(await auditCloud(test)).toEqual([])
  })

  it('leaves a guest to its agent when the host is down, and the agent removes it when it returns', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'away'))
    const host = (await show(test.admin, id))?.host ?? ''
    const agent = test.cloud.agents.find((candidate) => candidate.host === host)
    await agent?.stop()
    const [cell] = await test.cloud.plane.cells.withHosts()
    await cell?.database.transaction((trx) => trx.updateTable('services').set({ forced_down: 1 }).where('host', '=', host).execute())
    await test.admin.ask(document, { id })
    await untilStatus(test.admin, id, 'GONE')
    expect(await fakeDriver(test, host).presentServers()).toEqual([id])
    await cell?.database.transaction((trx) => trx.updateTable('services').set({ forced_down: 0 }).where('host', '=', host).execute())
    await test.close()
    await test.open()
    await until(
      'the sweep',
      () => fakeDriver(test, host).presentServers(),
      (present) => present.length === 0,
    )
    expect(await auditCloud(test)).toEqual([])
  })
})
