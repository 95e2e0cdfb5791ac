import { Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../logger.js'
import { currentWork, formatTraceparent, leaveWork, parseTraceparent, runWork } from './work-context.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('the work under way', () => {
  it('is known to whatever is called for it, and to nothing else', async () => {
    const seen = await Promise.all(
      ['req-1', 'req-2'].map((requestId) =>
        runWork({ requestId, traceparent: null }, async () => {
          await turn()
          return [currentWork().requestId, leaveWork(() => currentWork().requestId)]
        }),
      ),
    )
    expect(seen).toEqual([
      ['req-1', null],
      ['req-2', null],
    ])
    expect(currentWork().requestId).toBeNull()
  })

  it('stands in every log line written for it, also of child loggers', () => {
    const lines: Record<string, unknown>[] = []
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        lines.push(JSON.parse(String(chunk)) as Record<string, unknown>)
        done()
      },
    })
    const log = createLogger('debug', sink)
    runWork({ requestId: 'req-1', traceparent }, () => {
      log.info('a')
      log.child({ part: 'agent' }).debug({ server: 's' }, 'b')
      log.info({ requestId: 'req-2' }, 'c')
    })
    log.info('d')
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    expect(lines).toMatchObject([
      { msg: 'a', requestId: 'req-1', traceId },
      { msg: 'b', requestId: 'req-1', part: 'agent', server: 's' },
      { msg: 'c', requestId: 'req-2' },
      { msg: 'd' },
    ])
    expect(lines[3]).not.toHaveProperty('requestId')
  })

  it('reads trace contexts of the one known form only', () => {
    const parts = parseTraceparent(traceparent)
    expect(parts).toEqual({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1 })
    expect(parts === null ? null : formatTraceparent(parts)).toBe(traceparent)
    for (const broken of [null, '', 'x', `${traceparent}0`, traceparent.toUpperCase(), traceparent.replace('00-', '01-')]) {
      expect(parseTraceparent(broken)).toBeNull()
    }
  })
})
