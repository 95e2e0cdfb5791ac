/** The scheduler's in-memory answer and placement's SQL are one formula (C-ALR-1…4), and no run of claims goes above a capacity. */
import type { ScheduleRequest } from '@kilonova/contract/rpc/scheduler'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Scratch, scratchDatabase, scratchDialects } from '../db/scratch.testkit.js'
import { type InventoryReport, PlacementService } from '../placement/placement.service.js'
import type { HostState } from './host-state.js'
import { decide } from './schedule.js'

const inventory = fc
  .record({
    total: fc.integer({ min: 1, max: 64 }),
    reserved: fc.integer({ min: 0, max: 8 }),
    minUnit: fc.integer({ min: 1, max: 3 }),
    maxUnit: fc.integer({ min: 1, max: 64 }),
    stepSize: fc.constantFrom(1, 1, 2, 4),
    // Ratios that binary fractions do not hold exactly are where two formulas come apart.
    allocationRatio: fc.constantFrom(1, 1.1, 1.5, 0.9, 2.3, 16),
  })
  .map((values): InventoryReport => ({ ...values, initialAllocationRatio: 1 }))
const provider = fc.record({ VCPU: inventory, MEMORY_MB: inventory, DISK_GB: inventory })
const amounts = fc.record({
  VCPU: fc.integer({ min: 0, max: 12 }),
  MEMORY_MB: fc.integer({ min: 0, max: 12 }),
  DISK_GB: fc.integer({ min: 0, max: 12 }),
})

const setup = { filters: [], weighers: [], hostSubsetSize: 1, random: () => 0 }
const requestFor = (wanted: Record<string, number>): ScheduleRequest => ({
  serverIds: ['s'],
  amounts: wanted,
  availabilityZone: null,
  imageProperties: {},
  requestedHost: null,
  requestedNode: null,
  ignoreHosts: [],
})

describe.each(scratchDialects)('placement on %s', (dialect) => {
  let scratch: Scratch
  let placement: PlacementService
  beforeAll(async () => {
    scratch = await scratchDatabase(dialect)
    placement = new PlacementService(scratch.database)
  })
  afterAll(() => scratch?.drop())

  const clear = () =>
    scratch.database.transaction(async (trx) => {
      for (const table of ['allocations', 'consumers', 'inventories', 'provider_traits', 'resource_providers'] as const) {
        await trx.deleteFrom(table).execute()
      }
    })
  const hostsOf = async (): Promise<HostState[]> =>
    (await placement.snapshot()).map((snapshot) => ({
      host: snapshot.name,
      node: snapshot.name,
      nodeId: snapshot.providerId,
      cellId: 'cell1',
      serviceEnabled: true,
      serviceUp: true,
      disabledReason: null,
      availabilityZones: ['nova'],
      hypervisorType: 'FAKE',
      hypervisorVersion: 1000,
      supportedInstances: [],
      provider: snapshot,
    }))

  it('C-ALR-1 offers the same hosts by SQL as the scheduler finds, and never gives more than there is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(provider, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(amounts, fc.nat(3)), { minLength: 1, maxLength: 12 }),
        async (providers, claims) => {
          await clear()
          for (const [index, inventories] of providers.entries())
            await placement.reportInventory(`p${index}`, `host-${index}`, inventories, [])
          for (const [number, [wanted, pick]] of claims.entries()) {
            const ranked = decide(requestFor(wanted), await hostsOf(), setup).ranked.map((host) => host.nodeId)
            expect([...ranked].sort()).toEqual(await placement.candidates(wanted))
            const target = `p${pick % providers.length}`
            const given = await placement.claim({ id: `c${number}`, projectId: 'p', userId: 'u' }, target, wanted)
            expect(given).toBe(ranked.includes(target))
          }
          for (const { inventories } of await placement.snapshot()) {
            for (const { used, total, reserved, ratio } of Object.values(inventories)) {
              expect(used).toBeLessThanOrEqual(Math.max(Math.floor((total - reserved) * ratio), 0))
            }
          }
        },
      ),
      { numRuns: dialect === 'sqlite' ? 60 : 25 },
    )
  })

  it('gives the last place once, however many ask at the same time', async () => {
    await clear()
    const one = { total: 1, reserved: 0, minUnit: 1, maxUnit: 1, stepSize: 1, allocationRatio: 1, initialAllocationRatio: 1 }
    await placement.reportInventory('p', 'host', { VCPU: one }, [])
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => placement.claim({ id: `c${index}`, projectId: 'p', userId: 'u' }, 'p', { VCPU: 1 })),
    )
    expect(answers.filter(Boolean)).toHaveLength(1)
  })

  it('C-ALR-2 takes the ratio of the report, else keeps what placement has, else begins with the initial one', async () => {
    await clear()
    const report = (allocationRatio: number | null, initialAllocationRatio: number) =>
      placement.reportInventory(
        'p',
        'host',
        { VCPU: { total: 4, reserved: 0, minUnit: 1, maxUnit: 4, stepSize: 1, allocationRatio, initialAllocationRatio } },
        [],
      )
    const ratio = async () => (await placement.snapshot())[0]?.inventories.VCPU?.ratio
    await report(null, 16)
    expect(await ratio()).toBe(16)
    await report(null, 4)
    expect(await ratio()).toBe(16)
    await report(2, 4)
    expect(await ratio()).toBe(2)
    await report(null, 4)
    expect(await ratio()).toBe(2)
  })

  it('C-ALR-4 does not offer what is reserved', async () => {
    await clear()
    const some = { total: 4, reserved: 3, minUnit: 1, maxUnit: 4, stepSize: 1, allocationRatio: 1, initialAllocationRatio: 1 }
    await placement.reportInventory('p', 'host', { VCPU: some }, [])
    expect(await placement.candidates({ VCPU: 1 })).toEqual(['p'])
    expect(await placement.candidates({ VCPU: 2 })).toEqual([])
  })
})
