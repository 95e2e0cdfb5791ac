/** Secrets are planted, and then looked for everywhere: databases, journals, hosts' files, logs, faults, events, operations. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { createLogger } from '@kilonova/runtime/logger'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestClient, TestCloud } from './cloud.testkit.js'
import { create, serverInput, settled, untilStatus } from './proof.testkit.js'

const filesUnder = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesUnder(path) : [path]
  })

describe('secrets', () => {
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
    test = await TestCloud.start({ log: createLogger('trace', sink) })
  })
  afterAll(() => test?.destroy())

  it('appear in no database, file, log, fault, event or operation', async () => {
    const imageId = await test.image()
    const userData = Buffer.from('#!/bin/sh\necho canary-of-user-data-in-plain-text').toString('base64')
    const password = 'canary-Admin-Password-1'
    Object.assign(secrets, { userData, userDataPlain: 'canary-of-user-data-in-plain-text', password })
    const given = { adminPassword: password, userData, configDrive: true }
    const built = await create(test.admin, serverInput(imageId, 'with secrets', { ...given, idempotencyKey: 'canary' }))
    const failed = await create(test.admin, serverInput(imageId, 'fail-spawn', given))
    const own = await create(test.admin, serverInput(imageId, 'made password', { idempotencyKey: 'canary-2' }))
    secrets.madePassword = own.adminPassword ?? ''
    // Refused input must not come back in a log or an error either.
    const refused = await test.admin.raw('mutation ($input: CreateServerInput!) { createServer(input: $input) { server { id } } }', {
      input: serverInput('unknown', 'refused', given),
    })
    for (const { server } of [built, failed, own]) await untilStatus(test.admin, server.id, 'ACTIVE', 'ERROR')
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
    await test.close()
    const places = new Map<string, string>([
      ['the log', log],
      ['the API', JSON.stringify([shown, refused])],
    ])
    for (const file of filesUnder(test.folder)) {
      // The key of the data folder is the one secret that lies there by design.
      if (!file.endsWith('secret.key')) places.set(file.slice(test.folder.length), readFileSync(file, 'latin1'))
    }
    expect(places.size).toBeGreaterThan(8)
    expect(log).toContain('every role is running')
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret.length, name).toBeGreaterThan(7)
      for (const [place, text] of places) expect(text.includes(secret), `${name} in ${place}`).toBe(false)
    }
    await test.open()
  })
})
