/**
 * A launch seen from outside, with every role apart: its request id in the logs of all of them, one trace through all of them, and
 * what each tells Prometheus.
 */
import { Writable } from 'node:stream'
import { createLogger } from '@kilonova/runtime/logger'
import { Metrics } from '@kilonova/runtime/observability/metrics'
import { OtlpTracing } from '@kilonova/runtime/observability/otlp-tracing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from './cloud.testkit.js'
import { type CloudRole, cloudRoles } from './deployment.js'
import { OtlpCollector, type Span } from './otlp-collector.testkit.js'
import { createServerDocument, remove, serverInput, untilStatus } from './proof.testkit.js'
import { apartIsPossible, RolesApart } from './roles-apart.testkit.js'
import { smallImage } from './running-process.testkit.js'

const logLine = z.object({ requestId: z.string().optional(), traceId: z.string().optional(), part: z.string().optional(), msg: z.string() })

describe.skipIf(!apartIsPossible)('a launch with every role apart', () => {
  const collector = new OtlpCollector()
  const lines = new Map<CloudRole, z.infer<typeof logLine>[]>(cloudRoles.map((role) => [role, []]))
  let apart: RolesApart
  let requestId = ''
  let serverId = ''

  beforeAll(async () => {
    const endpoint = await collector.listen()
    apart = await RolesApart.start({
      log: (role) =>
        createLogger(
          'debug',
          new Writable({
            write: (chunk, _encoding, done) => {
              lines.get(role)?.push(logLine.parse(JSON.parse(String(chunk))))
              done()
            },
          }),
        ),
      telemetry: (role) => {
        const resource = { 'service.name': role }
        return { metrics: new Metrics(), tracing: new OtlpTracing({ endpoint, headers: {}, sampleRatio: 1, resource, sendAfterMs: 20 }) }
      },
    })
    const imageId = await smallImage(apart.admin)
    const answer = await fetch(`${apart.part('api').url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apart.admin.token}` },
      body: JSON.stringify({ query: createServerDocument, variables: { input: serverInput(imageId, 'seen') } }),
    })
    requestId = answer.headers.get('x-request-id') ?? ''
    const { data } = (await answer.json()) as { data: { createServer: { server: { id: string } } } }
    serverId = data.createServer.server.id
    await untilStatus(apart.admin, serverId, 'ACTIVE')
  }, 60_000)
  afterAll(async () => {
    await apart?.destroy()
    collector.close()
  })

  it('writes the request id that was answered into the logs of every role that works for it', async () => {
    expect(requestId).toMatch(/^req-[0-9a-f-]{36}$/)
    const wanted: [CloudRole, part: string, msg: string][] = [
      ['api', 'api', 'GraphQL operation'],
      ['api', 'api', 'request'],
      ['conductor', 'super-conductor', 'saga step ended'],
      ['scheduler', 'scheduler', 'hosts ranked'],
      ['conductor', 'conductor', 'saga step ended'],
      ['compute', 'agent', 'work ended'],
    ]
    for (const [role, part, msg] of wanted) {
      await until(
        `a line of ${part}: ${msg}`,
        async () => lines.get(role) ?? [],
        (written) => written.some((line) => line.requestId === requestId && line.part === part && line.msg === msg),
      )
    }
    // And nobody's work under another's name: other requests have ids of their own.
    const others = (lines.get('api') ?? []).filter((line) => line.msg === 'request' && line.requestId !== requestId)
    expect(others.length).toBeGreaterThan(2)
    expect(new Set(others.map((line) => line.requestId)).size).toBe(others.length)
  })

  it('is one trace from the request over scheduler and conductors to the driver of the host', async () => {
    const wanted: [service: CloudRole, name: string][] = [
      ['api', 'mutation createServer'],
      ['conductor', 'saga build.schedule'],
      ['conductor', 'call scheduler.decide'],
      ['scheduler', 'handle scheduler.decide'],
      ['scheduler', 'scheduler.decide'],
      ['conductor', 'saga build.begin_build'],
      ['conductor', 'saga build_on_host.spawn'],
      ['conductor', 'cast compute.spawn'],
      ['compute', 'handle compute.spawn'],
      ['compute', 'agent spawn'],
      ['compute', 'driver spawn'],
      ['compute', 'call conductor.report'],
      ['conductor', 'handle conductor.report'],
    ]
    const root = await until(
      'the root of the trace',
      async () => collector.spans.find((span) => span.name === 'mutation createServer'),
      (span) => span !== undefined,
    )
    const ofTrace = (): Span[] => collector.spans.filter((span) => span.traceId === root?.traceId)
    for (const [service, name] of wanted) {
      await until(
        `the span ${name} of ${service}`,
        async () => ofTrace().map((span) => [span.service, span.name]),
        (spans) => spans.some((span) => span[0] === service && span[1] === name),
      )
    }
    await until(
      'a parent for every span but the first',
      async () => {
        const known = new Set(ofTrace().map((span) => span.spanId))
        return ofTrace().filter((span) => !known.has(span.parentSpanId))
      },
      (orphans) => orphans.length === 1 && orphans[0]?.name === 'mutation createServer' && orphans[0]?.parentSpanId === '',
    )
    // The log leads to the trace.
    const line = lines.get('compute')?.find((written) => written.requestId === requestId && written.msg === 'work ended')
    expect(line?.traceId).toBe(root?.traceId)
  })

  const metricsOf = async (role: CloudRole, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${apart.part(role).url}/metrics`, { headers })
    return { status: answer.status, text: await answer.text() }
  }

  it.each<[CloudRole, RegExp[]]>([
    [
      'api',
      [
        /kilonova_http_request_seconds_count\{method="POST",route="\/graphql",status="200"\} [1-9]/,
        /kilonova_graphql_operations_total\{kind="mutation",outcome="ok"\} [1-9]/,
        /kilonova_graphql_operation_seconds_bucket\{le="[0-9.]+",kind="query",outcome="ok"\} [1-9]/,
        /kilonova_saga_step_seconds_count\{kind="import_image",/,
        /kilonova_database_statement_seconds_count\{database="api",statement="insert",outcome="ok"\} [1-9]/,
        /kilonova_event_stream_position [1-9]/,
      ],
    ],
    [
      'conductor',
      [
        /kilonova_saga_step_seconds_count\{kind="build_on_host",step="spawn",direction="forward",outcome="done"\} 1$/m,
        /kilonova_sagas_alive\{database="cell1",kind="build_on_host"\} 0$/m,
        /kilonova_outbox_waiting\{database="(api|cell1)"\} \d/,
        /kilonova_relay_lag_seconds_count\{database="cell1"\} [1-9]/,
        /kilonova_event_log_position [1-9]/,
        /kilonova_placement_conflicts_total 0$/m,
        /kilonova_bus_message_seconds_count\{direction="call",method="scheduler.decide",outcome="ok"\} 1$/m,
      ],
    ],
    [
      'scheduler',
      [
        /kilonova_scheduler_decision_seconds_count\{outcome="found"\} 1$/m,
        /kilonova_bus_message_seconds_count\{direction="handle",method="scheduler.decide",outcome="ok"\} 1$/m,
      ],
    ],
    [
      'compute',
      [
        /kilonova_agent_work_seconds_count\{kind="spawn",direction="forward",outcome="done"\} 1$/m,
        /kilonova_driver_call_seconds_count\{call="spawn",outcome="done"\} 1$/m,
        /kilonova_guests\{host="compute-001",power_state="RUNNING"\} 1$/m,
        /kilonova_guests\{host="compute-001",power_state="SHUTDOWN"\} 0$/m,
      ],
    ],
    ['console-proxy', [/kilonova_console_sessions_open 0$/m]],
  ])('is counted by %s, without a name that a user or an id could be', async (role, wanted) => {
    for (const line of wanted) {
      await until(
        `${line} of ${role}`,
        async () => (await metricsOf(role)).text,
        (text) => line.test(text),
      )
    }
    const { text } = await metricsOf(role)
    expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/)
    expect(text).not.toContain('seen')
  })

  it('tells no metrics to who comes by way of a proxy', async () => {
    expect((await metricsOf('api')).status).toBe(200)
    for (const header of ['forwarded', 'x-forwarded-for', 'via']) {
      expect(await metricsOf('api', { [header]: 'for=192.0.2.1' })).toMatchObject({ status: 403 })
    }
  })

  it('counts guests that have gone no more', async () => {
    await remove(apart.admin, serverId)
    await until(
      'an empty host',
      async () => (await metricsOf('compute')).text,
      (text) => /kilonova_guests\{host="compute-001",power_state="RUNNING"\} 0$/m.test(text),
    )
  })
})
