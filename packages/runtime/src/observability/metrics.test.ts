import { describe, expect, it } from 'vitest'
import { Metrics } from './metrics.js'

describe('metrics', () => {
  it('are shared by those that declare them twice, and by nobody else', async () => {
    const metrics = new Metrics()
    metrics.counter('kilonova_tests_total', 'Tests.', ['kind']).inc({ kind: 'a' })
    metrics.counter('kilonova_tests_total', 'Tests.', ['kind']).inc({ kind: 'a' })
    expect(await metrics.text()).toContain('kilonova_tests_total{kind="a"} 2')
    expect(await new Metrics().text()).not.toContain('kilonova_tests_total')
  })

  it('are told of the process when asked for: memory, CPU, the lag of its event loop', async () => {
    const metrics = new Metrics()
    metrics.observeProcess()
    const text = await metrics.text()
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds']) {
      expect(text).toContain(`\n${name} `)
    }
  })

  it('are told without what fails or does not come in time', async () => {
    const metrics = new Metrics()
    const gauge = metrics.gauge('kilonova_things', 'Things.', ['place'])
    metrics.onScrape(() => gauge.set({ place: 'here' }, 3))
    metrics.onScrape(async () => {
      throw new Error('the database is away')
    })
    metrics.onScrape(() => new Promise(() => {}))
    expect(await metrics.text()).toContain('kilonova_things{place="here"} 3')
  })

  it('are collected once for those who ask at the same time, and no more after the end', async () => {
    const metrics = new Metrics()
    let looks = 0
    const end = metrics.onScrape(() => {
      looks++
    })
    await Promise.all([metrics.text(), metrics.text()])
    expect(looks).toBe(1)
    await metrics.text()
    expect(looks).toBe(2)
    end()
    await metrics.text()
    expect(looks).toBe(2)
  })
})
