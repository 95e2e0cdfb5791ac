/** Parallel requests of one project: each finds room before any is written, which is when only the second look helps. */
import { CloudError } from '@kilonova/contract/errors'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scratchDialects } from '../../db/scratch.testkit.js'
import { QuotaWorld, size, type WorldOptions } from './quota.testkit.js'

const requests = 16
const limit = 10

describe.each(scratchDialects)('on %s', (dialect) => {
  let world: QuotaWorld
  beforeAll(async () => {
    world = await QuotaWorld.make(dialect)
  })
  afterAll(() => world?.drop())

  /** All have been admitted before the first one writes. */
  async function atOnce(options: WorldOptions, moveOn = false) {
    const quotas = world.quotas(options)
    const owner = { projectId: await world.project(), userId: 'u' }
    let waiting = 0
    let open = (): void => {}
    const allAdmitted = new Promise<void>((resolve) => {
      open = resolve
    })
    const results = await Promise.allSettled(
      Array.from({ length: requests }, () =>
        quotas.admitServers(owner, size, { minCount: 1, maxCount: 1 }, async (_admitted, recheck) => {
          waiting += 1
          if (waiting === requests) open()
          await allAdmitted
          const uuid = await world.db.transaction(async (trx) => {
            const written = await world.write(trx, owner)
            await recheck(trx)
            return written
          })
          if (moveOn) await world.moveToCell(uuid)
        }),
      ),
    )
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    return { servers: await world.servers(owner.projectId), refusals }
  }

  it.each([
    ['from placement', { count_usage_from_placement: true }, false],
    ['from the cells', { count_usage_from_placement: false }, false],
    ['from the cells, while servers move into theirs', { count_usage_from_placement: false }, true],
  ] as const)('C-QTA-1 A-ACT-42 the recheck lets no race above the limit, counted %s', async (_name, options, moveOn) => {
    const { servers, refusals } = await atOnce(options, moveOn)
    expect(servers).toBe(limit)
    expect(refusals).toHaveLength(requests - limit)
    for (const refusal of refusals) {
      expect(refusal).toBeInstanceOf(CloudError)
      expect(refusal).toMatchObject({
        code: 'QUOTA_EXCEEDED',
        exception: 'TooManyInstances',
        message: 'Quota exceeded for instances: Requested 1, but already used 10 of 10 instances',
        extra: { exceeded: [{ resource: 'SERVERS', requested: 1, inUse: 10, limit: 10 }] },
      })
    }
  })

  it('C-QTA-1 without quota.recheck_quota the race is open: all that were admitted stay', async () => {
    const { servers, refusals } = await atOnce({ recheck: false })
    expect(servers).toBe(requests)
    expect(refusals).toEqual([])
  })

  it('C-UNL-4 C-UNL-5 rechecks servers under unified limits, by every class they claim', async () => {
    await world.db.transaction((trx) =>
      trx
        .insertInto('registered_limits')
        .values([
          { resource_name: 'servers', default_limit: 100 },
          { resource_name: 'class:VCPU', default_limit: -1 },
          { resource_name: 'class:MEMORY_MB', default_limit: 51200 },
          { resource_name: 'class:DISK_GB', default_limit: limit * size.DISK_GB },
        ])
        .execute(),
    )
    const { servers, refusals } = await atOnce({ driver: 'nova.quota.UnifiedLimitsDriver' })
    expect(servers).toBe(limit)
    expect(refusals[0]).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      extra: { exceeded: [{ resource: 'class:DISK_GB', requested: 2, inUse: 20, limit: 20 }] },
    })
  })

  it('C-QTA-5 cuts a request that lost a race to what is left, down to its minCount', async () => {
    const quotas = world.quotas()
    const owner = { projectId: await world.project(), userId: 'u' }
    let tries = 0
    const made = await quotas.admitServers(owner, size, { minCount: 1, maxCount: 10 }, async (admitted, recheck) => {
      tries += 1
      // Another request gets through between the first look and the second.
      if (tries === 1) for (let index = 0; index < 4; index++) await world.db.transaction((trx) => world.write(trx, owner))
      return world.db.transaction(async (trx) => {
        for (let index = 0; index < admitted; index++) await world.write(trx, owner)
        await recheck(trx)
        return admitted
      })
    })
    expect({ made, tries, servers: await world.servers(owner.projectId) }).toEqual({ made: 6, tries: 2, servers: 10 })
  })

  it('A-CELL-37 misses the servers of a cell that does not answer, and sees them again when it does', async () => {
    const quotas = world.quotas({ count_usage_from_placement: false })
    const owner = { projectId: await world.project(), userId: 'u' }
    const deadCell = '11111111-1111-4111-8111-111111111111'
    for (let index = 0; index < limit; index++) {
      const uuid = await world.db.transaction((trx) => world.write(trx, owner))
      await world.moveToCell(uuid, deadCell)
    }
    const make = () => quotas.admitServers(owner, size, { minCount: 1, maxCount: 100 }, async (admitted) => admitted)
    // The cell is known and answers without them being there: they were made since it was asked.
    await expect(make()).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    await world.db.transaction((trx) =>
      trx
        .insertInto('cell_mappings')
        .values({ uuid: deadCell, transport_url: '', database_connection: 'postgres://127.0.0.1:1/nowhere', created_at: 0, updated_at: 0 })
        .execute(),
    )
    world.cells.refresh()
    expect(await make()).toBe(limit)
    // From placement and the API database they are never missed.
    await expect(world.quotas().admitServers(owner, size, { minCount: 1, maxCount: 1 }, async () => {})).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    })
    await world.db.transaction((trx) => trx.deleteFrom('cell_mappings').where('uuid', '=', deadCell).execute())
    world.cells.refresh()
  })
})
