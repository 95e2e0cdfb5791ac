/** `kilonova up` as processes of their own, and a look at what they left when they are stopped. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cell0Id } from '@kilonova/api/cells/cells.service'
import { Database } from '@kilonova/api/db/database'
import type { ApiSchema, CellSchema } from '@kilonova/api/db/schemas'
import { audit, type Finding } from '@kilonova/api/manage/auditor'
import { createLogger } from '@kilonova/runtime/logger'
import { TestClient, until } from './cloud.testkit.js'
import { cell1Id } from './deployment.js'

const root = join(import.meta.dirname, '../../../..')

/** Processes run what is built; tests run the sources. */
export function build(): void {
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b', 'packages/kilonova'], { cwd: root })
}

export class RunningProcess {
  readonly #args: string[]
  #child: ChildProcess | undefined
  url = ''

  /** @param args of `up`, without its name */
  constructor(args: string[]) {
    this.#args = args
  }

  /** Resolves when it says that it is up. */
  async up(): Promise<void> {
    const args = [join(root, 'packages/kilonova/dist/main.js'), 'up', '--no-install', ...this.#args]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let said = ''
    this.url = await new Promise<string>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        said += String(chunk)
        const url = /Kilonova is up: (\S+)/.exec(said)?.[1]
        if (url !== undefined) resolve(url)
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', (code) => reject(new Error(`up ended with ${code}: ${said}`)))
    })
  }

  /** With SIGKILL nothing is told to the process, nothing is flushed. */
  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }
}

export async function signInAsAdmin(url: string, folder: string): Promise<TestClient> {
  const { username, password } = JSON.parse(readFileSync(join(folder, 'admin.json'), 'utf8')) as { username: string; password: string }
  const { login } = await new TestClient(url, null).ask<{ login: { session: { accessToken: string } } }>(
    'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }',
    { input: { username, password } },
  )
  return new TestClient(url, login.session.accessToken)
}

/** A public raw image with a little data. */
export async function smallImage(client: TestClient): Promise<string> {
  const { createImage } = await client.ask<{ createImage: { image: { id: string } } }>(
    'mutation { createImage(input: { name: "raw", diskFormat: RAW, visibility: PUBLIC }) { image { id } } }',
  )
  const { id } = createImage.image
  const { createImageUpload } = await client.ask<{ createImageUpload: { upload: { id: string; url: string } } }>(
    'mutation ($id: ID!) { createImageUpload(input: { imageId: $id }) { upload { id url } } }',
    { id },
  )
  await fetch(createImageUpload.upload.url, { method: 'PUT', body: new Uint8Array(4096).fill(7) })
  await client.ask('mutation ($id: ID!) { finalizeImageUpload(input: { uploadId: $id }) { image { id } } }', {
    id: createImageUpload.upload.id,
  })
  await until(
    'the image',
    () => client.ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', { id }),
    ({ image }) => image.status === 'ACTIVE',
  )
  return id
}

/** The databases of a data folder on SQLite. */
export const sqliteUrls =
  (folder: string) =>
  (name: string): string =>
    `sqlite://${join(folder, 'db', `${name}.db`)}`

/** Reads the databases and the hosts' files; nothing may be going on. */
export async function auditFolder(folder: string, urlOf = sqliteUrls(folder)): Promise<Finding[]> {
  const log = createLogger('silent')
  const open = <Schema>(name: string) => new Database<Schema>({ url: urlOf(name), name, log })
  const api = open<ApiSchema>('api')
  const cells = [
    { id: cell0Id, database: open<CellSchema>('cell0') },
    { id: cell1Id, database: open<CellSchema>('cell1') },
  ]
  const present = (host: string): string[] => {
    const guests = join(folder, 'hosts', host, 'guests')
    return existsSync(guests) ? readdirSync(guests).map((name) => name.replace(/\.json.*$/, '')) : []
  }
  try {
    return await audit({
      api,
      cells,
      hosts: readdirSync(join(folder, 'hosts')).map((host) => ({ host, present: present(host) })),
      imageFiles: readdirSync(join(folder, 'images')),
      quiet: true,
    })
  } finally {
    for (const { database } of cells) await database.close()
    await api.close()
  }
}
