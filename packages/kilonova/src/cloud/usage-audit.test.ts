/** The usage audit: each server of a period is told of once, whoever does it and whoever dies over it. */
import { readAuditPeriod } from '@kilonova/api/modules/quotas/audit-period'
import { UsageAuditor } from '@kilonova/api/modules/quotas/usage-auditor'
import { createLogger } from '@kilonova/runtime/logger'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud, until } from './cloud.testkit.js'
import { cell1Id } from './deployment.js'
import { type Fixture, fixtures, plant } from './list.testkit.js'
import { settled } from './proof.testkit.js'

const document = `query ($before: DateTime) { usageAudit(before: $before) {
  periodStart periodEnd overallStatus totalServers totalErrors hosts { host state message servers errors }
} }`
interface Audit {
  periodStart: string
  periodEnd: string
  overallStatus: string
  totalServers: number
  totalErrors: number
  hosts: { host: string; state: string; message: string; servers: number; errors: number }[]
}
const hourMs = 3_600_000

describe.each(dialects)('D-NTF-16 the usage audit on %s', (dialect) => {
  let test: TestCloud
  let projectId: string
  beforeAll(async () => {
    test = await TestCloud.start({
      dialect,
      hosts: 2,
      config: { DEFAULT: { instance_usage_audit_period: 'hour' }, scheduler: { discover_hosts_in_cells_interval: 0.05 } },
    })
    const owner = await test.user('reader')
    projectId = owner.projectId
    const [pattern] = fixtures(projectId, owner.userId, 1)
    const now = await test.cloud.plane.api.readClock()
    const start = Math.floor(now / hourMs) * hourMs - hourMs
    const server = (number: number, host: string, launched: number | null, terminated: number | null, flavor?: string): Fixture => ({
      ...(pattern as Fixture),
      uuid: `${number}0000000-aaaa-4aaa-8aaa-${projectId.slice(-12)}`,
      host,
      launched_at: launched,
      terminated_at: terminated,
      deleted_at: terminated,
      ...(flavor === undefined ? {} : { flavor }),
    })
    await plant(test, [
      server(1, 'fake-001', start - hourMs, null),
      server(2, 'fake-001', start, start + 1000),
      server(3, 'fake-002', start + 1000, null),
      server(4, 'fake-001', start - 2000, start), // gone before
      server(5, 'fake-002', start + hourMs, null), // begins after
      server(6, 'fake-002', null, null), // never ran
      server(7, 'fake-002', start, null, '{}'), // cannot be told of
    ])
  })
  afterAll(() => test?.destroy())

  const audit = async (before?: string): Promise<Audit | null> =>
    (await test.admin.ask<{ usageAudit: Audit | null }>(document, { before })).usageAudit
  const auditor = (owner: string): UsageAuditor => {
    const { api, cells } = test.cloud.plane
    const period = readAuditPeriod('hour')
    if (period === null) throw new Error('no period')
    return new UsageAuditor({ api, cells, period, owner, publisherId: 'nova-api:test', log: createLogger('silent') })
  }
  const toldOf = async (): Promise<string[]> => {
    await settled(test)
    const rows = await test.cloud.plane.api.read
      .selectFrom('event_log')
      .select('subject_id')
      .where('event_type', '=', 'instance.exists')
      .orderBy('subject_id')
      .execute()
    return rows.map((row) => row.subject_id.slice(0, 1))
  }
  const cell = async () => (await test.cloud.plane.cells.get(cell1Id)).database

  it('is off unless asked for', async () => {
    expect(await audit()).toBeNull()
    expect(await toldOf()).toEqual([])
  })

  it('leaves a host to the process that has taken it, and takes it over when that has died', async () => {
    const database = await cell()
    const end = Math.floor((await test.cloud.plane.api.readClock()) / hourMs) * hourMs
    const row = { host: 'fake-001', period_start: end - hourMs, period_end: end, state: 'running', owner: 'dead', message: 'Under way.' }
    await database.transaction((trx) =>
      trx
        .insertInto('usage_audits')
        .values({ ...row, claimed_until: Date.now() + hourMs, servers: 0, errors: 0 })
        .execute(),
    )
    await auditor('a').run()
    expect(await audit()).toMatchObject({
      periodStart: new Date(end - hourMs).toISOString(),
      periodEnd: new Date(end).toISOString(),
      overallStatus: '1 of 2 hosts done. 1 errors.',
      hosts: [
        { host: 'fake-001', state: 'RUNNING', servers: 0 },
        { host: 'fake-002', state: 'DONE', servers: 2, errors: 1, message: '2 servers, 1 errors.' },
      ],
    })
    expect(await toldOf()).toEqual(['3'])
    await database.transaction((trx) => trx.updateTable('usage_audits').set({ claimed_until: 0 }).where('host', '=', 'fake-001').execute())
    // Several at once: each server is still told of once.
    await Promise.all(['a', 'b', 'c'].map((owner) => auditor(owner).run()))
    expect(await audit()).toMatchObject({ overallStatus: '2 of 2 hosts done. 1 errors.', totalServers: 4, totalErrors: 1 })
    expect(await toldOf()).toEqual(['1', '2', '3'])
  })

  it('tells owners what was there, in the period', async () => {
    const events = await test.cloud.plane.api.read.selectFrom('event_log').selectAll().where('event_type', '=', 'instance.exists').execute()
    const [first] = events.filter((event) => event.subject_id.startsWith('2'))
    expect(first?.project_id).toBe(projectId)
    const { data } = JSON.parse(first?.payload ?? '{}') as { data: Record<string, unknown> }
    expect(data).toMatchObject({ deleted: true, flavor: { name: 'm1.nano', vcpus: 1, memory_mb: 128 } })
    expect(data.audit_period).toEqual({
      audit_period_beginning: (await audit())?.periodStart,
      audit_period_ending: (await audit())?.periodEnd,
    })
  })

  it('is for administrators', async () => {
    const { client } = await test.user('member')
    expect(await client.refused(document)).toMatchObject({ code: 'FORBIDDEN' })
    expect((await test.nobody.refused(document)).code).toBe('UNAUTHENTICATED')
  })
})

describe('DEFAULT.instance_usage_audit', () => {
  let test: TestCloud
  beforeAll(async () => {
    test = await TestCloud.start({
      hosts: 1,
      config: {
        DEFAULT: { instance_usage_audit: true, instance_usage_audit_period: 'year' },
        scheduler: { discover_hosts_in_cells_interval: 0.05 },
      },
    })
  })
  afterAll(() => test?.destroy())

  it('runs the audit by itself, of the last period only', async () => {
    const audit = async (before?: string): Promise<Audit | null> =>
      (await test.admin.ask<{ usageAudit: Audit | null }>(document, { before })).usageAudit
    const done = await until(
      'the audit',
      () => audit(),
      (now) => now?.overallStatus === '1 of 1 hosts done. 0 errors.',
    )
    expect(done?.hosts).toMatchObject([{ host: 'fake-001', state: 'DONE', servers: 0, errors: 0 }])
    expect(await audit(done?.periodStart)).toMatchObject({
      periodEnd: done?.periodStart,
      overallStatus: '0 of 1 hosts done. 0 errors.',
      hosts: [{ host: 'fake-001', state: 'NOT_RUN', message: 'Not run.' }],
    })
  })
})
