/** Use of projects over time: hours of servers, whatever has become of them since. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud } from './cloud.testkit.js'
import { type Fixture, fixtures, plant } from './list.testkit.js'

const usageFields =
  'projectId project { id } start end totalHours totalVcpuHours totalRamMbHours totalDiskGbHours servers(first: 2) { totalCount isPartial pageInfo { hasNextPage endCursor } nodes { serverId name flavorName status hours uptimeSeconds vcpus ramMb diskGb startedAt endedAt } }'
const showDocument = `query ($id: ID!, $start: DateTime, $end: DateTime) { projectUsage(projectId: $id, start: $start, end: $end) { ${usageFields} } }`
interface ServerUsage {
  serverId: string
  status: string
  hours: number
  uptimeSeconds: string
  endedAt: string | null
}
interface Usage {
  projectId: string
  totalHours: number
  servers: { totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string }; nodes: ServerUsage[] }
}

const hourMs = 3_600_000
const start = Date.parse('2024-05-01T00:00:00.000Z')
const end = start + 10 * hourMs
const iso = (time: number): string => new Date(time).toISOString()

describe.each(dialects)('B-USE-3 project usage on %s', (dialect) => {
  let test: TestCloud
  let owner: { client: TestClient; userId: string; projectId: string }
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 1 })
    owner = await test.user('reader')
    const [pattern] = fixtures(owner.projectId, owner.userId, 1)
    const flavor = { flavorId: 'f', name: 'm1.two', vcpus: 2, ramMb: 1024, diskGb: 10, ephemeralGb: 5, swapMb: 0, extraSpecs: {} }
    const server = (name: string, launched: number | null, terminated: number | null): Fixture => ({
      ...(pattern as Fixture),
      uuid: `${name.padEnd(8, '0')}-aaaa-4aaa-8aaa-${owner.projectId.slice(-12)}`,
      display_name: name,
      flavor: JSON.stringify(flavor),
      launched_at: launched,
      terminated_at: terminated,
      deleted_at: terminated,
    })
    await plant(test, [
      server('a', start - hourMs, start + hourMs), // one hour of two
      server('b', start + 2 * hourMs, start + 4 * hourMs), // two
      server('c', start + 9 * hourMs, null), // one so far
      server('d', start - 2 * hourMs, start), // gone before
      server('e', end, null), // begins after
      server('f', null, null), // never ran
    ])
  })
  afterAll(() => test?.destroy())

  const show = async (client: TestClient, variables: object = {}): Promise<Usage> =>
    (await client.ask<{ projectUsage: Usage }>(showDocument, { id: owner.projectId, start: iso(start), end: iso(end), ...variables }))
      .projectUsage

  it('sums hours of what ran in the window, deleted servers too, whatever the page', async () => {
    const usage = await show(owner.client)
    expect(usage).toMatchObject({
      projectId: owner.projectId,
      project: { id: owner.projectId },
      start: iso(start),
      end: iso(end),
      totalHours: 4,
      totalVcpuHours: 8,
      totalRamMbHours: 4096,
      totalDiskGbHours: 60,
    })
    expect(usage.servers).toMatchObject({ totalCount: 3, isPartial: false, pageInfo: { hasNextPage: true } })
    expect(usage.servers.nodes.map(({ status, hours, uptimeSeconds, endedAt }) => ({ status, hours, uptimeSeconds, endedAt }))).toEqual([
      { status: 'DELETED', hours: 1, uptimeSeconds: '7200', endedAt: iso(start + hourMs) },
      { status: 'DELETED', hours: 2, uptimeSeconds: '7200', endedAt: iso(start + 4 * hourMs) },
    ])
    const { projectUsage } = await owner.client.ask<{ projectUsage: Usage }>(
      `query ($id: ID!, $start: DateTime, $end: DateTime, $after: String) { projectUsage(projectId: $id, start: $start, end: $end) {
        totalHours servers(after: $after) { totalCount pageInfo { hasNextPage } nodes { serverId name flavorName status hours vcpus ramMb diskGb endedAt } }
      } }`,
      { id: owner.projectId, start: iso(start), end: iso(end), after: usage.servers.pageInfo.endCursor },
    )
    expect(projectUsage.totalHours).toBe(4)
    expect(projectUsage.servers.nodes).toEqual([
      expect.objectContaining({
        name: 'c',
        flavorName: 'm1.two',
        status: 'ACTIVE',
        hours: 1,
        vcpus: 2,
        ramMb: 1024,
        diskGb: 15,
        endedAt: null,
      }),
    ])
  })

  it('takes the last four weeks, to now, when no window is given', async () => {
    const { projectUsage } = await owner.client.ask<{ projectUsage: { start: string; end: string; totalHours: number } }>(
      'query ($id: ID!) { projectUsage(projectId: $id) { start end totalHours } }',
      { id: owner.projectId },
    )
    const hours = (Date.parse(projectUsage.end) - Date.parse(projectUsage.start)) / hourMs
    expect(hours).toBe(28 * 24)
    // Two servers of the list run to this day; none is counted into the future.
    expect(projectUsage.totalHours).toBeCloseTo(2 * hours, 5)
    const future = await show(owner.client, { start: projectUsage.start, end: '2999-01-01T00:00:00.000Z' })
    expect(future.totalHours).toBeLessThan(2 * hours + 1)
  })

  it('refuses a window that ends before it begins, or lies ahead', async () => {
    for (const window of [
      { start: iso(end), end: iso(start) },
      { start: iso(start), end: iso(start) },
      { start: '2998-01-01T00:00:00.000Z', end: '2999-01-01T00:00:00.000Z' },
    ]) {
      const refused = await owner.client.refused(showDocument, { id: owner.projectId, ...window })
      expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['start'] })
    }
  })

  it('lists all projects for administrators, in pages, and shows others nothing but their own', async () => {
    const stranger = await test.user('member')
    expect((await stranger.client.refused(showDocument, { id: owner.projectId })).code).toBe('FORBIDDEN')
    const listDocument =
      'query ($start: DateTime, $end: DateTime, $after: String) { projectUsages(start: $start, end: $end, first: 1, after: $after) { totalCount isPartial pageInfo { endCursor hasNextPage } nodes { projectId totalHours servers { totalCount } } } }'
    const window = { start: iso(start), end: iso(end) }
    expect((await owner.client.refused(listDocument, window)).code).toBe('FORBIDDEN')
    const [pattern] = fixtures(stranger.projectId, stranger.userId, 1)
    await plant(test, [{ ...(pattern as Fixture), uuid: stranger.userId, launched_at: start, terminated_at: start + hourMs }])
    type Listed = {
      projectUsages: { totalCount: number; pageInfo: { endCursor: string }; nodes: { projectId: string; totalHours: number }[] }
    }
    const first = (await test.admin.ask<Listed>(listDocument, window)).projectUsages
    const second = (await test.admin.ask<Listed>(listDocument, { ...window, after: first.pageInfo.endCursor })).projectUsages
    expect(first.totalCount).toBe(2)
    const found = Object.fromEntries([...first.nodes, ...second.nodes].map((node) => [node.projectId, node.totalHours]))
    expect(found).toEqual({ [owner.projectId]: 4, [stranger.projectId]: 1 })
    const otherWindow = { ...window, start: iso(start + 1), after: first.pageInfo.endCursor }
    expect((await test.admin.refused(listDocument, otherWindow)).code).toBe('CURSOR_INVALID')
    // Nothing used: zero, not an error.
    const none = await test.admin.ask<{ projectUsage: Usage }>(showDocument, { id: 'nobody', ...window })
    expect(none.projectUsage).toMatchObject({ totalHours: 0, servers: { totalCount: 0 } })
  })
})
