/** Documents that may and may not run, and that the compiled way answers as the plain one. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildCloudSchema, printCloudSchema } from '@kilonova/api/graphql/schema'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestCloud } from './cloud.testkit.js'
import { fixtures, plant } from './list.testkit.js'
import { createActive, serverInput } from './proof.testkit.js'

it('the schema is the one that is checked in; `pnpm run schema` writes it', () => {
  const file = join(import.meta.dirname, '../../../api/schema.graphql')
  expect(printCloudSchema(buildCloudSchema())).toBe(readFileSync(file, 'utf8'))
})

describe('documents', () => {
  let test: TestCloud
  let serverId: string
  beforeAll(async () => {
    test = await TestCloud.start()
    serverId = await createActive(
      test.admin,
      serverInput(await test.image(), 'shown', { tags: ['a'], metadata: [{ key: 'k', value: 'v' }] }),
    )
    const { viewer } = await test.admin.ask<{ viewer: { user: { id: string }; project: { id: string } } }>(
      '{ viewer { user { id } project { id } } }',
    )
    await plant(test, fixtures(viewer.project.id, viewer.user.id))
  })
  afterAll(() => test?.destroy())

  const twenty = `id name description hostname status vmState taskState powerState progressPercent createdAt updatedAt launchedAt
    generation projectId userId imageId accessIpV4 hostId host availabilityZone`

  it('admit a thousand servers with twenty fields', async () => {
    expect(twenty.trim().split(/\s+/)).toHaveLength(20)
    const { servers } = await test.admin.ask<{ servers: { nodes: unknown[] } }>(`{ servers(first: 1000) { nodes { ${twenty} } } }`)
    expect(servers.nodes).toHaveLength(32)
  })

  it('may skip and include fields', async () => {
    const document = 'query ($yes: Boolean!) { viewer { __typename authMethod @include(if: $yes) sessionExpiresAt @skip(if: $yes) } }'
    for (let use = 1; use <= 3; use++) {
      expect(await test.admin.ask(document, { yes: true })).toEqual({ viewer: { __typename: 'Viewer', authMethod: 'PASSWORD' } })
    }
  })

  const bombs: [string, string][] = [
    [
      'too deep',
      `{ servers { nodes { operations { nodes { server { operations { nodes { server { operations { nodes { server { operations { nodes { server { id } } } } } } } } } } } } } } }`,
    ],
    ['of too many aliases', `{ ${Array.from({ length: 31 }, (_, index) => `a${index}: viewer { sessionExpiresAt }`).join(' ')} }`],
    [
      'of too many aliases inside a fragment',
      `query { viewer { ...F } } fragment F on Viewer { ${Array.from({ length: 31 }, (_, index) => `a${index}: authMethod`).join(' ')} }`,
    ],
    ['of nested lists', '{ servers(first: 1000) { nodes { operations(first: 1000) { nodes { id } } } } }'],
    ['of nested lists by variable', 'query ($n: Int = 1000) { servers(first: $n) { nodes { operations(first: $n) { nodes { id } } } } }'],
    [
      'of too many directives',
      `{ viewer { authMethod ${Array.from({ length: 60 }, () => '... @include(if: true) { authMethod }').join(' ')} } }`,
    ],
    [
      'of fragments that multiply',
      `query { ...A } ${'ABCDEFGHIJ'
        .split('')
        .map(
          (name, index, all) =>
            `fragment ${name} on Query { ${all[index + 1] === undefined ? 'servers(first: 100) { nodes { id } }' : `...${all[index + 1]} ... on Query { ...${all[index + 1]} }`} }`,
        )
        .join(' ')}`,
    ],
  ]
  it.each(bombs)('%s are refused before they run', async (_what, document) => {
    expect(await test.admin.refused(document)).toMatchObject({ code: 'QUERY_TOO_COMPLEX' })
  })

  it('with endless fragments or too many tokens are refused', async () => {
    expect((await test.admin.refused('query { viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }')).code).toBe(
      'BAD_USER_INPUT',
    )
    expect((await test.admin.refused(`{ ${'viewer { authMethod } '.repeat(2000)} }`)).code).toBe('BAD_USER_INPUT')
  })

  const documents: [string, Record<string, unknown>][] = [
    [
      `query ($id: ID!) { server(id: $id) { ${twenty} tags metadata { key value } flavor { originalName vcpus extraSpecs { key } flavor { id } } image { id name }
        addresses { address version type } fault { message } project { name } user { name } hypervisor { id } allowedActions { action allowed reason errorCode }
        currentOperation { id } operations(first: 3) { nodes { id kind state steps { name result } } totalCount } } }`,
      { id: '' },
    ],
    ['query ($id: ID!) { server(id: $id) { id } }', { id: 'unknown' }],
    [
      'query ($first: Int, $filter: ServerFilter) { servers(first: $first, filter: $filter) { nodes { id name ...F @include(if: true) } pageInfo { endCursor hasNextPage } totalCount } } fragment F on Server { tags status }',
      { first: 5, filter: { hostname: 'web' } },
    ],
    ['query ($o: [ServerOrder!]) { servers(first: 4, orderBy: $o) { edges { cursor node { id } } } }', { o: [{ key: 'NAME' }] }],
    ['query ($first: Int) { servers(first: $first) { nodes { id } } }', { first: -1 }],
    ['query ($first: Int) { servers(first: $first) { nodes { id } } }', { first: 'many' }],
    ['query ($f: ServerFilter) { servers(filter: $f) { nodes { id } } }', { f: { nonsense: 1 } }],
    ['query ($f: ServerFilter) { servers(filter: $f) { nodes { id } } }', { f: { name: '(' } }],
    ['query ($skip: Boolean = true) { viewer { user { name @skip(if: $skip) id } roles { name implies { name } } } }', {}],
    [
      '{ flavors { nodes { id name vcpus ramMb extraSpecs { key value } } } images { nodes { id name status } } networks { nodes { id name } } }',
      {},
    ],
    ['{ hypervisors { nodes { id hostname state status vcpus } } computeServices { nodes { id host state } } }', {}],
    ['{ viewer { __typename authMethod } systemInfo { __typename } }', {}],
    [
      'mutation ($input: CreateServerInput!) { createServer(input: $input) { server { id } } }',
      { input: { name: '', imageId: 'x', flavorId: 'y', networks: { mode: 'AUTO' } } },
    ],
    [
      'mutation ($input: UpdateServerInput!) { updateServer(input: $input) { server { id name } } }',
      { input: { serverId: 'unknown', name: 'x' } },
    ],
    ['{ nothing }', {}],
  ]
  it.each(documents.map(([document, variables], index) => [index, document, variables] as const))(
    'number %i has the same answer plain and compiled',
    async (_index, document, variables) => {
      const given = variables.id === '' ? { ...variables, id: serverId } : variables
      const ask = async () => {
        const answer = await test.admin.raw<unknown>(document, given)
        return {
          data: answer.data,
          errors: answer.errors?.map((error) => ({ ...error, extensions: { ...error.extensions, requestId: '' } })),
        }
      }
      const first = await ask()
      await ask()
      expect(await ask()).toEqual(first)
    },
  )
})
