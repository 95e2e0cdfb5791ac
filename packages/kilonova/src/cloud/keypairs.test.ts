/** Key pairs: made here or elsewhere, of one user each, with the private half shown once. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialects, type TestClient, TestCloud } from './cloud.testkit.js'
import { createServerDocument, serverInput } from './proof.testkit.js'

const fields = 'id name type publicKey fingerprint userId user { id } createdAt'
const createDocument = `mutation ($input: CreateKeypairInput!) { createKeypair(input: $input) { keypair { ${fields} } privateKey } }`
const importDocument = `mutation ($input: ImportKeypairInput!) { importKeypair(input: $input) { keypair { ${fields} } } }`
const deleteDocument = 'mutation ($input: DeleteKeypairInput!) { deleteKeypair(input: $input) { deletedName } }'

interface Keypair {
  id: string
  name: string
  type: string
  publicKey: string
  fingerprint: string
  userId: string
}

const ed25519 = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl somebody@somewhere'
const unknownUser = '99999999999949998999999999999999'

/** An SSH public key of other kinds, from their wire format. */
function sshKey(type: string, ...parts: Buffer[]): string {
  const wire = [Buffer.from(type), ...parts].map((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(part.length)
    return Buffer.concat([length, part])
  })
  return `${type} ${Buffer.concat(wire).toString('base64')}`
}
const bytes = (size: number) => Buffer.alloc(size, 7)

describe.each(dialects)('key pairs on %s', (dialect) => {
  let test: TestCloud
  let owner: { client: TestClient; userId: string; projectId: string }
  let other: { client: TestClient; userId: string; projectId: string }
  const create = async (client: TestClient, input: Record<string, unknown>) =>
    (await client.ask<{ createKeypair: { keypair: Keypair; privateKey: string } }>(createDocument, { input })).createKeypair
  const importKey = async (client: TestClient, input: Record<string, unknown>) =>
    (await client.ask<{ importKeypair: { keypair: Keypair } }>(importDocument, { input })).importKeypair.keypair
  const names = async (client: TestClient, filter: Record<string, unknown> = {}): Promise<string[]> => {
    const { keypairs } = await client.ask<{ keypairs: { nodes: { name: string }[] } }>(
      'query ($filter: KeypairFilter) { keypairs(filter: $filter) { nodes { name } } }',
      { filter },
    )
    return keypairs.nodes.map(({ name }) => name)
  }

  beforeAll(async () => {
    test = await TestCloud.start({ dialect, config: { quota: { key_pairs: 12 } } })
    owner = await test.user('member')
    other = await test.user('member')
  })
  afterAll(() => test?.destroy())

  it('A-VIEW-12: makes an SSH key whose halves fit, and shows the private one once', async () => {
    const { keypair, privateKey } = await create(owner.client, { name: 'made' })
    expect(keypair).toMatchObject({ name: 'made', type: 'SSH', userId: owner.userId, user: { id: owner.userId } })
    expect(privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/)
    const { n, e } = createPublicKey(createPrivateKey(privateKey)).export({ format: 'jwk' })
    const [, body = ''] = keypair.publicKey.split(' ')
    const wire = Buffer.from(body, 'base64')
    expect(wire.includes(Buffer.from(n ?? '', 'base64url'))).toBe(true)
    expect(wire.includes(Buffer.from(e ?? '', 'base64url'))).toBe(true)
    expect(keypair.fingerprint).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/)
    const rows = await test.cloud.plane.api.read.selectFrom('keypairs').selectAll().where('name', '=', 'made').execute()
    expect(JSON.stringify(rows)).not.toContain('PRIVATE')
  })

  it('A-MV-2: makes a certificate for Windows with its key in PKCS 12', async () => {
    const { keypair, privateKey } = await create(owner.client, { name: 'windows', type: 'X509' })
    expect(keypair.type).toBe('X509')
    const certificate = new X509Certificate(keypair.publicKey)
    expect(certificate.subject).toBe(`CN=${owner.userId}`)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(new Date(certificate.validTo).getTime()).toBeGreaterThan(Date.now() + 3000 * 86_400_000)
    expect(keypair.fingerprint).toBe(certificate.fingerprint.toLowerCase())
    const folder = mkdtempSync(join(tmpdir(), 'kilonova-p12-'))
    try {
      const file = join(folder, 'key.p12')
      writeFileSync(file, Buffer.from(privateKey, 'base64'))
      const pem = execFileSync('openssl', ['pkcs12', '-in', file, '-nodes', '-passin', 'pass:'], { encoding: 'utf8', stdio: 'pipe' })
      const key = pem.slice(pem.indexOf('-----BEGIN PRIVATE KEY'), pem.indexOf('-----END PRIVATE KEY-----') + 26)
      expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true)
      writeFileSync(join(folder, 'certificate.pem'), keypair.publicKey)
      const seen = execFileSync('openssl', ['x509', '-in', join(folder, 'certificate.pem'), '-noout', '-text'], { encoding: 'utf8' })
      expect(seen).toContain('TLS Web Client Authentication')
      expect(seen).toContain(`UPN`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('shows the private half of a retried request again for a while, and never after', async () => {
    const input = { name: 'retried', idempotencyKey: 'key-once' }
    const first = await create(owner.client, input)
    expect(await create(owner.client, input)).toEqual(first)
    await test.cloud.plane.api.transaction((trx) =>
      trx.updateTable('idempotency_keys').set({ sealed: null }).where('key', '=', 'key-once').execute(),
    )
    expect(await owner.client.refused(createDocument, { input })).toMatchObject({ code: 'GONE', fields: ['input.idempotencyKey'] })
    expect((await owner.client.refused(createDocument, { input: { ...input, name: 'else' } })).code).toBe('IDEMPOTENCY_KEY_REUSED')
  })

  it.each([
    ['ed25519', ed25519],
    ['rsa', sshKey('ssh-rsa', Buffer.of(1, 0, 1), bytes(257))],
    ['dss', sshKey('ssh-dss', bytes(129), bytes(21), bytes(129), bytes(129))],
    ['ecdsa', sshKey('ecdsa-sha2-nistp256', Buffer.from('nistp256'), bytes(65))],
    ['security key', sshKey('sk-ssh-ed25519@openssh.com', bytes(32), Buffer.from('ssh:'))],
  ])('A-MV-92: takes a public key of kind %s', async (kind, publicKey) => {
    const name = `of ${kind}_-@.`
    const keypair = await importKey(other.client, { name, publicKey: ` ${publicKey}\n` })
    expect(keypair).toMatchObject({ name, publicKey, type: 'SSH', userId: other.userId })
    expect(await other.client.ask(deleteDocument, { input: { name } })).toEqual({ deleteKeypair: { deletedName: name } })
  })

  it('shows the fingerprint that ssh-keygen shows', async () => {
    const { fingerprint } = await importKey(other.client, { name: 'known', publicKey: ed25519 })
    expect(fingerprint).toBe('65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd')
  })

  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  it.each([
    ['name', { name: '' }],
    ['name', { name: 'n'.repeat(256) }],
    ['name', { name: 'a/b' }],
    ['name', { name: 'ümlaut' }],
    ['publicKey', { publicKey: '' }],
    ['publicKey', { publicKey: 'ssh-ed25519' }],
    ['publicKey', { publicKey: `${ed25519}\n${ed25519}` }],
    ['publicKey', { publicKey: ed25519.replace('ssh-ed25519', 'ssh-rsa') }],
    ['publicKey', { publicKey: `${ed25519.split(' ').slice(0, 2).join(' ').slice(0, -8)}` }],
    ['publicKey', { publicKey: sshKey('ssh-rsa', Buffer.of(1, 0, 1)) }],
    ['publicKey', { publicKey: sshKey('ssh-ed25519', bytes(0)) }],
    ['publicKey', { publicKey: 'constructor AAAA' }],
    ['publicKey', { publicKey: `${ed25519} ${'c'.repeat(16384)}` }],
    ['publicKey', { publicKey: pem }],
    ['publicKey', { publicKey: 'nonsense', type: 'X509' }],
    ['publicKey', { publicKey: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', type: 'X509' }],
  ])('refuses a bad %s and says so: %j', async (field, wrong) => {
    const input = { name: 'bad', publicKey: ed25519, ...wrong }
    expect(await owner.client.refused(importDocument, { input })).toMatchObject({ code: 'BAD_USER_INPUT', fields: [`input.${field}`] })
  })

  it('does not take a private key that lies beside a certificate', async () => {
    const { keypair } = await create(other.client, { name: 'copied', type: 'X509' })
    const refused = await owner.client.refused(importDocument, {
      input: { name: 'leak', type: 'X509', publicKey: `${keypair.publicKey}\n${pem}` },
    })
    expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', exception: 'InvalidKeypair', fields: ['input.publicKey'] })
    const taken = await importKey(owner.client, { name: 'certificate', type: 'X509', publicKey: keypair.publicKey })
    expect(taken).toMatchObject({ type: 'X509', fingerprint: keypair.fingerprint })
  })

  it('gives a name once per user, however it is asked', async () => {
    const exists = { code: 'ALREADY_EXISTS', exception: 'KeyPairExists', fields: ['input.name'] }
    expect(await owner.client.refused(createDocument, { input: { name: 'made' } })).toMatchObject(exists)
    expect(await owner.client.refused(importDocument, { input: { name: 'made', publicKey: ed25519 } })).toMatchObject(exists)
    await importKey(other.client, { name: 'made', publicKey: ed25519 })
    const both = await Promise.all([1, 2].map(() => other.client.raw(importDocument, { input: { name: 'raced', publicKey: ed25519 } })))
    expect(both.filter(({ errors }) => errors === undefined)).toHaveLength(1)
    expect(both.flatMap(({ errors }) => errors ?? []).map(({ extensions }) => extensions.code)).toEqual(['ALREADY_EXISTS'])
  })

  it('A-MV-10, D-POL-T123…T126: keeps users apart, and lets administrators act for them', async () => {
    const { userId } = owner
    for (const [document, input] of [
      [createDocument, { name: 'planted', userId }],
      [importDocument, { name: 'planted', publicKey: ed25519, userId }],
      [deleteDocument, { name: 'made', userId }],
    ] as const) {
      expect((await other.client.refused(document, { input })).code).toBe('FORBIDDEN')
    }
    expect(
      (await other.client.refused('query ($id: ID) { keypairs(filter: { userId: $id }) { nodes { name } } }', { id: userId })).code,
    ).toBe('FORBIDDEN')
    const look = 'query ($name: String!, $userId: ID) { keypair(name: $name, userId: $userId) { userId } }'
    expect(await other.client.ask(look, { name: 'made', userId })).toEqual({ keypair: null })
    expect(await other.client.ask(look, { name: 'windows' })).toEqual({ keypair: null })
    expect(await test.admin.ask(look, { name: 'made', userId })).toEqual({ keypair: { userId } })
    expect(await importKey(test.admin, { name: 'given', publicKey: ed25519, userId })).toMatchObject({ userId })
    expect(await names(test.admin, { userId })).toContain('given')
    expect(await names(owner.client)).toContain('given')
    expect(await names(test.admin)).toEqual([])
    expect(await test.admin.refused(importDocument, { input: { name: 'x', publicKey: ed25519, userId: unknownUser } })).toMatchObject({
      code: 'INVALID_REFERENCE',
      exception: 'UserNotFound',
      fields: ['input.userId'],
    })
  })

  it('A-MV-35: pages by name, filters, and refuses a foreign cursor', async () => {
    const all = await names(owner.client)
    expect(all).toEqual([...all].sort())
    const page =
      'query ($first: Int, $after: String, $filter: KeypairFilter) { keypairs(first: $first, after: $after, filter: $filter) { nodes { name } pageInfo { endCursor hasNextPage } } }'
    interface Page {
      keypairs: { nodes: { name: string }[]; pageInfo: { endCursor: string; hasNextPage: boolean } }
    }
    const first = await owner.client.ask<Page>(page, { first: 2 })
    const second = await owner.client.ask<Page>(page, { first: 100, after: first.keypairs.pageInfo.endCursor })
    expect([...first.keypairs.nodes, ...second.keypairs.nodes].map(({ name }) => name)).toEqual(all)
    expect((await owner.client.refused(page, { after: first.keypairs.pageInfo.endCursor, filter: { type: 'X509' } })).code).toBe(
      'CURSOR_INVALID',
    )
    expect(await names(owner.client, { type: 'X509' })).toEqual(['certificate', 'windows'])
    expect(await names(owner.client, { name: 'MAD' })).toEqual(['made'])
  })

  it('C-QTA: holds no more than the quota, also when many come at once', async () => {
    const crowd = await test.user('member')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => crowd.client.raw(importDocument, { input: { name: `k${index}`, publicKey: ed25519 } })),
    )
    const errors = answers.flatMap(({ errors: found }) => found ?? [])
    expect(errors.map(({ extensions }) => [extensions.code, extensions.exception])).toEqual(
      Array(8).fill(['QUOTA_EXCEEDED', 'KeypairLimitExceeded']),
    )
    expect((await crowd.client.refused(createDocument, { input: { name: 'more' } })).code).toBe('QUOTA_EXCEEDED')
  })

  it('A-LAUNCH-7: gives servers the caller’s own keys only', async () => {
    const imageId = await test.image()
    const launch = (client: TestClient, keyNames: string[]) =>
      client.raw(createServerDocument, { input: serverInput(imageId, 'keyed', { keyNames }) })
    expect((await launch(owner.client, ['made'])).errors).toBeUndefined()
    const [error] = (await launch(other.client, ['made', 'windows'])).errors ?? []
    expect(error?.extensions).toMatchObject({ code: 'INVALID_REFERENCE', exception: 'KeypairNotFound', fields: ['input.keyNames.1'] })
  })

  it('tells of what was made and deleted', async () => {
    const { client, userId } = await test.user('member')
    await create(client, { name: 'seen' })
    await client.ask(deleteDocument, { input: { name: 'seen' } })
    expect(await client.refused(deleteDocument, { input: { name: 'seen' } })).toMatchObject({
      code: 'NOT_FOUND',
      exception: 'KeypairNotFound',
    })
    const sent = await test.cloud.plane.api.read.selectFrom('event_log').select('event_type').where('user_id', '=', userId).execute()
    const waiting = await test.cloud.plane.api.read.selectFrom('outbox').selectAll().execute()
    const types = [...sent.map((row) => row.event_type), ...waiting.map((row) => JSON.stringify(row))].join(' ')
    expect(types).toContain('keypair.create.end')
    expect(types).toContain('keypair.delete.end')
  })
})

describe('a cloud that makes no keys', () => {
  let test: TestCloud
  beforeAll(async () => {
    test = await TestCloud.start({ config: { api: { keypair_generation: false } } })
  })
  afterAll(() => test?.destroy())

  it('says so before it is asked, and refuses', async () => {
    expect(await test.admin.ask('{ systemInfo { capabilities { keypairGeneration } } }')).toEqual({
      systemInfo: { capabilities: { keypairGeneration: false } },
    })
    expect((await test.admin.refused(createDocument, { input: { name: 'made' } })).code).toBe('NOT_IMPLEMENTED')
    expect(await test.admin.ask(importDocument, { input: { name: 'brought', publicKey: ed25519 } })).toBeTruthy()
  })
})
