/**
 * How fast the control plane is, with simulated hosts whose work takes no time: `node bench/control-plane.ts` after a build. Prints medians, CPU time of the whole
 * process per operation, and how each compares with the promise. Real time of this machine: nothing is asserted.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const hosts = 100
const pollMs = 2
const port = Number(process.env.KILONOVA_BENCH_PORT ?? 8931)
const folder = mkdtempSync(join(tmpdir(), 'kilonova-bench-'))
writeFileSync(join(folder, 'kilonova.yaml'), 'fake:\n  prepare_ms: 0\n  spawn_ms: 0\n  power_ms: 0\n')
const main = join(import.meta.dirname, '../packages/kilonova/dist/main.js')
const args = ['up', '--driver', 'fake', '--hosts', String(hosts), '--data', folder, '--port', String(port)]
const cloud = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
await untilUp(cloud)

let token = ''
async function ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  })
  const answer = (await response.json()) as { data: T; errors?: unknown }
  if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors))
  return answer.data
}

function untilUp(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
      if (output.includes('Kilonova is up')) resolve()
    })
    child.once('exit', () => reject(new Error(output)))
  })
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
/** CPU time of the cloud so far, in ms (clock ticks of 10 ms). */
function cpuMs(): number {
  const fields = readFileSync(`/proc/${cloud.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}
const rssMb = (): number => Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${cloud.pid}/status`, 'utf8'))?.[1]) / 1024)

async function measure(name: string, promiseMs: number, times: number, work: () => Promise<void>): Promise<void> {
  for (let warm = 0; warm < 3; warm += 1) await work()
  const cpu = cpuMs()
  const taken: number[] = []
  for (let time = 0; time < times; time += 1) {
    const begun = performance.now()
    await work()
    taken.push(performance.now() - begun)
  }
  const ms = median(taken)
  const perOperation = (cpuMs() - cpu) / times
  process.stdout.write(
    `${name.padEnd(34)} ${ms.toFixed(1).padStart(7)} ms  CPU ${perOperation.toFixed(1).padStart(6)} ms  promised ${promiseMs} ms (${(promiseMs / ms).toFixed(1)} x faster)\n`,
  )
}

try {
  const { password } = JSON.parse(readFileSync(join(folder, 'admin.json'), 'utf8')) as { password: string }
  const { login } = await ask<{ login: { session: { accessToken: string } } }>(
    'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }',
    { input: { username: 'admin', password } },
  )
  token = login.session.accessToken
  const { createImage } = await ask<{ createImage: { image: { id: string } } }>(
    'mutation ($input: CreateImageInput!) { createImage(input: $input) { image { id } } }',
    { input: { name: 'bench', diskFormat: 'RAW', containerFormat: 'BARE' } },
  )
  const imageId = createImage.image.id
  const { createImageUpload } = await ask<{ createImageUpload: { upload: { id: string; url: string } } }>(
    'mutation ($input: CreateImageUploadInput!) { createImageUpload(input: $input) { upload { id url } } }',
    { input: { imageId, sizeBytes: '65536' } },
  )
  const put = await fetch(createImageUpload.upload.url, { method: 'PUT', body: Buffer.alloc(65_536, 1) })
  if (!put.ok) throw new Error(`upload: ${put.status}`)
  await ask('mutation ($input: FinalizeImageUploadInput!) { finalizeImageUpload(input: $input) { operation { id } } }', {
    input: { uploadId: createImageUpload.upload.id },
  })
  for (let status = ''; status !== 'ACTIVE'; ) {
    status = (await ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', { id: imageId })).image.status
  }

  let made = 0
  const create = async (): Promise<string> => {
    made += 1
    const { createServer } = await ask<{ createServer: { server: { id: string } } }>(
      'mutation Create($input: CreateServerInput!) { createServer(input: $input) { server { id } } }',
      { input: { name: `bench-${made}`, imageId, flavorId: '0', networks: { mode: 'NONE' } } },
    )
    return createServer.server.id
  }
  const active = async (id: string): Promise<void> => {
    for (;;) {
      const { server } = await ask<{ server: { status: string } }>('query Status($id: ID!) { server(id: $id) { status } }', { id })
      if (server.status === 'ACTIVE') return
      if (server.status === 'ERROR') throw new Error(`${id} failed`)
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }
  let one = ''
  await measure('create to ACTIVE', 70, 40, async () => {
    one = await create()
    await active(one)
  })

  const launchMany = async (count: number): Promise<void> => {
    let left = count
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (left > 0) {
          left -= 1
          await active(await create())
        }
      }),
    )
  }
  const cpu = cpuMs()
  const begun = performance.now()
  await launchMany(200)
  const rate = 200_000 / (performance.now() - begun)
  process.stdout.write(
    `${'200 creates, 8 at once, 100 hosts'.padEnd(34)} ${rate.toFixed(1).padStart(7)} /s  CPU ${((cpuMs() - cpu) / 200).toFixed(1).padStart(6)} ms  promised 23 /s (${(rate / 23).toFixed(1)} x faster)\n`,
  )
  process.stdout.write(`memory of the process after them: ${rssMb()} MB, promised 400 MB\n`)
  await launchMany(1000 - made)

  const fields = `id name description hostname status taskState vmState powerState createdAt updatedAt launchedAt host configDrive
    generation tags metadata { key value } addresses { address } flavor { originalName } image { name } user { name }`
  const list = (first: number) => async (): Promise<void> => {
    const { servers } = await ask<{ servers: { nodes: unknown[] } }>(
      `query List($first: Int) { servers(first: $first) { nodes { ${fields} } } }`,
      { first },
    )
    if (servers.nodes.length !== first) throw new Error(`${servers.nodes.length} of ${first}`)
  }
  await measure('list of 1000 servers, 20 fields', 230, 30, list(1000))
  await measure('list of 100 servers, 20 fields', 22, 60, list(100))
  await measure('show, 20 fields', 4.8, 200, async () => {
    await ask(`query Show($id: ID!) { server(id: $id) { ${fields} } }`, { id: one })
  })
  process.stdout.write(`memory of the process with 1000 servers and 100 hosts: ${rssMb()} MB\n`)
} finally {
  cloud.removeAllListeners('exit')
  cloud.kill('SIGTERM')
  await new Promise((resolve) => cloud.once('exit', resolve))
  rmSync(folder, { recursive: true, force: true })
}
