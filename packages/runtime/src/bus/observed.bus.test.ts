/** What travels with a message besides its payload, and what can be seen of it. */
import { afterEach, describe, expect, it } from 'vitest'
import { Metrics } from '../observability/metrics.js'
import { quietTelemetry } from '../observability/telemetry.js'
import { currentWork, runWork, type Work } from '../observability/work-context.js'
import type { MessageBus } from './bus.js'
import { handlersFor, kinds, service, until } from './bus.testkit.js'
import { ObservedBus } from './observed.bus.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe.each(kinds)('work over $kind', ({ open }) => {
  const opened: MessageBus[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((bus) => bus.close()))
  })
  const ends = async () => {
    const { near, far } = await open()
    opened.push(near, far)
    return { near, far }
  }

  it('is known where calls and casts are done, each its own, and further on', async () => {
    const { near, far } = await ends()
    const seen: Work[] = []
    const note = async (): Promise<Record<string, never>> => {
      seen.push(currentWork())
      return {}
    }
    const echo = async ({ text }: { text: string }) => ({ text: `${text} ${currentWork().requestId}` })
    await far.serve('far', service, handlersFor(far, [], { note, echo }))
    await near.serve('near', service, handlersFor(near, [], { echo }))
    const asked = ['req-1', 'req-2', null].map((requestId) =>
      runWork({ requestId, traceparent: requestId === 'req-1' ? traceparent : null }, async () => {
        await near.cast('far', service.note, { text: '' })
        const { text } = await near.call('far', service.echo, { text: 'a' })
        // Over the far end back to the near one.
        const relayed = await near.call('far', service.relay, { topic: 'near', text: 'b' })
        return [text, relayed.text, currentWork().requestId]
      }),
    )
    expect(await Promise.all(asked)).toEqual([
      ['a req-1', 'b req-1', 'req-1'],
      ['a req-2', 'b req-2', 'req-2'],
      ['a null', 'b null', null],
    ])
    await until(
      'the casts',
      () => seen,
      (works) => works.length === 3,
    )
    expect(seen).toContainEqual({ requestId: 'req-1', traceparent })
    expect(seen).toContainEqual({ requestId: 'req-2', traceparent: null })
    expect(seen).toContainEqual({ requestId: null, traceparent: null })
  })

  it('is nobody’s where notices are heard', async () => {
    const { near, far } = await ends()
    const heard: Work[] = []
    await far.listen('news', () => heard.push(currentWork()))
    await runWork({ requestId: 'req-1', traceparent }, () => near.fanout('news', {}))
    await until(
      'the notice',
      () => heard,
      (works) => works.length === 1,
    )
    expect(heard).toEqual([{ requestId: null, traceparent: null }])
  })

  it('is counted by method and outcome at both ends, never by topic', async () => {
    const { near, far } = await ends()
    const here = { ...quietTelemetry(), metrics: new Metrics() }
    const there = { ...quietTelemetry(), metrics: new Metrics() }
    const bus = new ObservedBus(near, here)
    const notes: string[] = []
    await new ObservedBus(far, there).serve('test.host-7', service, handlersFor(far, notes))
    await bus.call('test.host-7', service.echo, { text: 'a' })
    await bus.call('test.host-7', service.refuse, { how: 'cloud error' }).catch(() => {})
    await bus.call('test.host-7', service.refuse, { how: 'error' }).catch(() => {})
    await bus.call('test.nobody', service.echo, { text: 'a' }, { timeoutMs: 100 }).catch(() => {})
    await bus.cast('test.host-7', service.note, { text: 'cast' })
    await until(
      'the cast',
      () => notes,
      (all) => all.length === 1,
    )
    const [sent, done] = await Promise.all([here.metrics.text(), there.metrics.text()])
    const line = (direction: string, method: string, outcome: string): string =>
      `kilonova_bus_message_seconds_count{direction="${direction}",method="test.${method}",outcome="${outcome}"} 1`
    expect(sent).toContain(line('call', 'echo', 'ok'))
    expect(sent).toContain(line('call', 'refuse', 'refused'))
    expect(sent).toContain(line('call', 'refuse', 'failed'))
    expect(sent).toContain(line('call', 'echo', 'unavailable'))
    expect(sent).toContain(line('cast', 'note', 'ok'))
    expect(done).toContain(line('handle', 'echo', 'ok'))
    expect(done).toContain(line('handle', 'note', 'ok'))
    expect(done).toContain(line('handle', 'refuse', 'refused'))
    expect(`${sent}${done}`).not.toContain('host-7')
  })
})
