/** Who did what: every mutation leaves one entry, without secrets, for those who may read it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud } from './cloud.testkit.js'
import { createActive, remove, serverInput } from './proof.testkit.js'

interface Entry {
  field: string
  result: string
  errorCode: string | null
  authMethod: string | null
  clientAddress: string | null
  input: Record<string, unknown> | null
  targetIds: string[]
  user: { id: string } | null
  project: { id: string } | null
  operation: { id: string; kind: string } | null
}
const document = `query ($first: Int, $after: String, $filter: AuditFilter, $orderBy: [TimeOrder!]) {
  auditLog(first: $first, after: $after, filter: $filter, orderBy: $orderBy) { totalCount pageInfo { endCursor hasNextPage } nodes {
    field result errorCode authMethod clientAddress input targetIds user { id } project { id } operation { id kind } } } }`
interface Log {
  auditLog: { totalCount: number; pageInfo: { endCursor: string | null; hasNextPage: boolean }; nodes: Entry[] }
}

describe.each(dialects)('the audit log on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1 })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  const read = async (client: TestClient, variables: Record<string, unknown> = {}) => (await client.ask<Log>(document, variables)).auditLog

  it('tells who made and deleted a server, with its operation', async () => {
    const { client, userId, projectId } = await test.user('member')
    const serverId = await createActive(client, serverInput(imageId, 'audited'))
    await remove(client, serverId)
    const { nodes } = await read(client, { filter: { targetId: serverId } })
    const by = { authMethod: 'PASSWORD', clientAddress: '127.0.0.1', user: { id: userId }, project: { id: projectId } }
    expect(nodes).toEqual([
      expect.objectContaining({ field: 'deleteServer', result: 'SUCCESS', errorCode: null, input: { serverId }, ...by }),
      expect.objectContaining({ field: 'createServer', result: 'SUCCESS', ...by }),
    ])
    expect(nodes.map((node) => node.operation?.kind)).toEqual(['DELETE', 'CREATE'])
    expect(nodes[1]?.targetIds).toContain(imageId)
  })

  it('tells what was refused, and why', async () => {
    const { client } = await test.user('reader')
    await client.refused('mutation { createImage(input: { name: "no", diskFormat: RAW }) { image { id } } }')
    await client.refused('mutation { createApplicationCredential(input: { name: "" }) { secret } }')
    const nodes = (await read(client, { filter: { fields: ['createImage', 'createApplicationCredential'] } })).nodes
    expect(nodes.map(({ field, result, errorCode }) => [field, result, errorCode])).toEqual([
      ['createApplicationCredential', 'ERROR', 'BAD_USER_INPUT'],
      ['createImage', 'DENIED', 'FORBIDDEN'],
    ])
  })

  it('tells who signed in and who failed to, never with what', async () => {
    const { userId } = await test.user('member')
    await test.nobody.raw('mutation { login(input: { username: "somebody", password: "a-canary-of-a-password" }) { __typename } }')
    const failed = await read(test.admin, { filter: { fields: ['login'], results: ['ERROR'] } })
    expect(failed.nodes).toEqual([
      expect.objectContaining({
        user: null,
        errorCode: 'INVALID_CREDENTIALS',
        input: expect.objectContaining({ username: 'somebody', password: '[secret]' }),
      }),
    ])
    expect((await read(test.admin, { filter: { fields: ['login'], userId } })).totalCount).toBe(1)
    const stored = JSON.stringify(await test.cloud.plane.api.read.selectFrom('audit_log').selectAll().execute())
    expect(stored).not.toContain('a-canary-of-a-password')
  })

  it('is kept to one’s own project, and whole for administrators', async () => {
    const [one, two] = [await test.user('member'), await test.user('member')]
    await createActive(one.client, serverInput(imageId, 'theirs'))
    const seen = (await read(two.client)).nodes
    expect(seen.every((node) => node.project?.id === two.projectId)).toBe(true)
    expect((await read(two.client, { filter: { projectId: one.projectId } })).totalCount).toBe(0)
    const all = await read(test.admin, { filter: { projectId: one.projectId, fields: ['createServer'] } })
    expect(all.nodes.map((node) => node.user?.id)).toEqual([one.userId])
  })

  it('is read in pages, either way round, by time', async () => {
    const { client } = await test.user('member')
    const since = new Date(Date.now() - 60_000).toISOString()
    for (const name of ['a', 'b', 'c'])
      await client.ask(`mutation { createImage(input: { name: "${name}", diskFormat: RAW }) { image { id } } }`)
    const names = async (direction: string): Promise<unknown[]> => {
      const found: unknown[] = []
      let after: string | null = null
      do {
        const page: Log['auditLog'] = await read(client, {
          first: 2,
          after,
          filter: { fields: ['createImage'], since },
          orderBy: [{ direction }],
        })
        found.push(...page.nodes.map((node) => node.input?.name))
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
      } while (after !== null)
      return found
    }
    expect(await names('ASC')).toEqual(['a', 'b', 'c'])
    expect(await names('DESC')).toEqual(['c', 'b', 'a'])
    expect((await read(client, { filter: { until: since } })).totalCount).toBe(0)
  })
})
