/** Secrets are planted, and then looked for everywhere: databases, journals, hosts' files, logs, traces, metrics, faults, events, operations, Redis. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { OwnRedis } from '@kilonova/runtime/database-servers.testkit'
import { createLogger } from '@kilonova/runtime/logger'
import { Metrics } from '@kilonova/runtime/observability/metrics'
import { OtlpTracing } from '@kilonova/runtime/observability/otlp-tracing'
import { RedisEar } from '@kilonova/runtime/redis-ear.testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { TestClient, TestCloud, until } from './cloud.testkit.js'
import { OtlpCollector } from './otlp-collector.testkit.js'
import { create, serverInput, settled, show, untilStatus } from './proof.testkit.js'

const filesUnder = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesUnder(path) : [path]
  })

const buses = process.env.KILONOVA_TEST_REDIS === undefined ? ['in process'] : ['in process', 'over Redis']

describe.each(buses)('secrets in a cloud with its bus %s', (kind) => {
  const collector = new OtlpCollector()
  let redis: OwnRedis | undefined
  let ear: RedisEar | undefined
  let test: TestCloud
  let log = ''
  const secrets: Record<string, string> = {}
  beforeAll(async () => {
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        log += String(chunk)
        done()
      },
    })
    const endpoint = await collector.listen()
    if (kind === 'over Redis') {
      redis = await OwnRedis.start()
      ear = await RedisEar.open(redis.url)
    }
    const tracing = new OtlpTracing({ endpoint, headers: {}, sampleRatio: 1, resource: { 'service.name': 'canary' }, sendAfterMs: 20 })
    test = await TestCloud.start({
      log: createLogger('trace', sink),
      telemetry: { metrics: new Metrics(), tracing },
      ...(redis === undefined ? {} : { bus: redis.url }),
    })
  })
  afterAll(async () => {
    await test?.destroy()
    ear?.close()
    await redis?.remove()
    collector.close()
  })

  /** What Redis holds at moments while servers are built. */
  let inRedis = ''
  const built = async (serverId: string): Promise<void> => {
    await until(
      `the end of the build of ${serverId}`,
      async () => {
        inRedis += (await ear?.contents()) ?? ''
        return (await show(test.admin, serverId))?.status ?? ''
      },
      (status) => status === 'ACTIVE' || status === 'ERROR',
    )
    await untilStatus(test.admin, serverId, 'ACTIVE', 'ERROR')
  }

  /** Opens a console as a browser does and answers its token. */
  const console = async (serverId: string): Promise<string> => {
    const { createConsole } = await test.admin.ask<{ createConsole: { console: { token: string } } }>(
      'mutation ($id: ID!) { createConsole(input: { serverId: $id, type: SERIAL }) { console { token } } }',
      { id: serverId },
    )
    const socket = new WebSocket(`${test.url.replace('http', 'ws')}/console/ws/serial`, ['binary'])
    const heard = new Promise((resolve, reject) => {
      socket.once('message', resolve)
      socket.once('close', reject)
    })
    socket.on('open', () => socket.send(JSON.stringify({ token: createConsole.console.token })))
    await heard
    socket.terminate()
    return createConsole.console.token
  }

  it('appear in no database, file, log, trace, metric, message, fault, event or operation', async () => {
    const imageId = await test.image()
    const userData = Buffer.from('#!/bin/sh\necho canary-of-user-data-in-plain-text').toString('base64')
    const password = 'canary-Admin-Password-1'
    Object.assign(secrets, { userData, userDataPlain: 'canary-of-user-data-in-plain-text', password })
    const given = { adminPassword: password, userData, configDrive: true }
    const full = await create(test.admin, serverInput(imageId, 'with secrets', { ...given, idempotencyKey: 'canary' }))
    const failed = await create(test.admin, serverInput(imageId, 'fail-spawn', given))
    const own = await create(test.admin, serverInput(imageId, 'made password', { idempotencyKey: 'canary-2' }))
    secrets.madePassword = own.adminPassword ?? ''
    // Refused input must not come back in a log or an error either.
    const refused = await test.admin.raw('mutation ($input: CreateServerInput!) { createServer(input: $input) { server { id } } }', {
      input: serverInput('unknown', 'refused', given),
    })
    for (const { server } of [full, failed, own]) await built(server.id)
    secrets.consoleToken = await console(own.server.id)
    const username = 'canary'
    secrets.userPassword = 'canary-user-password-77'
    await test.admin.ask('mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }', {
      input: { name: username, password: secrets.userPassword, idempotencyKey: 'canary-3' },
    })
    const { login } = await test.nobody.ask<{ login: { session: { accessToken: string; refreshToken: string } } }>(
      'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken refreshToken } } }',
      { input: { username, password: secrets.userPassword } },
    )
    secrets.accessToken = login.session.accessToken
    secrets.refreshToken = login.session.refreshToken
    await new TestClient(test.url, login.session.accessToken).raw('{ viewer { authMethod } }')
    await new TestClient(test.url, `${login.session.accessToken}`).raw('query { nothing }')
    await test.nobody.raw('mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }', {
      input: { username, password: `${secrets.userPassword}-wrong` },
    })
    const { createImageDownload } = await test.admin.ask<{ createImageDownload: { url: string } }>(
      'mutation ($id: ID!) { createImageDownload(input: { imageId: $id }) { url } }',
      { id: imageId },
    )
    secrets.ticket = new URL(createImageDownload.url).searchParams.get('ticket') ?? ''
    await (await fetch(createImageDownload.url)).arrayBuffer()
    secrets.adminPassword = test.first?.password.reveal() ?? ''
    secrets.adminToken = test.admin.token ?? ''
    await settled(test)

    const shown = await test.admin.ask(`{ servers { nodes { name fault { message details } } }
      operations(first: 100) { nodes { id error { message } steps { message details } } } }`)
    const metrics = await (await fetch(`${test.url}/metrics`)).text()
    inRedis += (await ear?.contents()) ?? ''
    await test.close()
    const places = new Map<string, string>([
      ['the log', log],
      ['the traces', collector.raw],
      ['the metrics', metrics],
      ['the commands of Redis', ear?.heard ?? ''],
      ['the contents of Redis', inRedis],
      ['the API', JSON.stringify([shown, refused])],
    ])
    for (const file of filesUnder(test.folder)) {
      // The key of the data folder is the one secret that lies there by design.
      if (!file.endsWith('secret.key')) places.set(file.slice(test.folder.length), readFileSync(file, 'latin1'))
    }
    expect(places.size).toBeGreaterThan(8)
    // The places are real: each has what should be there.
    expect(log).toContain('every role is running')
    expect(log).toContain('work ended')
    expect(collector.raw).toContain('mutation createServer')
    expect(metrics).toContain('kilonova_agent_work_seconds')
    if (ear !== undefined) {
      for (const text of ['prepareDisks', 'spawn', 'redeemConsoleToken', full.server.id]) expect(ear.heard).toContain(text)
      expect(inRedis).toContain('kilonova:')
      // Tickets of images are made for each build: none is known here, so none may be seen.
      expect(ear.heard).not.toContain('ticket=')
    }
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret.length, name).toBeGreaterThan(7)
      for (const [place, text] of places) expect(text.includes(secret), `${name} in ${place}`).toBe(false)
    }
    await test.open()
  })
})
