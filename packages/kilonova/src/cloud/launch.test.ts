import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud, until } from './cloud.testkit.js'

const createServer = `mutation ($input: CreateServerInput!) {
  createServer(input: $input) { server { id status } servers { id name } adminPassword operation { id } }
}`
interface Created {
  createServer: {
    server: { id: string; status: string }
    servers: { id: string; name: string }[]
    adminPassword: string
    operation: { id: string }
  }
}

describe.each(dialects)('a launch on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  const server = (id: string) =>
    test.admin.ask<{
      server: {
        status: string
        taskState: string | null
        host: string | null
        addresses: { address: string }[]
        fault: { message: string; errorCode: string } | null
      } | null
    }>('query ($id: ID!) { server(id: $id) { status taskState host addresses { address } fault { message errorCode } } }', { id })
  const input = (name: string, more: object = {}) => ({ input: { name, imageId, flavorId: '0', networks: { mode: 'AUTO' }, ...more } })

  it('A-LAUNCH-11 A-LAUNCH-17 builds a server, answers BUILD first and ACTIVE later, and D-ACT-2 deletes it', async () => {
    const created = await test.admin.ask<Created>(createServer, input('first'))
    expect(created.createServer.server.status).toBe('BUILD')
    expect(created.createServer.adminPassword).toMatch(/^[0-9a-zA-Z]{12}$/)
    const { id } = created.createServer.server
    const active = await until(
      'ACTIVE',
      () => server(id),
      ({ server }) => server?.status === 'ACTIVE',
    )
    expect(active.server?.addresses).toHaveLength(1)
    expect(await test.cloud.plane.services.placement.allocationsOf(id)).toHaveLength(3)

    await test.admin.ask('mutation ($id: ID!) { deleteServer(input: { serverId: $id }) { deletedId } }', { id })
    await until(
      'deletion',
      () => server(id),
      ({ server }) => server === null,
    )
    expect(await test.cloud.plane.services.placement.allocationsOf(id)).toHaveLength(0)
  })

  it('A-CELL-7 buries a server that no host can take in cell0, with the fault and the funnel', async () => {
    await test.admin.ask('mutation ($input: CreateFlavorInput!) { createFlavor(input: $input) { flavor { id } } }', {
      input: { id: 'huge', name: 'huge', vcpus: 100000, ramMb: 1, diskGb: 1 },
    })
    const created = await test.admin.ask<Created>(createServer, input('too big', { flavorId: 'huge' }))
    const { id } = created.createServer.server
    const buried = await until(
      'ERROR',
      () => server(id),
      ({ server }) => server?.status === 'ERROR',
    )
    expect(buried.server?.fault).toMatchObject({ errorCode: 'NO_VALID_HOST' })
    expect(buried.server?.host).toBeNull()
    const { operation } = await until(
      'the operation',
      () =>
        test.admin.ask<{ operation: { state: string; error: { code: string }; schedulingSummary: { message: string } } }>(
          'query ($id: ID!) { operation(id: $id) { state error { code } schedulingSummary { message } } }',
          { id: created.createServer.operation.id },
        ),
      ({ operation }) => operation.state === 'FAILED',
    )
    expect(operation.error.code).toBe('NO_VALID_HOST')
    expect(operation.schedulingSummary.message).toBe('3 hosts, 0 after placement.')
    await test.admin.ask('mutation ($id: ID!) { deleteServer(input: { serverId: $id }) { deletedId } }', { id })
    expect((await server(id)).server).toBeNull()
  })

  it('A-LAUNCH-18 goes on to an alternate when the chosen host fails, and leaves nothing on the first', async () => {
    const created = await test.admin.ask<Created>(createServer, input('fail-spawn-on-fake-001'))
    const { id } = created.createServer.server
    const active = await until(
      'ACTIVE',
      () => server(id),
      ({ server }) => server?.status === 'ACTIVE' || server?.status === 'ERROR',
    )
    expect(active.server?.status).toBe('ACTIVE')
    expect(active.server?.host).not.toBe('fake-001')
    expect(await test.cloud.plane.services.placement.allocationsOf(id)).toHaveLength(3)
  })

  it('A-LAUNCH-18 ends in ERROR without host when every attempt failed', async () => {
    const created = await test.admin.ask<Created>(createServer, input('fail-spawn'))
    const { id } = created.createServer.server
    const failed = await until(
      'ERROR',
      () => server(id),
      ({ server }) => server?.status === 'ERROR',
    )
    expect(failed.server).toMatchObject({ host: null, fault: { errorCode: 'RETRIES_EXHAUSTED' } })
    expect(await test.cloud.plane.services.placement.allocationsOf(id)).toHaveLength(0)
  })

  it('A-LAUNCH-14 makes several servers under one parent operation', async () => {
    const created = await test.admin.ask<Created>(createServer, input('many', { minCount: 3 }))
    expect(created.createServer.servers.map((made) => made.name)).toEqual(['many-1', 'many-2', 'many-3'])
    const parent = await until(
      'the parent',
      () =>
        test.admin.ask<{ operation: { state: string; children: { totalCount: number } } }>(
          'query ($id: ID!) { operation(id: $id) { state children { totalCount } } }',
          { id: created.createServer.operation.id },
        ),
      ({ operation }) => operation.state !== 'RUNNING',
    )
    expect(parent.operation).toEqual({ state: 'SUCCEEDED', children: { totalCount: 3 } })
  })
})
