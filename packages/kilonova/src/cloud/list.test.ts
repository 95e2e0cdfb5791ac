/** Lists of servers: order, pages and filters are the same on both dialects, and a page costs the same however many servers it holds. */
import { countStatements } from '@kilonova/api/db/database'
import { buildCloudSchema } from '@kilonova/api/graphql/schema'
import { ServerSortKey } from '@kilonova/api/modules/servers/server.inputs'
import { isInputObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud } from './cloud.testkit.js'
import { type Fixture, fixtures, plant } from './list.testkit.js'

const columnOf: Record<ServerSortKey, keyof Fixture> = {
  NAME: 'display_name',
  ID: 'uuid',
  DESCRIPTION: 'display_description',
  HOSTNAME: 'hostname',
  CREATED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
  LAUNCHED_AT: 'launched_at',
  TERMINATED_AT: 'terminated_at',
  VM_STATE: 'vm_state',
  TASK_STATE: 'task_state',
  POWER_STATE: 'power_state',
  PROGRESS: 'progress',
  AVAILABILITY_ZONE: 'availability_zone',
  CONFIG_DRIVE: 'config_drive',
  DISK_CONFIG: 'disk_config',
  IMAGE_ID: 'image_id',
  FLAVOR_ID: 'flavor_id',
  KEY_NAME: 'key_name',
  ROOT_DEVICE_NAME: 'root_device_name',
  LAUNCH_INDEX: 'launch_index',
  LOCKED: 'locked',
  ACCESS_IP_V4: 'access_ip_v4',
  ACCESS_IP_V6: 'access_ip_v6',
  USER_ID: 'user_id',
  PROJECT_ID: 'project_id',
  HOST: 'host',
  HYPERVISOR_HOSTNAME: 'node',
}
type Direction = 'ASC' | 'DESC'

/** The order as it is promised: by bytes or numbers, nulls last either way, then by id. */
function inOrder(rows: Fixture[], column: keyof Fixture, direction: Direction): string[] {
  const sign = direction === 'ASC' ? 1 : -1
  const compare = (a: unknown, b: unknown): number => {
    if (a === b) return 0
    if (a === null) return 1
    if (b === null) return -1
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b)
    return sign * Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
  }
  return [...rows].sort((a, b) => compare(a[column], b[column]) || compare(a.uuid, b.uuid)).map((row) => row.uuid)
}

interface Listed {
  servers: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null }; totalCount: number }
}
const listDocument = `query ($first: Int, $after: String, $filter: ServerFilter, $orderBy: [ServerOrder!]) {
  servers(first: $first, after: $after, filter: $filter, orderBy: $orderBy) { nodes { id } pageInfo { hasNextPage endCursor } totalCount }
}`

const at = (ms: number): string => new Date(ms).toISOString()
type Expected = (row: Fixture) => boolean
const tagsOf = (row: Fixture) => JSON.parse(row.tags) as string[]
const live: Expected = (row) => row.deleted_at === null

/** Every filter with the rows it must find. */
const filters: Record<string, { value: unknown; expected: Expected }[]> = {
  ids: [
    { value: [], expected: () => false },
    { value: ['00000000-aaaa-4aaa-8aaa-000000000000', 'unknown'], expected: (row) => row.uuid.startsWith('00000000') },
  ],
  search: [
    { value: 'A%B', expected: (row) => row.display_name === 'a%b' },
    { value: '_', expected: (row) => row.display_name === '_' },
    { value: '10.0.0.7', expected: (row) => row.network_info.includes('"10.0.0.7"') },
  ],
  name: [
    { value: '^[ab]$', expected: (row) => /^[ab]$/.test(row.display_name) },
    { value: 'o', expected: (row) => row.display_name.includes('o') },
  ],
  hostname: [{ value: 'web', expected: (row) => row.hostname === 'web' }],
  status: [
    { value: ['ACTIVE'], expected: (row) => row.vm_state === 'active' && row.task_state === null },
    { value: ['REBOOT', 'HARD_REBOOT'], expected: (row) => row.vm_state === 'active' && row.task_state !== null },
    { value: ['SHUTOFF', 'ERROR'], expected: (row) => ['stopped', 'error'].includes(row.vm_state) },
    { value: ['BUILD'], expected: (row) => row.vm_state === 'building' },
    { value: ['UNKNOWN'], expected: () => false },
  ],
  vmState: [{ value: ['STOPPED', 'ERROR'], expected: (row) => ['stopped', 'error'].includes(row.vm_state) }],
  taskState: [{ value: ['POWERING_ON', 'SPAWNING'], expected: (row) => ['powering-on', 'spawning'].includes(row.task_state ?? '') }],
  powerState: [{ value: ['SHUTDOWN'], expected: (row) => row.power_state === 4 }],
  progressPercent: [{ value: 30, expected: (row) => row.progress === 30 }],
  imageId: [{ value: 'image-1', expected: (row) => row.image_id === 'image-1' }],
  flavorId: [{ value: '10', expected: (row) => row.flavor_id === '10' }],
  ip: [{ value: '\\.1[0-2]$', expected: (row) => /"10\.0\.0\.1[0-2]"/.test(row.network_info) }],
  ip6: [{ value: '::3$', expected: (row) => row.network_info.includes('"fd00::3"') }],
  keyName: [{ value: 'beta', expected: (row) => row.key_name === 'beta' }],
  userId: [{ value: 'nobody', expected: () => false }],
  configDrive: [
    { value: true, expected: (row) => row.config_drive === 1 },
    { value: false, expected: (row) => row.config_drive === 0 },
  ],
  availabilityZone: [{ value: 'east', expected: (row) => row.availability_zone === 'east' }],
  locked: [
    { value: true, expected: (row) => row.locked === 1 },
    { value: false, expected: (row) => row.locked === 0 },
  ],
  lockedBy: [
    { value: 'OWNER', expected: (row) => row.locked_by === 'owner' },
    { value: 'ADMIN', expected: (row) => row.locked_by === 'admin' },
  ],
  reservationId: [{ value: 'r-2', expected: (row) => row.reservation_id === 'r-2' }],
  createdAt: [{ value: at(1_700_000_002_000), expected: (row) => row.created_at === 1_700_000_002_000 }],
  launchedAt: [{ value: at(1_700_000_051_000), expected: (row) => row.launched_at === 1_700_000_051_000 }],
  terminatedAt: [{ value: at(1_700_000_091_000), expected: (row) => row.terminated_at === 1_700_000_091_000 }],
  description: [{ value: 'ZO', expected: (row) => row.display_description === 'Zoë' }],
  changedSince: [{ value: at(1_700_000_103_000), expected: (row) => row.updated_at >= 1_700_000_103_000 }],
  changedBefore: [{ value: at(1_700_000_102_000), expected: (row) => row.updated_at <= 1_700_000_102_000 }],
  tags: [{ value: ['even', 'five'], expected: (row) => tagsOf(row).length === 2 }],
  tagsAny: [
    { value: ['even', 'five'], expected: (row) => tagsOf(row).length > 0 },
    { value: [], expected: () => false },
  ],
  notTags: [{ value: ['even', 'five'], expected: (row) => tagsOf(row).length < 2 }],
  notTagsAny: [{ value: ['even', 'five'], expected: (row) => tagsOf(row).length === 0 }],
  metadata: [
    {
      value: [
        { key: 'role', value: 'web' },
        { key: 'tier', value: '1' },
      ],
      expected: (row) => row.metadata.includes('"web"'),
    },
    { value: [{ key: 'role', value: 'db' }], expected: (row) => row.metadata.includes('"db"') },
  ],
  allProjects: [{ value: true, expected: () => true }],
  projectId: [{ value: 'another', expected: () => false }],
  deleted: [{ value: true, expected: () => false }],
  host: [{ value: 'fake-002', expected: (row) => row.host === 'fake-002' }],
  hypervisorHostname: [{ value: 'fake-001', expected: (row) => row.node === 'fake-001' }],
  launchIndex: [{ value: 2, expected: (row) => row.launch_index === 2 }],
}

describe.each(dialects)('the list of servers on %s', (dialect) => {
  let test: TestCloud
  let rows: Fixture[]
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1 })
    const { viewer } = await test.admin.ask<{ viewer: { user: { id: string }; project: { id: string } } }>(
      '{ viewer { user { id } project { id } } }',
    )
    rows = fixtures(viewer.project.id, viewer.user.id)
    await plant(test, rows)
  })
  afterAll(() => test?.destroy())

  async function pages(variables: object, first: number): Promise<string[]> {
    const ids: string[] = []
    let after: string | null = null
    for (;;) {
      const { servers }: Listed = await test.admin.ask<Listed>(listDocument, { first, after, ...variables })
      ids.push(...servers.nodes.map((node) => node.id))
      if (!servers.pageInfo.hasNextPage) return ids
      expect(servers.nodes).toHaveLength(first)
      after = servers.pageInfo.endCursor
    }
  }

  it.each(Object.keys(ServerSortKey) as ServerSortKey[])('is in the promised order by %s, whole, over all pages', async (key) => {
    for (const direction of ['ASC', 'DESC'] as const) {
      const expected = inOrder(rows, columnOf[key], direction)
      for (const first of [7, 1000])
        expect(await pages({ orderBy: [{ key, direction }] }, first), `${direction} ${first}`).toEqual(expected)
    }
  })

  it('sorts by several keys of different directions', async () => {
    const orderBy = [
      { key: 'VM_STATE', direction: 'DESC' },
      { key: 'LAUNCHED_AT', direction: 'ASC' },
      { key: 'NAME', direction: 'DESC' },
    ]
    const whole = await pages({ orderBy }, 1000)
    expect(await pages({ orderBy }, 4)).toEqual(whole)
    const byId = new Map(rows.map((row) => [row.uuid, row]))
    expect(whole.map((id) => byId.get(id)?.vm_state)).toEqual(
      rows
        .map((row) => row.vm_state)
        .sort()
        .reverse(),
    )
  })

  it('refuses a cursor of another order or filter', async () => {
    const { servers } = await test.admin.ask<Listed>(listDocument, { first: 2 })
    const after = servers.pageInfo.endCursor
    expect((await test.admin.refused(listDocument, { first: 2, after, orderBy: [{ key: 'NAME', direction: 'ASC' }] })).code).toBe(
      'CURSOR_INVALID',
    )
    expect((await test.admin.refused(listDocument, { first: 2, after, filter: { hostname: 'web' } })).code).toBe('CURSOR_INVALID')
    expect((await test.admin.refused(listDocument, { first: 2, after: 'nonsense' })).code).toBe('CURSOR_INVALID')
  })

  it('has a case in this test for every filter of the schema', () => {
    const type = buildCloudSchema().getType('ServerFilter')
    expect(isInputObjectType(type) ? Object.keys(type.getFields()).sort() : []).toEqual(Object.keys(filters).sort())
  })

  it.each(Object.keys(filters))('filters by %s', async (name) => {
    for (const { value, expected } of filters[name] ?? []) {
      const { servers } = await test.admin.ask<Listed>(listDocument, { first: 1000, filter: { [name]: value } })
      const wanted = rows.filter((row) => live(row) && expected(row)).map((row) => row.uuid)
      expect(servers.nodes.map((node) => node.id).sort(), JSON.stringify(value)).toEqual(wanted.sort())
      expect(servers.totalCount).toBe(wanted.length)
      expect(await pages({ filter: { [name]: value } }, 3)).toHaveLength(wanted.length)
    }
  })

  it('refuses regular expressions that are too long or not understood', async () => {
    for (const name of ['(', 'a'.repeat(256), '(?=a)b']) {
      expect((await test.admin.refused(listDocument, { filter: { name } })).code).toBe('BAD_USER_INPUT')
    }
    // One that takes exponential time where expressions backtrack.
    await test.admin.ask(listDocument, { filter: { name: '(a+)+$' } })
  })

  it('costs the same number of statements for 5 servers as for 50', async () => {
    await plant(test, fixtures(rows[0]?.project_id ?? '', rows[0]?.user_id ?? '', 90).slice(31))
    const document = `query ($first: Int) { servers(first: $first) { nodes {
      id name status taskState powerState createdAt addresses { address } flavor { vcpus ramMb } image { id name } user { name } project { name }
      host hypervisor { id } hostStatus availableConsoles currentOperation { id state } allowedActions { action allowed } tags metadata { key } keypairs { name }
      operations(first: 3) { nodes { id } }
    } } }`
    const statementsFor = async (first: number) => {
      await test.admin.ask(document, { first })
      const { result, statements } = await countStatements(() => test.admin.ask<{ servers: { nodes: unknown[] } }>(document, { first }))
      expect(result.servers.nodes).toHaveLength(first)
      // What the cloud looks at by itself in the meantime does not count.
      return statements.filter((sql) => sql.startsWith('select') && !/from "(sagas|outbox|event_log|rights_changes|leases)"/.test(sql))
        .length
    }
    expect(await statementsFor(50)).toBe(await statementsFor(5))
  })
})
