/**
 * How fast the control plane is, with simulated hosts whose work takes no time: `node bench/control-plane.ts [--apart]` after a build; `--apart` runs the roles as processes
 * of their own on PostgreSQL and Redis. Prints medians, CPU time of the cloud's processes per operation, and how each compares with the promise. Real time of this machine:
 * nothing is asserted.
 */
import { BenchCloud, quantile } from './bench-cloud.ts'

const apart = process.argv.includes('--apart')
const cloud = await BenchCloud.start({ hosts: 100, apart })

async function measure(name: string, promiseMs: number, times: number, work: () => Promise<void>): Promise<void> {
  for (let warm = 0; warm < 3; warm += 1) await work()
  const cpu = cloud.cpuMs()
  const taken: number[] = []
  for (let time = 0; time < times; time += 1) {
    const begun = performance.now()
    await work()
    taken.push(performance.now() - begun)
  }
  const ms = quantile(taken, 0.5)
  const perOperation = (cloud.cpuMs() - cpu) / times
  process.stdout.write(
    `${name.padEnd(38)} ${ms.toFixed(1).padStart(7)} ms  CPU ${perOperation.toFixed(1).padStart(6)} ms  promised ${promiseMs} ms (${(promiseMs / ms).toFixed(1)} x faster)\n`,
  )
}

async function creates(count: number, atOnce: number, promised: number): Promise<void> {
  const cpu = cloud.cpuMs()
  const rate = await cloud.launchMany(count, atOnce)
  const name = `${count} creates, ${atOnce} at once, 100 hosts`
  process.stdout.write(
    `${name.padEnd(38)} ${rate.toFixed(1).padStart(7)} /s  CPU ${((cloud.cpuMs() - cpu) / count).toFixed(1).padStart(6)} ms  against ${promised} /s (${(rate / promised).toFixed(1)} x faster)\n`,
  )
}

try {
  process.stdout.write(apart ? 'roles apart, on PostgreSQL and Redis\n' : 'all in one process, on SQLite\n')
  let one = ''
  await measure('create to ACTIVE', 70, 40, async () => {
    one = await cloud.create()
    await cloud.untilActive(one)
  })
  await creates(200, 8, 23)
  process.stdout.write(`memory after them: ${cloud.memory()}; promised 400 MB\n`)
  // Nova 26 with its fake driver on the same kind of machine: 1.7/s.
  await creates(1000, 16, 1.7)

  const fields = `id name description hostname status taskState vmState powerState createdAt updatedAt launchedAt host configDrive
    generation tags metadata { key value } addresses { address } flavor { originalName } image { name } user { name }`
  const list = (first: number) => async (): Promise<void> => {
    const { servers } = await cloud.ask<{ servers: { nodes: unknown[] } }>(
      `query List($first: Int) { servers(first: $first) { nodes { ${fields} } } }`,
      { first },
    )
    if (servers.nodes.length !== first) throw new Error(`${servers.nodes.length} of ${first}`)
  }
  await measure('list of 1000 servers, 20 fields', 230, 30, list(1000))
  await measure('list of 100 servers, 20 fields', 22, 60, list(100))
  await measure('show, 20 fields', 4.8, 200, async () => {
    await cloud.ask(`query Show($id: ID!) { server(id: $id) { ${fields} } }`, { id: one })
  })
  process.stdout.write(`memory with ${cloud.made} servers: ${cloud.memory()}\n`)
} finally {
  await cloud.end()
}
