import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CellDatabase } from '@kilonova/api/cells/cells.service'
import type { ApiSchema } from '@kilonova/api/db/schemas'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dialects, TestCloud } from './cloud.testkit.js'
import { cell1Id } from './deployment.js'
import { auditCloud, create, createActive, fakeDriver, serverInput, show, untilStatus } from './proof.testkit.js'

describe.each(dialects)('the auditor on %s', (dialect) => {
  let test: TestCloud
  let imageId: string
  let serverId: string
  let buriedId: string
  const undo: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 2 })
    imageId = await test.image()
    serverId = await createActive(test.admin, serverInput(imageId, 'audited'))
    await test.admin.ask('mutation ($input: CreateFlavorInput!) { createFlavor(input: $input) { flavor { id } } }', {
      input: { id: 'huge', name: 'huge', vcpus: 100000, ramMb: 1, diskGb: 1 },
    })
    const buried = await create(test.admin, serverInput(imageId, 'buried', { flavorId: 'huge' }))
    buriedId = buried.server.id
    await untilStatus(test.admin, buriedId, 'ERROR')
  })
  afterAll(() => test?.destroy())

  beforeEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
    expect(await auditCloud(test)).toEqual([])
  })

  const kinds = async () => [...new Set((await auditCloud(test)).map((finding) => finding.kind))]
  const api = <T>(work: Parameters<typeof test.cloud.plane.api.transaction<T>>[0]) => test.cloud.plane.api.transaction(work)
  const cell = async <T>(work: (trx: Parameters<Parameters<CellDatabase['transaction']>[0]>[0]) => Promise<T>) =>
    (await test.cloud.plane.cells.get(cell1Id)).database.transaction(work)
  const rows = async <T extends keyof ApiSchema>(table: T) =>
    (await api((trx) =>
      trx
        .selectFrom(table as 'allocations')
        .selectAll()
        .execute(),
    )) as unknown as Record<string, string | number>[]
  /** Removes rows of a table of the API database until the next test. */
  const without = async (table: 'ports' | 'allocations' | 'instance_mappings' | 'build_requests', column: string, value: string) => {
    const taken = (await rows(table)).filter((row) => row[column] === value)
    await api((trx) =>
      trx
        .deleteFrom(table)
        .where(column as never, '=', value as never)
        .execute(),
    )
    undo.push(() =>
      api((trx) =>
        trx
          .insertInto(table)
          .values(taken as never)
          .execute(),
      ),
    )
  }
  /** Changes a row of the cell until the next test. */
  const withInstance = async (change: Record<string, string | number | null>, back: Record<string, string | number | null>) => {
    await cell((trx) => trx.updateTable('instances').set(change).where('uuid', '=', serverId).execute())
    undo.push(() => cell((trx) => trx.updateTable('instances').set(back).where('uuid', '=', serverId).execute()))
  }

  it('finds claims of a consumer that has no host, and consumers without claims', async () => {
    const ghost = randomUUID()
    const [claim] = await rows('allocations')
    await api(async (trx) => {
      await trx.insertInto('consumers').values({ uuid: ghost, project_id: 'p', user_id: 'u', generation: 0, created_at: 0 }).execute()
    })
    undo.push(() => test.cloud.plane.services.placement.release(ghost))
    expect(await kinds()).toEqual(['consumer-empty'])
    await api((trx) =>
      trx
        .insertInto('allocations')
        .values({ consumer_uuid: ghost, provider_uuid: String(claim?.provider_uuid), resource_class: 'VCPU', used: 1 })
        .execute(),
    )
    expect(await kinds()).toEqual(['allocation-orphan'])
  })

  it('finds a server whose claims are missing, or too small, or on another host', async () => {
    await without('allocations', 'consumer_uuid', serverId)
    expect(await kinds()).toEqual(['consumer-empty', 'allocation-wrong'])
    for (const step of undo.splice(0)) await step()
    const other = (await rows('resource_providers')).find((row) => row.name !== 'fake-001')
    const mine = (await rows('allocations')).find((row) => row.consumer_uuid === serverId)
    const server = await show(test.admin, serverId)
    const away = server?.host === 'fake-001' ? other : (await rows('resource_providers')).find((row) => row.name === 'fake-001')
    await api((trx) =>
      trx
        .updateTable('allocations')
        .set({ provider_uuid: String(away?.uuid) })
        .where('consumer_uuid', '=', serverId)
        .execute(),
    )
    undo.push(() =>
      api((trx) =>
        trx
          .updateTable('allocations')
          .set({ provider_uuid: String(mine?.provider_uuid) })
          .where('consumer_uuid', '=', serverId)
          .execute(),
      ),
    )
    expect(await kinds()).toEqual(['allocation-elsewhere'])
  })

  it('finds ports and addresses of servers that are gone, and servers whose ports are gone', async () => {
    await without('ports', 'device_id', serverId)
    expect(await kinds()).toEqual(['address-orphan', 'port-missing'])
    for (const step of undo.splice(0)) await step()
    await api((trx) => trx.updateTable('ports').set({ device_id: buriedId }).where('device_id', '=', serverId).execute())
    undo.push(() => api((trx) => trx.updateTable('ports').set({ device_id: serverId }).where('device_id', '=', buriedId).execute()))
    expect(await kinds()).toEqual(['port-orphan'])
  })

  it('finds mappings that lead nowhere, lost deletions and servers without mapping', async () => {
    await without('instance_mappings', 'instance_uuid', serverId)
    expect(await kinds()).toEqual(['mapping-missing'])
    for (const step of undo.splice(0)) await step()
    const set = (values: object) =>
      api((trx) => trx.updateTable('instance_mappings').set(values).where('instance_uuid', '=', serverId).execute())
    undo.push(() => set({ cell_uuid: cell1Id, queued_for_delete: 0 }))
    await set({ queued_for_delete: 1 })
    expect(await kinds()).toEqual(['delete-lost'])
    await set({ queued_for_delete: 0, cell_uuid: null })
    expect(await kinds()).toEqual(['mapping-lost'])
    await set({ cell_uuid: '00000000-0000-0000-0000-000000000000' })
    expect(await kinds()).toEqual(['mapping-wrong'])
    await set({ cell_uuid: cell1Id })
    await api((trx) =>
      trx
        .insertInto('instance_mappings')
        .values({ instance_uuid: 'ghost', cell_uuid: cell1Id, project_id: 'p', user_id: 'u', created_at: 0 })
        .execute(),
    )
    undo.push(() => api((trx) => trx.deleteFrom('instance_mappings').where('instance_uuid', '=', 'ghost').execute()))
    expect(await kinds()).toEqual(['mapping-stale'])
  })

  it('finds build requests and passwords that a build left, and servers and operations nobody works on', async () => {
    await api((trx) =>
      trx
        .insertInto('build_requests')
        .values({ instance_uuid: 'ghost', project_id: 'p', instance: '{}', vcpus: 1, memory_mb: 1, created_at: 0, updated_at: 0 })
        .execute(),
    )
    undo.push(() => api((trx) => trx.deleteFrom('build_requests').where('instance_uuid', '=', 'ghost').execute()))
    expect(await kinds()).toEqual(['build-request-left'])
    for (const step of undo.splice(0)) await step()

    const spec = String((await rows('request_specs')).find((row) => row.instance_uuid === serverId)?.spec)
    const set = (text: string) =>
      api((trx) => trx.updateTable('request_specs').set({ spec: text }).where('instance_uuid', '=', serverId).execute())
    await set(JSON.stringify({ ...JSON.parse(spec), adminPassword: 'v1.sealed' }))
    expect(await kinds()).toEqual(['secret-left'])
    await set(spec)

    await withInstance({ task_state: 'powering-off' }, { task_state: null })
    expect(await kinds()).toEqual(['instance-stuck'])
    for (const step of undo.splice(0)) await step()

    const operation = (await rows('operations')).find((row) => row.server_id === serverId)
    const state = (value: string) =>
      api((trx) => trx.updateTable('operations').set({ state: value }).where('id', '=', String(operation?.id)).execute())
    undo.push(() => state('SUCCEEDED'))
    await state('RUNNING')
    expect(await kinds()).toEqual(['operation-stuck'])
  })

  it('finds guests that should not be on a host, and hosts that lack a guest', async () => {
    const server = await show(test.admin, serverId)
    const host = server?.host ?? ''
    const other = host === 'fake-001' ? 'fake-002' : 'fake-001'
    const file = join(test.folder, 'hosts', host, 'guests', `${serverId}.json`)
    const ghost = randomUUID()
    const { readFileSync } = await import('node:fs')
    const guest = JSON.parse(readFileSync(file, 'utf8')) as { serverId: string }
    const plant = async (on: string, content: object) => {
      const { serverId: id } = content as { serverId: string }
      writeFileSync(join(test.folder, 'hosts', on, 'guests', `${id}.json`), JSON.stringify(content))
      await fakeDriver(test, on).start()
    }
    await plant(host, { ...guest, serverId: ghost })
    undo.push(() => fakeDriver(test, host).destroy(ghost))
    expect(await kinds()).toEqual(['guest-orphan'])
    for (const step of undo.splice(0)) await step()
    await plant(other, guest)
    undo.push(() => fakeDriver(test, other).destroy(serverId))
    expect(await kinds()).toEqual(['guest-orphan', 'guest-twice'])
    for (const step of undo.splice(0)) await step()
    await fakeDriver(test, host).destroy(serverId)
    undo.push(() => plant(host, guest))
    expect(await kinds()).toEqual(['guest-missing'])
  })

  it('finds image files of no image, images without data and imports nobody does', async () => {
    const ghost = randomUUID()
    const { rmSync, renameSync } = await import('node:fs')
    const file = (name: string) => join(test.folder, 'images', name)
    writeFileSync(file(`${ghost}.image`), '')
    writeFileSync(file(`${ghost}.part`), '')
    undo.push(
      async () => rmSync(file(`${ghost}.image`)),
      async () => rmSync(file(`${ghost}.part`)),
    )
    expect((await kinds()).sort()).toEqual(['image-file-orphan', 'upload-file-orphan'])
    for (const step of undo.splice(0)) await step()
    renameSync(file(`${imageId}.image`), file('elsewhere'))
    undo.push(async () => renameSync(file('elsewhere'), file(`${imageId}.image`)))
    expect(await kinds()).toEqual(['image-file-missing'])
    for (const step of undo.splice(0)) await step()
    const set = (status: string) => api((trx) => trx.updateTable('images').set({ status }).where('id', '=', imageId).execute())
    undo.push(() => set('ACTIVE'))
    await set('IMPORTING')
    expect((await kinds()).sort()).toEqual(['image-file-orphan', 'image-stuck'])
  })

  it('finds console tokens of servers that are gone', async () => {
    await cell((trx) =>
      trx
        .insertInto('console_auth_tokens')
        .values({
          token_hash: 'h',
          instance_uuid: 'ghost',
          user_id: 'u',
          project_id: 'p',
          login_session_id: 's',
          console_type: 'NOVNC',
          mode: 'VIEW',
          expires_at: 0,
          created_at: 0,
        })
        .execute(),
    )
    undo.push(() => cell((trx) => trx.deleteFrom('console_auth_tokens').where('instance_uuid', '=', 'ghost').execute()))
    expect(await kinds()).toEqual(['console-token-left'])
  })
})
