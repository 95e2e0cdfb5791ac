/** Secrets: a type that never prints, and a box that seals what must be stored. */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

/** Holds a secret; prints and serialises as `[secret]`. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  /** The only way to the value: callers are easy to find. */
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [inspect.custom](): string {
    return '[secret]'
  }
}

/** Seals, signs and hashes with keys derived from the cloud's one key file. */
export class SecretBox {
  readonly #sealKey: Buffer
  readonly #signKey: Buffer
  readonly #hashKey: Buffer

  constructor(key: Buffer) {
    if (key.length < 32) throw new Error('the secret key must have at least 32 bytes')
    const derive = (purpose: string): Buffer => createHmac('sha256', key).update(purpose).digest()
    this.#sealKey = derive('seal')
    this.#signKey = derive('sign')
    this.#hashKey = derive('hash')
  }

  seal(secret: Secret): string {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#sealKey, iv)
    const body = Buffer.concat([cipher.update(secret.reveal(), 'utf8'), cipher.final()])
    return `v1.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`
  }

  unseal(sealed: string): Secret {
    if (!sealed.startsWith('v1.')) throw new Error('not a sealed secret')
    const bytes = Buffer.from(sealed.slice(3), 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', this.#sealKey, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(12, 28))
    return new Secret(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'))
  }

  /** A ticket: claims and their signature, valid until `expiresAt` (epoch ms). */
  sign(claims: Record<string, string | number>): string {
    const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
    return `${body}.${createHmac('sha256', this.#signKey).update(body).digest('base64url')}`
  }

  /** The claims of a ticket, or null when the signature is wrong. The caller checks what they say. */
  verify(ticket: string): Record<string, unknown> | null {
    const [body, signature] = ticket.split('.')
    if (body === undefined || signature === undefined) return null
    const expected = createHmac('sha256', this.#signKey).update(body).digest()
    const given = Buffer.from(signature, 'base64url')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
    return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Record<string, unknown>
  }

  /** Keyed hash, for inputs that may hold secrets. */
  keyedHash(text: string): string {
    return createHmac('sha256', this.#hashKey).update(text).digest('hex')
  }
}

/** A random token with 256 bits, safe in headers and URLs. */
export const randomToken = (): string => randomBytes(32).toString('base64url')

/** What is stored of a token. Tokens are random, so a plain hash is enough. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')
