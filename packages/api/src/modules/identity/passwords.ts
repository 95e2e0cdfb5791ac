/** Password hashes: argon2id of Node itself, in PHC form. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'

const memoryKib = 19456
const passes = 2
const tagLength = 32

function derive(password: string, salt: Buffer, memory: number, t: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message: password, nonce: salt, parallelism: 1, tagLength, memory, passes: t }, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const tag = await derive(password, salt, memoryKib, passes)
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=1$${unpadded(salt)}$${unpadded(tag)}`
}

/** Takes the same time whether or not there is a hash to compare with. */
export async function verifyPassword(password: string, stored: string | null): Promise<boolean> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=1\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored ?? '')
  const salt = Buffer.from(match?.[3] ?? unpadded(randomBytes(16)), 'base64')
  const tag = await derive(password, salt, Number(match?.[1] ?? memoryKib), Number(match?.[2] ?? passes))
  const expected = Buffer.from(match?.[4] ?? '', 'base64')
  return expected.length === tag.length && timingSafeEqual(expected, tag)
}
