import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestCloud, until } from './cloud.testkit.js'
import { auditCloud, create, serverInput } from './proof.testkit.js'

describe('200 servers on 100 hosts', () => {
  let test: TestCloud
  beforeAll(async () => {
    test = await TestCloud.start({ hosts: 100 })
  })
  afterAll(() => test?.destroy())

  it('all become ACTIVE, claims equal the sum of their flavors, and nothing is left', async () => {
    const imageId = await test.image()
    const flavors = [
      { id: '0', VCPU: 1, MEMORY_MB: 128, DISK_GB: 1 },
      { id: '1', VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 },
      { id: '2', VCPU: 1, MEMORY_MB: 2048, DISK_GB: 20 },
      { id: '3', VCPU: 2, MEMORY_MB: 4096, DISK_GB: 40 },
    ]
    const waiting = Array.from({ length: 200 }, (_, index) => index)
    const worker = async () => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
        await create(test.admin, serverInput(imageId, `many-${index}`, { flavorId: flavors[index % 4]?.id }))
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    const counts = await until(
      '200 ACTIVE servers',
      async () => {
        const { servers } = await test.admin.ask<{ servers: { nodes: { status: string }[] } }>(
          '{ servers(first: 500) { nodes { status } } }',
        )
        return Object.fromEntries(
          ['ACTIVE', 'ERROR', 'BUILD'].map((status) => [status, servers.nodes.filter((one) => one.status === status).length]),
        )
      },
      (seen) => seen.BUILD === 0,
    )
    expect(counts).toEqual({ ACTIVE: 200, ERROR: 0, BUILD: 0 })
    const sums = await test.cloud.plane.api.read
      .selectFrom('allocations')
      .select(['resource_class', (eb) => eb.fn.sum<number>('used').as('used')])
      .groupBy('resource_class')
      .execute()
    const expected = (resourceClass: 'VCPU' | 'MEMORY_MB' | 'DISK_GB') =>
      flavors.reduce((sum, flavor) => sum + 50 * flavor[resourceClass], 0)
    expect(Object.fromEntries(sums.map((row) => [row.resource_class, Number(row.used)]))).toEqual({
      VCPU: expected('VCPU'),
      MEMORY_MB: expected('MEMORY_MB'),
      DISK_GB: expected('DISK_GB'),
    })
    expect(await auditCloud(test)).toEqual([])
  })
})
