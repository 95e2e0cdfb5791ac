/** What the Redis bus does beyond the common suite: takeovers, dead letters, outages. */
import { createClient } from 'redis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { OwnRedis } from '../database-servers.testkit.js'
import { handlersFor, impatient, log, newPrefix, openRedisBus, redisUrl, service, until } from './bus.testkit.js'
import { timeOfEntry } from './redis/redis-wire.js'
import { RedisBus } from './redis.bus.js'

describe.skipIf(redisUrl === undefined)('the Redis bus (skipped: redis-server is not installed)', () => {
  let prefix: string
  let raw: ReturnType<typeof createClient>
  let notes: string[]
  const buses: RedisBus[] = []
  const open = async (more: Parameters<typeof openRedisBus>[1] = {}): Promise<RedisBus> => {
    const bus = await openRedisBus(prefix, more)
    buses.push(bus)
    return bus
  }
  const deadLetters = async () => ((await raw.xRange(`${prefix}:dead`, '-', '+')) ?? []).map(({ message }) => message)

  beforeEach(async () => {
    prefix = newPrefix()
    notes = []
    raw = createClient({ url: redisUrl ?? '' })
    await raw.connect()
  })
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()))
    raw.destroy()
  })

  /** Takes the next message of a topic as a process that then dies. */
  const takeAndDie = async (topic: string): Promise<void> => {
    await until(
      'a message',
      () => raw.xReadGroup('servers', 'ghost', { key: `${prefix}:topic:${topic}`, id: '>' }, { COUNT: 1 }),
      (answer) => answer !== null,
    )
  }

  it('a cast that was taken by a process that died is done by another', async () => {
    const [sender, server] = [await open(), await open({ timings: impatient })]
    await (await server.serve('one', service, handlersFor(server, notes))).close()
    await sender.cast('one', service.note, { text: 'orphan' })
    await takeAndDie('one')
    await server.serve('one', service, handlersFor(server, notes))
    await until(
      'the orphan',
      () => notes.length,
      (count) => count === 1,
    )
    await until(
      'an empty stream',
      () => raw.xLen(`${prefix}:topic:one`),
      (length) => length === 0,
    )
  })

  it('a call that was taken by a process that died fails before its deadline and is not repeated', async () => {
    const [sender, server] = [await open(), await open({ timings: impatient })]
    let asked = 0
    const serving = await server.serve('one', service, handlersFor(server, notes))
    await serving.close()
    await raw.zAdd(`${prefix}:serving:one`, { score: Date.now() + 60_000, value: 'ghost' })
    const answer = sender.call('one', service.echo, { text: '' }, { timeoutMs: 20_000 })
    answer.catch(() => {})
    await takeAndDie('one')
    const echo = async ({ text }: { text: string }) => {
      asked++
      return { text }
    }
    await server.serve('one', service, handlersFor(server, notes, { echo }))
    await expect(answer).rejects.toThrow('echo at one: the process that took it has gone')
    expect(asked).toBe(0)
  })

  it('a living process keeps its long work: it counts as idle only since its last heartbeat', async () => {
    const [sender, server] = [await open(), await open()]
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const note = async ({ text }: { text: string }) => {
      await gate
      notes.push(text)
      return {}
    }
    await server.serve('one', service, handlersFor(server, notes, { note }))
    await sender.cast('one', service.note, { text: 'long' })
    const idle = async () => {
      const [entry] = await raw.xPendingRange(`${prefix}:topic:one`, 'servers', '-', '+', 1)
      return entry?.millisecondsSinceLastDelivery ?? -1
    }
    let before = -1
    let kept = 0
    await until(
      'three heartbeats',
      async () => {
        const now = await idle()
        if (now < before) kept++
        before = now
        return kept
      },
      (count) => count >= 3,
    )
    go()
    await until(
      'the work',
      () => notes,
      (done) => done.length === 1,
    )
  })

  it('servers of one topic share its casts', async () => {
    const sender = await open()
    const counts = [0, 0]
    for (const [index] of counts.entries()) {
      const server = await open()
      const note = async () => {
        counts[index] = (counts[index] ?? 0) + 1
        return {}
      }
      await server.serve('one', service, handlersFor(server, notes, { note }))
    }
    let sent = 0
    await until(
      'both to have worked',
      async () => {
        await sender.cast('one', service.note, { text: '' })
        sent++
        return counts
      },
      ([first = 0, second = 0]) => first > 0 && second > 0,
    )
    await until(
      'all',
      () => (counts[0] ?? 0) + (counts[1] ?? 0),
      (count) => count === sent,
    )
  })

  it('a cast that keeps failing is tried so often and then becomes a dead letter, with the reason and without its payload', async () => {
    const [sender, server] = [await open(), await open({ timings: impatient })]
    let tries = 0
    const note = async (): Promise<Record<string, never>> => {
      tries++
      throw new RangeError('no room')
    }
    await server.serve('one', service, handlersFor(server, notes, { note }))
    await sender.cast('one', service.note, { text: 'hunter2' })
    const [letter] = await until('a dead letter', deadLetters, (letters) => letters.length === 1)
    expect(tries).toBe(3)
    expect(letter).toMatchObject({ topic: 'one', method: 'note', deliveries: '3', reason: 'RangeError' })
    expect(JSON.stringify(letter)).not.toContain('hunter2')
    expect(await raw.xLen(`${prefix}:topic:one`)).toBe(0)
  })

  it('what cannot be read, has wrong fields, an unknown method or a newer version becomes a dead letter at once', async () => {
    const server = await open()
    await server.serve('one', service, handlersFor(server, notes))
    const message = {
      kind: 'cast',
      id: 'x',
      replyTo: null,
      topic: 'one',
      method: 'note',
      version: 1,
      requestId: 'req-1',
      timeoutMs: 60_000,
      payload: { text: 'a' },
    }
    const broken = [
      'no JSON',
      JSON.stringify({ ...message, kind: 'else' }),
      JSON.stringify({ ...message, payload: { text: 5 } }),
      JSON.stringify({ ...message, method: 'unknown' }),
      JSON.stringify({ ...message, version: 2 }),
    ]
    for (const e of broken) await raw.xAdd(`${prefix}:topic:one`, '*', { e })
    const letters = await until('dead letters', deadLetters, (found) => found.length === broken.length)
    expect(new Set(letters.map(({ reason }) => reason))).toEqual(
      new Set(['it could not be read', 'its fields break a rule', 'nobody listens', 'version 2 is newer than 1']),
    )
    expect(notes).toEqual([])
    expect(await server.call('one', service.echo, { text: 'still here' })).toEqual({ text: 'still here' })
  })

  it('a cast waits for its server, but not longer than its life', async () => {
    const [sender, hasty] = [await open(), await open({ castLifeMs: 1 })]
    await sender.cast('one', service.note, { text: 'in time' })
    await hasty.cast('one', service.note, { text: 'late' })
    const late = (await raw.xRevRange(`${prefix}:topic:one`, '+', '-', { COUNT: 1 }))?.[0]
    await until(
      'its end',
      async () => z.array(z.string()).parse(await raw.sendCommand(['TIME'])),
      ([seconds = '', micros = '']) => Number(seconds) * 1000 + Number(micros) / 1000 > timeOfEntry(late?.id ?? '') + 2,
    )
    const server = await open()
    await server.serve('one', service, handlersFor(server, notes))
    const [letter] = await until('a dead letter', deadLetters, (letters) => letters.length === 1)
    expect(letter).toMatchObject({ reason: 'it came after its deadline of 1 ms' })
    await until(
      'the other',
      () => notes.length,
      (count) => count === 1,
    )
    expect(notes).toEqual(['in time'])
  })

  it('leaves nothing in Redis but what lives on', async () => {
    const bus = await openRedisBus(prefix)
    await bus.serve('one', service, handlersFor(bus, notes))
    await bus.call('one', service.echo, { text: '' })
    await bus.cast('one', service.note, { text: '' })
    await until(
      'the note',
      () => notes.length,
      (count) => count === 1,
    )
    await bus.close()
    const keys = await raw.keys(`${prefix}:*`)
    expect(keys).toEqual([`${prefix}:topic:one`])
    expect(await raw.xLen(`${prefix}:topic:one`)).toBe(0)
    expect(await raw.pTTL(`${prefix}:topic:one`)).toBeGreaterThan(0)
  })

  it('says so when Redis cannot be reached', async () => {
    const nowhere = RedisBus.connect({ url: 'redis://:hunter2@127.0.0.1:1', log, timings: { commandMs: 300 } })
    await expect(nowhere).rejects.toThrow('Redis at redis://127.0.0.1:1 cannot be reached. Check its address and that it runs.')
  })

  it('survives that Redis forgets everything', async () => {
    const redis = await OwnRedis.start()
    try {
      const [sender, server] = [await open({ url: redis.url }), await open({ url: redis.url })]
      await server.serve('one', service, handlersFor(server, notes))
      const own = createClient({ url: redis.url })
      await own.connect()
      await own.flushAll()
      own.destroy()
      await until(
        'an answer',
        () => sender.call('one', service.echo, { text: 'again' }, { timeoutMs: 500 }).catch(() => null),
        (answer) => answer?.text === 'again',
      )
    } finally {
      await Promise.all(buses.splice(0).map((bus) => bus.close()))
      await redis.kill()
    }
  })

  it('survives a restart of Redis: calls during it end, and calls, casts and notices go on after it', async () => {
    const redis = await OwnRedis.start()
    try {
      const [sender, server] = [
        await open({ url: redis.url, timings: { commandMs: 400 } }),
        await open({ url: redis.url, timings: { commandMs: 400 } }),
      ]
      await server.serve('one', service, handlersFor(server, notes))
      const heard: unknown[] = []
      await server.listen('news', (message) => heard.push(message))
      const waiting = sender.call('one', service.never, {}, { timeoutMs: 1000 })
      waiting.catch(() => {})
      await redis.kill()
      await expect(waiting).rejects.toMatchObject({ name: 'BusUnavailableError' })
      await expect(sender.call('one', service.echo, { text: '' }, { timeoutMs: 300 })).rejects.toMatchObject({
        name: 'BusUnavailableError',
      })
      await expect(sender.cast('one', service.note, { text: 'lost' })).rejects.toMatchObject({ name: 'BusUnavailableError' })
      await sender.fanout('news', 'lost')
      await redis.run()
      await until(
        'an answer',
        () => sender.call('one', service.echo, { text: 'back' }, { timeoutMs: 500 }).catch(() => null),
        (answer) => answer?.text === 'back',
      )
      await sender.cast('one', service.note, { text: 'after' })
      await until(
        'the cast',
        () => notes,
        (all) => all.includes('after'),
      )
      await until(
        'the notice',
        async () => {
          await sender.fanout('news', 'after')
          return heard
        },
        (all) => all.includes('after'),
      )
    } finally {
      await Promise.all(buses.splice(0).map((bus) => bus.close()))
      await redis.kill()
    }
  })
})
