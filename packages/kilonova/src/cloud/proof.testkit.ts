/** What the proofs share: servers by GraphQL, the auditor over a test cloud, and waiting until nothing is going on. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { audit, type Finding } from '@kilonova/api/manage/auditor'
import { FakeDriver } from '@kilonova/compute/drivers/fake/fake.driver'
import { type TestClient, type TestCloud, until } from './cloud.testkit.js'

export const createServerDocument = `mutation ($input: CreateServerInput!) {
  createServer(input: $input) { server { id status } servers { id } adminPassword operation { id } }
}`
export interface Created {
  server: { id: string; status: string }
  servers: { id: string }[]
  adminPassword: string | null
  operation: { id: string }
}

export const serverInput = (imageId: string, name: string, more: object = {}) => ({
  name,
  imageId,
  flavorId: '0',
  networks: { mode: 'AUTO' },
  ...more,
})

export async function create(client: TestClient, input: object): Promise<Created> {
  return (await client.ask<{ createServer: Created }>(createServerDocument, { input })).createServer
}

export interface SeenServer {
  id: string
  status: string
  host: string | null
  taskState: string | null
  fault: { message: string; errorCode: string } | null
}

export async function show(client: TestClient, id: string): Promise<SeenServer | null> {
  const answer = await client.ask<{ server: SeenServer | null }>(
    'query ($id: ID!) { server(id: $id) { id status host taskState fault { message errorCode } } }',
    { id },
  )
  return answer.server
}

export const untilStatus = (client: TestClient, id: string, ...statuses: string[]): Promise<SeenServer | null> =>
  until(
    `${statuses.join(' or ')} of ${id}`,
    () => show(client, id),
    (server) => statuses.includes(server?.status ?? 'GONE') && (server?.taskState ?? null) === null,
  )

export async function createActive(client: TestClient, input: object): Promise<string> {
  const { server } = await create(client, input)
  await untilStatus(client, server.id, 'ACTIVE')
  return server.id
}

export async function remove(client: TestClient, id: string): Promise<void> {
  await client.ask('mutation ($id: ID!) { deleteServer(input: { serverId: $id }) { deletedId } }', { id })
  await untilStatus(client, id, 'GONE')
}

/** Every saga has ended, every event is in the log. */
export async function settled(test: TestCloud): Promise<void> {
  const { plane } = test.cloud
  const cells = (await plane.cells.all()).map((cell) => cell.database)
  await until(
    'all sagas and events',
    async () => {
      let rows = 0
      for (const database of [plane.api, ...cells] as typeof cells) {
        rows += (await database.read.selectFrom('sagas').select('id').execute()).length
        rows += (await database.read.selectFrom('outbox').select('id').execute()).length
      }
      return rows
    },
    (rows) => rows === 0,
  )
}

/** Waits until nothing is going on, then looks for leftovers everywhere. */
export async function auditCloud(test: TestCloud): Promise<Finding[]> {
  await settled(test)
  const { plane, agents } = test.cloud
  const images = join(test.folder, 'images')
  return audit({
    api: plane.api,
    cells: await plane.cells.all(),
    hosts: await Promise.all(agents.map(async (agent) => ({ host: agent.host, present: await agent.driver.presentServers() }))),
    imageFiles: existsSync(images) ? readdirSync(images) : [],
    quiet: true,
  })
}

export function fakeDriver(test: TestCloud, host: string): FakeDriver {
  const driver = test.cloud.agents.find((agent) => agent.host === host)?.driver
  if (!(driver instanceof FakeDriver)) throw new Error(`no fake host ${host}`)
  return driver
}
