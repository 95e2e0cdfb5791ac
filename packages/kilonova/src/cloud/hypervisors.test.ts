/** Hypervisors: what administrators see of hosts, of what runs there, and of what is used. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud } from './cloud.testkit.js'
import { createActive, remove, serverInput } from './proof.testkit.js'

const unknown = '99999999-9999-4999-8999-999999999999'

describe.each(dialects)('hypervisors on %s', (dialect) => {
  let test: TestCloud
  let imageId: string

  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  it('shows of a hypervisor its servers and what is used of it, in all and by project', async () => {
    const options = { host: 'fake-002', flavorId: '1', networks: { mode: 'NONE' } }
    const mine = await createActive(test.admin, serverInput(imageId, 'mine', options))
    const document = `query ($id: ID!, $after: String) { hypervisor(id: $id) {
      hypervisorHostname state status hypervisorType uptime availabilityZone service { host }
      servers(first: 1, after: $after) { totalCount pageInfo { endCursor } nodes { id } }
      usage { scope vcpus ramMb diskGb project { id } }
    } }`
    interface Shown {
      hypervisor: {
        servers: { totalCount: number; nodes: { id: string }[] }
        usage: { scope: string; vcpus: number; ramMb: number; diskGb: number; project: { id: string } | null }[]
      } | null
    }
    const { computeServices } = await test.admin.ask<{ computeServices: { nodes: { hypervisors: { id: string }[] }[] } }>(
      '{ computeServices(filter: { host: "fake-002" }) { nodes { hypervisors { id } } } }',
    )
    const id = computeServices.nodes[0]?.hypervisors[0]?.id
    const { hypervisor } = await test.admin.ask<Shown>(document, { id })
    expect(hypervisor).toMatchObject({
      hypervisorHostname: 'fake-002',
      state: 'UP',
      status: 'ENABLED',
      hypervisorType: 'FAKE',
      availabilityZone: 'nova',
      service: { host: 'fake-002' },
      servers: { totalCount: 1, nodes: [{ id: mine }] },
    })
    const row = (scope: string) => hypervisor?.usage.find((candidate) => candidate.scope === scope)
    const provider = (await test.cloud.plane.services.placement.snapshot()).find((candidate) => candidate.providerId === id)
    const reserved = provider?.inventories.MEMORY_MB?.reserved ?? Number.NaN
    expect(row('TOTAL')).toMatchObject({ ramMb: provider?.inventories.MEMORY_MB?.total, project: null })
    expect(row('USED_MAX')).toMatchObject({ vcpus: 1, ramMb: 512, diskGb: 1 })
    expect(row('USED_NOW')).toMatchObject({ ramMb: 512 + reserved })
    expect(hypervisor?.usage.filter(({ scope }) => scope === 'PROJECT')).toMatchObject([{ vcpus: 1, ramMb: 512, diskGb: 1 }])
    expect(row('PROJECT')?.project?.id).toMatch(/./)
    expect(await test.admin.ask(document, { id: unknown })).toEqual({ hypervisor: null })
    const names = async (filter: Record<string, unknown>): Promise<string[]> =>
      (
        await test.admin.ask<{ hypervisors: { nodes: { hypervisorHostname: string }[] } }>(
          'query ($filter: HypervisorFilter) { hypervisors(filter: $filter) { nodes { hypervisorHostname } } }',
          { filter },
        )
      ).hypervisors.nodes.map((node) => node.hypervisorHostname)
    expect(await names({ hypervisorHostname: 'KE-002' })).toEqual(['fake-002'])
    expect(await names({ status: 'DISABLED' })).toEqual([])
    expect(await names({ hypervisorType: 'QEMU' })).toEqual([])
    expect(await names({ availabilityZone: 'nova', state: 'UP' })).toEqual(['fake-001', 'fake-002', 'fake-003'])
    await remove(test.admin, mine)
  })
})
