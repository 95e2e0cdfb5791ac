import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud } from './cloud.testkit.js'
import { auditCloud, type Created, create, createActive, createServerDocument, serverInput, untilStatus } from './proof.testkit.js'

describe.each(dialects)('a retry key on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  const input = (idempotencyKey: string, name: string, more: object = {}) => serverInput(imageId, name, { idempotencyKey, ...more })
  const named = async (name: string) =>
    (
      await test.admin.ask<{ servers: { nodes: { id: string }[] } }>(
        'query ($filter: ServerFilter) { servers(filter: $filter) { nodes { id } } }',
        {
          filter: { name: `^${name}` },
        },
      )
    ).servers.nodes

  it('used fifty times at once makes one server, and every answer is the same', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => create(test.admin, input('fifty', 'fifty'))))
    expect(new Set(answers.map(({ server }) => server.id)).size).toBe(1)
    expect(new Set(answers.map(({ operation }) => operation.id)).size).toBe(1)
    expect(new Set(answers.map(({ adminPassword }) => adminPassword)).size).toBe(1)
    expect(await named('fifty')).toHaveLength(1)
    await untilStatus(test.admin, answers[0]?.server.id ?? '', 'ACTIVE')
  })

  it('with other input is refused, also while the first is under way', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        test.admin.raw<{ createServer: Created }>(createServerDocument, { input: input('other', `other-${index}`) }),
      ),
    )
    const codes = answers.map((answer) => answer.errors?.[0]?.extensions.code ?? 'made')
    expect(codes.filter((code) => code === 'made')).toHaveLength(1)
    expect(codes.filter((code) => code === 'IDEMPOTENCY_KEY_REUSED')).toHaveLength(9)
    expect(await named('other-')).toHaveLength(1)
    const refused = await test.admin.refused(createServerDocument, { input: input('other', 'other-99') })
    expect(refused).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', fields: ['input.idempotencyKey'] })
  })

  it('is free again after a request that was refused', async () => {
    const wrong = await test.admin.refused(createServerDocument, { input: input('corrected', 'corrected', { flavorId: 'unknown' }) })
    expect(wrong.code).toBe('INVALID_REFERENCE')
    await create(test.admin, input('corrected', 'corrected'))
    expect(await named('corrected')).toHaveLength(1)
  })

  it('belongs to its user: the same key of another makes another server', async () => {
    const { client } = await test.user('member')
    const mine = await create(test.admin, input('shared', 'shared'))
    const theirs = await create(client, input('shared', 'shared'))
    expect(theirs.server.id).not.toBe(mine.server.id)
  })

  it('still leads to the same server and password after a restart', async () => {
    const before = await create(test.admin, input('restart', 'restart', { minCount: 2 }))
    await test.close()
    await test.open()
    const after = await create(test.admin, input('restart', 'restart', { minCount: 2 }))
    expect(after).toMatchObject({ operation: before.operation, adminPassword: before.adminPassword, servers: before.servers })
    expect(await named('restart')).toHaveLength(2)
  })

  it('finishes the same work after a crash between the key and the effect', async () => {
    const first = await create(test.admin, input('crashed', 'crashed'))
    await untilStatus(test.admin, first.server.id, 'ACTIVE')
    // As a crash leaves it: ids chosen and written, nothing else there yet.
    const { api } = test.cloud.plane
    const ids = { serverIds: ['11111111-2222-4333-8444-555555555555'], operationIds: ['11111111-2222-4333-8444-666666666666'] }
    await api.transaction(async (trx) => {
      const key = await trx.selectFrom('idempotency_keys').selectAll().where('key', '=', 'crashed').executeTakeFirstOrThrow()
      const refs = { ...(JSON.parse(key.refs) as object), ...ids }
      await trx
        .updateTable('idempotency_keys')
        .set({ state: 'pending', sealed: null, refs: JSON.stringify(refs) })
        .where('key', '=', 'crashed')
        .execute()
    })
    const again = await create(test.admin, input('crashed', 'crashed'))
    expect(again.server.id).toBe(ids.serverIds[0])
    expect(again.operation.id).toBe(ids.operationIds[0])
    await untilStatus(test.admin, again.server.id, 'ACTIVE')
  })

  it('answers the deletion it began, although the server is gone by then', async () => {
    const id = await createActive(test.admin, input('to delete', 'to-delete'))
    const document = 'mutation ($input: DeleteServerInput!) { deleteServer(input: $input) { operation { id state } } }'
    const variables = { input: { serverId: id, idempotencyKey: 'delete' } }
    const first = await test.admin.ask<{ deleteServer: { operation: { id: string } } }>(document, variables)
    await untilStatus(test.admin, id, 'GONE')
    await test.cloud.plane.api.transaction((trx) =>
      trx.updateTable('idempotency_keys').set({ state: 'pending' }).where('key', '=', 'delete').execute(),
    )
    const second = await test.admin.ask<{ deleteServer: { operation: { id: string; state: string } } }>(document, variables)
    expect(second.deleteServer.operation).toEqual({ id: first.deleteServer.operation.id, state: 'SUCCEEDED' })
    expect(await auditCloud(test)).toEqual([])
  })
})
