/** What every message bus must do. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runInTransactionScope, TransactionScopeError } from '../transaction-scope.js'
import type { MessageBus } from './bus.js'
import { handlersFor, kinds, redisUrl, service, until } from './bus.testkit.js'

it.skipIf(redisUrl === undefined)('the suite runs against Redis too (skipped: redis-server is not installed)', () => {
  expect(kinds.map(({ kind }) => kind)).toContain('RedisBus')
})

describe.each(kinds)('$kind', ({ open }) => {
  let near: MessageBus
  let far: MessageBus
  let notes: string[]
  beforeEach(async () => {
    ;({ near, far } = await open())
    notes = []
  })
  afterEach(async () => {
    await near?.close()
    await far?.close()
  })

  it('a call brings the answer of whoever serves the topic', async () => {
    await far.serve('one', service, handlersFor(far, notes))
    await far.serve('two', service, handlersFor(far, notes, { echo: async ({ text }) => ({ text: `${text} of two` }) }))
    expect(await near.call('one', service.echo, { text: 'hello' })).toEqual({ text: 'hello' })
    expect(await near.call('two', service.echo, { text: 'hello' })).toEqual({ text: 'hello of two' })
  })

  it('many calls at once each get their own answer, through handlers that call on', async () => {
    await far.serve('one', service, handlersFor(far, notes))
    await near.serve('two', service, handlersFor(near, notes))
    const texts = Array.from({ length: 300 }, (_unused, index) => `text ${index}`)
    const answers = await Promise.all(texts.map((text) => near.call('one', service.relay, { topic: 'two', text })))
    expect(answers.map(({ text }) => text)).toEqual(texts)
  })

  it('errors come back with code, message and exception; unknown ones say nothing of their inside', async () => {
    await far.serve('one', service, handlersFor(far, notes))
    await expect(near.call('one', service.refuse, { how: 'cloud error' })).rejects.toMatchObject({
      name: 'CloudError',
      code: 'LOCKED',
      message: 'The server is locked.',
      exception: 'InstanceLocked',
    })
    await expect(near.call('one', service.refuse, { how: 'error' })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('secret'),
    })
  })

  it('fields are checked on both sides', async () => {
    await far.serve('one', service, handlersFor(far, notes))
    const wrong: unknown = { text: 5 }
    await expect(near.call('one', service.echo, wrong as { text: string })).rejects.toMatchObject({ code: 'INTERNAL' })
    await expect(near.call('one', service.refuse, { how: 'bad answer' })).rejects.toMatchObject({ code: 'INTERNAL' })
  })

  it('a call that nobody serves fails at once', async () => {
    const before = performance.now()
    await expect(near.call('nobody', service.echo, { text: '' })).rejects.toMatchObject({
      name: 'BusUnavailableError',
      topic: 'nobody',
      methodName: 'echo',
      message: 'echo at nobody: nobody listens',
    })
    expect(performance.now() - before).toBeLessThan(2000)
  })

  it('that somebody further on is unavailable comes through', async () => {
    await far.serve('one', service, handlersFor(far, notes))
    await expect(near.call('one', service.relay, { topic: 'nobody', text: '' })).rejects.toMatchObject({
      name: 'BusUnavailableError',
      topic: 'nobody',
      message: 'echo at nobody: nobody listens',
    })
  })

  it('a call ends at its deadline', async () => {
    await far.serve('one', service, handlersFor(far, notes))
    await expect(near.call('one', service.never, {}, { timeoutMs: 50 })).rejects.toMatchObject({
      name: 'BusUnavailableError',
      message: 'never at one: no answer in 50 ms',
    })
  })

  it('a closed subscription serves no more', async () => {
    const serving = await far.serve('one', service, handlersFor(far, notes))
    expect(await near.call('one', service.echo, { text: 'here' })).toEqual({ text: 'here' })
    await serving.close()
    await expect(near.call('one', service.echo, { text: 'gone' })).rejects.toMatchObject({ name: 'BusUnavailableError' })
    await far.serve('one', service, handlersFor(far, notes))
    expect(await near.call('one', service.echo, { text: 'again' })).toEqual({ text: 'again' })
  })

  it('a cast returns before its work is done, and each is worked on once', async () => {
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const note = async ({ text }: { text: string }) => {
      await gate
      notes.push(text)
      return {}
    }
    await far.serve('one', service, handlersFor(far, notes, { note }))
    const texts = Array.from({ length: 50 }, (_unused, index) => `note ${index}`)
    for (const text of texts) await near.cast('one', service.note, { text })
    expect(notes).toEqual([])
    go()
    await until(
      'all notes',
      () => notes.length,
      (count) => count === 50,
    )
    expect([...notes].sort()).toEqual([...texts].sort())
  })

  it('a fan-out reaches every listener of its topic, and no other', async () => {
    const heard: unknown[] = []
    await near.listen('news', (message) => heard.push(['near', message]))
    const second = await far.listen('news', (message) => heard.push(['far', message]))
    await far.listen('else', (message) => heard.push(['else', message]))
    await near.fanout('news', { serverId: 'a' })
    await until(
      'both',
      () => heard.length,
      (count) => count === 2,
    )
    expect(heard).toContainEqual(['near', { serverId: 'a' }])
    expect(heard).toContainEqual(['far', { serverId: 'a' }])
    await second.close()
    await near.fanout('news', { serverId: 'b' })
    await near.fanout('else', 'last')
    await until(
      'the last',
      () => heard.length,
      (count) => count === 4,
    )
    expect(heard).toContainEqual(['near', { serverId: 'b' }])
    expect(heard).toContainEqual(['else', 'last'])
    await near.fanout('nobody', {})
  })

  it('nothing is sent inside a transaction, and handlers run outside of it', async () => {
    await far.serve('one', service, handlersFor(far, notes))
    const scope = { database: 'api', afterCommit: [] }
    await expect(runInTransactionScope(scope, () => near.call('one', service.echo, { text: '' }))).rejects.toThrow(TransactionScopeError)
    await expect(runInTransactionScope(scope, () => near.cast('one', service.note, { text: '' }))).rejects.toThrow(TransactionScopeError)
  })

  it('closing waits for casts under way and ends calls that wait', async () => {
    let begun = false
    let go = (): void => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const note = async ({ text }: { text: string }) => {
      begun = true
      await gate
      notes.push(text)
      return {}
    }
    await far.serve('one', service, handlersFor(far, notes, { note }))
    await near.cast('one', service.note, { text: 'under way' })
    await until(
      'the work',
      () => begun,
      (value) => value,
    )
    const closing = far.close()
    go()
    await closing
    expect(notes).toEqual(['under way'])
    await expect(far.call('one', service.echo, { text: '' })).rejects.toMatchObject({ name: 'BusUnavailableError' })
  })
})
