import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LinkBreak, type LinkEvent, type LinkState, nextLink, startLink } from './console-link.js'

const run = (events: LinkEvent[], state = startLink(true)): LinkState => events.reduce(nextLink, state)
const closed = (code: number, reason = 'why'): LinkEvent => ({ type: 'broken', break: { kind: 'closed', code, reason }, atMs: 0 })
const refused = (code: string): LinkEvent => ({ type: 'broken', break: { kind: 'refused', code, message: 'why' }, atMs: 0 })
const opened: LinkEvent = { type: 'opened', atMs: 0 }
const due: LinkEvent = { type: 'due' }

describe('the link of a console', () => {
  it('connects, and is connected', () => {
    expect(startLink(true)).toMatchObject({ phase: 'connecting', attempt: 1 })
    expect(run([opened])).toMatchObject({ phase: 'connected', attempt: 1, reason: null })
  })

  it.each([
    ['the guest is rebooted', closed(1011)],
    ['the cloud restarts', closed(1001)],
    ['the connection is cut', closed(1006, '')],
    ['the ticket came too late', closed(4401)],
    ['the guest was off for a moment', closed(4409)],
    ['nobody can say whether it is allowed', closed(1013)],
    ['the network goes', { type: 'broken', break: { kind: 'offline' }, atMs: 0 } satisfies LinkEvent],
    ['nothing is heard', { type: 'broken', break: { kind: 'silent' }, atMs: 0 } satisfies LinkEvent],
  ])('comes back by itself when %s, with a new connection', (_why, event) => {
    const waiting = run([opened, event])
    expect(waiting).toMatchObject({ phase: 'waiting', delayMs: 500, attempt: 1 })
    expect(waiting.reason).not.toBe('')
    expect(nextLink(waiting, due)).toMatchObject({ phase: 'connecting', attempt: 2 })
    expect(run([due, opened], waiting)).toMatchObject({ phase: 'connected', attempt: 2 })
  })

  it.each(['UNREACHABLE', 'HOST_DOWN', 'INVALID_STATE', 'CELL_UNAVAILABLE'])(
    'asks for a ticket again after %s, for as long as it takes',
    (code) => {
      let state = startLink(true)
      for (let tries = 1; tries <= 50; tries++) {
        state = nextLink(state, refused(code))
        expect(state).toMatchObject({ phase: 'waiting', breaks: tries, reason: 'why' })
        state = nextLink(state, due)
      }
    },
  )

  it.each([
    ['the right, the login or the server is gone', closed(4403)],
    ['a viewer tried to type', closed(1008)],
    ['the server is unknown', refused('NOT_FOUND')],
    ['the role is too small', refused('FORBIDDEN')],
    ['the session has ended', refused('UNAUTHENTICATED')],
    ['the screen wants a password', { type: 'broken', break: { kind: 'unusable', message: 'why' }, atMs: 0 } satisfies LinkEvent],
  ])('ends, and says why, when %s', (_why, event) => {
    const ended = run([opened, event])
    expect(ended).toMatchObject({ phase: 'ended', reason: 'why' })
    // Nothing but the user brings it back.
    const events: LinkEvent[] = [
      due,
      { type: 'online' },
      { type: 'server', runs: false },
      { type: 'server', runs: true },
      opened,
      closed(1011),
    ]
    expect(run(events, ended).phase).toBe('ended')
    expect(nextLink(ended, { type: 'again' })).toMatchObject({ phase: 'connecting', attempt: 2, breaks: 0 })
  })

  it('gives up what is refused again and again', () => {
    let state = startLink(true)
    for (let tries = 1; tries < 6; tries++) {
      state = nextLink(state, refused('OPERATION_NOT_SUPPORTED'))
      expect(state.phase).toBe('waiting')
      state = nextLink(state, due)
    }
    expect(nextLink(state, refused('OPERATION_NOT_SUPPORTED'))).toMatchObject({ phase: 'ended', reason: 'why' })
  })

  it('waits longer after each break, up to ten seconds, and is patient again after a connection that held', () => {
    let state = startLink(true)
    const delays: number[] = []
    for (let tries = 0; tries < 7; tries++) {
      state = run([opened, closed(1011)], state)
      if (state.phase === 'waiting') delays.push(state.delayMs)
      state = nextLink(state, due)
    }
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
    const held = run(
      [
        { type: 'opened', atMs: 1000 },
        { type: 'broken', break: { kind: 'closed', code: 1011, reason: '' }, atMs: 11_000 },
      ],
      state,
    )
    expect(held).toMatchObject({ phase: 'waiting', delayMs: 500, breaks: 1 })
  })

  it('rests while the server is off, and connects at once when it runs again', () => {
    expect(startLink(false).phase).toBe('off')
    const off: LinkEvent = { type: 'server', runs: false }
    const on: LinkEvent = { type: 'server', runs: true }
    // The news of the stop may come before or after the console is closed.
    for (const events of [[opened, off, closed(4409)], [opened, closed(4409), off], [off]]) {
      const state = run(events)
      expect(state.phase).toBe('off')
      expect(nextLink(state, due).phase).toBe('off')
      expect(nextLink(state, on)).toMatchObject({ phase: 'connecting', breaks: 0, attempt: 2 })
    }
    // What is open stays open until it is closed.
    expect(run([opened, off]).phase).toBe('connected')
  })

  it('tries at once when the network is back', () => {
    expect(run([opened, { type: 'broken', break: { kind: 'offline' }, atMs: 0 }, { type: 'online' }])).toMatchObject({
      phase: 'connecting',
    })
  })

  it('whatever happens: never two connections under one number, never a wait without end', () => {
    const cause = fc.oneof(
      fc.record({
        kind: fc.constant('closed' as const),
        code: fc.constantFrom(1001, 1006, 1011, 1013, 4401, 4403, 4404, 4409),
        reason: fc.string(),
      }),
      fc.record({
        kind: fc.constant('refused' as const),
        code: fc.constantFrom('UNREACHABLE', 'INTERNAL', 'NOT_FOUND'),
        message: fc.string(),
      }),
      fc.record({ kind: fc.constantFrom('silent' as const, 'offline' as const) }),
    )
    const event: fc.Arbitrary<LinkEvent> = fc.oneof(
      fc.record({ type: fc.constant('opened' as const), atMs: fc.nat(60_000) }),
      fc.record({ type: fc.constant('broken' as const), break: cause as fc.Arbitrary<LinkBreak>, atMs: fc.nat(60_000) }),
      fc.record({ type: fc.constantFrom('due' as const, 'online' as const, 'again' as const) }),
      fc.record({ type: fc.constant('server' as const), runs: fc.boolean() }),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = startLink(true)
        for (const one of events) {
          const before = state
          state = nextLink(state, one)
          const began = state.phase === 'connecting' && (before.phase !== 'connecting' || one.type === 'again')
          expect(state.attempt).toBe(before.attempt + (began ? 1 : 0))
          if (state.phase === 'waiting') expect(state.delayMs).toBeLessThanOrEqual(10_000)
          if (state.phase === 'waiting') expect(state.serverRuns).toBe(true)
        }
      }),
    )
  })
})
