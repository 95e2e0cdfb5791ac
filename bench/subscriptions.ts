/**
 * Many listeners of one api process: `node bench/subscriptions.ts [listeners]` after a build. Roles apart, on PostgreSQL and Redis. Every listener hears of every change of one
 * server; prints how long it takes from the request that caused an event until each has it, and the memory of the processes.
 */
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { BenchCloud, quantile } from './bench-cloud.ts'

const listeners = Number(process.argv[2] ?? 5000)
const perSocket = 50
const rounds = 20
const cloud = await BenchCloud.start({ hosts: 3, apart: true })
process.stdout.write(`before: ${cloud.memory()}\n`)

const server = await cloud.create()
await cloud.untilActive(server)

let awaited = ''
let heard = 0
let begun = 0
let all = (): void => {}
const delays: number[] = []
const hear = (description: string | null | undefined): void => {
  if (description !== awaited) return
  delays.push(performance.now() - begun)
  heard += 1
  if (heard === listeners) all()
}

const clients = Array.from({ length: Math.ceil(listeners / perSocket) }, () =>
  createClient({
    url: `${cloud.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { accessToken: cloud.token },
    lazy: false,
  }),
)
let open = 0
for (const client of clients) {
  for (let index = 0; index < perSocket && open < listeners; index += 1, open += 1) {
    client.subscribe<{ serverChanged: { server: { description: string | null } | null } }>(
      { query: 'subscription { serverChanged { serverId server { description } } }' },
      {
        next: ({ data }) => hear(data?.serverChanged.server?.description),
        error: (error) => {
          throw error instanceof Error ? error : new Error(JSON.stringify(error))
        },
        complete: () => {},
      },
    )
  }
}
try {
  // The first round also waits until every subscription stands.
  for (let round = 0; round <= rounds; round += 1) {
    heard = 0
    if (round === 1) delays.length = 0
    const done = new Promise<void>((resolve) => {
      all = resolve
    })
    for (let attempt = 0; heard < listeners; attempt += 1) {
      awaited = `round ${round}.${attempt}`
      heard = 0
      begun = performance.now()
      await cloud.ask('mutation ($input: UpdateServerInput!) { updateServer(input: $input) { server { id } } }', {
        input: { serverId: server, description: awaited },
      })
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 15_000))])
      if (round > 0) break
    }
    if (heard < listeners) throw new Error(`${heard} of ${listeners} listeners heard of round ${round}`)
  }
  process.stdout.write(
    `${listeners} listeners, ${rounds} events: median ${quantile(delays, 0.5).toFixed(0)} ms, p99 ${quantile(delays, 0.99).toFixed(0)} ms from the request to the client\n`,
  )
  process.stdout.write(`with them: ${cloud.memory()}\n`)
} finally {
  for (const client of clients) await client.dispose()
  await cloud.end()
}
