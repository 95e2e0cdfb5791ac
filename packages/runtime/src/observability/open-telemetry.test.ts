import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfigFile } from '../config.js'
import { openTelemetry } from './open-telemetry.js'
import { observabilityOptions } from './options.js'
import { noTracing } from './tracing.js'
import { currentWork, runWork } from './work-context.js'

describe('telemetry of a process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-telemetry-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('traces nothing without an endpoint', async () => {
    const { tracing } = await openTelemetry({ otel: { endpoint: null, headers_file: null, sample_ratio: 1 } }, {})
    expect(tracing).toBe(noTracing)
  })

  it('sends spans with the headers of the file, and what is left at its end', async () => {
    const got: { key: unknown; body: string }[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += String(chunk)
      })
      request.on('end', () => {
        got.push({ key: request.headers['x-key'], body })
        response.end('{}')
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const file = join(folder, 'headers')
    writeFileSync(file, 'x-key: value of key\n')
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const { tracing } = await openTelemetry({ otel: { endpoint, headers_file: file, sample_ratio: 1 } }, { 'service.name': 'test' })
    const trace = await runWork({ requestId: 'req-7', traceparent: null }, () =>
      tracing.begin('outer', 'server', {}, async () => {
        const outer = currentWork().traceparent
        await tracing.span('inner', 'internal', {}, async () => {
          expect(currentWork().requestId).toBe('req-7')
          expect(currentWork().traceparent?.slice(0, 35)).toBe(outer?.slice(0, 35))
          expect(currentWork().traceparent).not.toBe(outer)
        })
        return outer
      }),
    )
    const failure = new TypeError('with a secret in it')
    await expect(tracing.begin('broken', 'server', {}, () => Promise.reject(failure))).rejects.toBe(failure)
    // Outside a trace there is nothing to be a part of.
    await tracing.span('lonely', 'internal', {}, async () => expect(currentWork().traceparent).toBeNull())
    await tracing.close()
    server.close()
    expect(got.every(({ key }) => key === 'value of key')).toBe(true)
    const sent = got.map(({ body }) => body).join('')
    for (const text of ['"outer"', '"inner"', '"broken"', 'TypeError', 'req-7', trace?.slice(3, 35)]) expect(sent).toContain(text)
    for (const text of ['lonely', 'secret']) expect(sent).not.toContain(text)
  })

  it.each([
    ['metrics:\n  allowed_networks: [everybody]\n', 'allowed_networks'],
    ['otel:\n  endpoint: collector\n', 'endpoint'],
    ['otel:\n  sample_ratio: 2\n', 'sample_ratio'],
  ])('refuses options that make no sense: %j', (text, option) => {
    const file = join(folder, 'options.yaml')
    writeFileSync(file, text)
    expect(() => readConfigFile(file, observabilityOptions)).toThrow(option)
  })

  it('names the line of a header that is none, and a file that is not there', async () => {
    const file = join(folder, 'bad')
    writeFileSync(file, 'x-key: fine\nnonsense\n')
    const otel = { endpoint: 'http://127.0.0.1:1', sample_ratio: 1 }
    await expect(openTelemetry({ otel: { ...otel, headers_file: file } }, {})).rejects.toThrow(`${file}:2`)
    await expect(openTelemetry({ otel: { ...otel, headers_file: `${file}-gone` } }, {})).rejects.toThrow('cannot be read')
  })
})
