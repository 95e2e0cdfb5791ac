/** Reads public keys and gives their fingerprints, as Nova shows them. */
import { createHash, X509Certificate } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'

const sshTypes =
  /^(ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com)$/

const colons = (hex: string): string => hex.match(/../g)?.join(':') ?? ''

const refused = (message: string): CloudError =>
  new CloudError('BAD_USER_INPUT', message, { exception: 'InvalidKeypair', fields: ['input.publicKey'] })

/** One line `type base64 [comment]`; the answer is trimmed. */
export function readSshKey(text: string): { publicKey: string; fingerprint: string } {
  const publicKey = text.trim()
  if (publicKey.length > 16384 || /[\r\n]/.test(publicKey)) throw refused('A public key is one line of at most 16384 characters.')
  const [type, body] = publicKey.split(/\s+/)
  if (type === undefined || body === undefined || !sshTypes.test(type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(body)) {
    throw refused('That is not an OpenSSH public key such as "ssh-ed25519 AAAA… comment".')
  }
  const bytes = Buffer.from(body, 'base64')
  const length = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0
  if (bytes.subarray(4, 4 + length).toString('latin1') !== type || bytes.length <= 4 + length) {
    throw refused('The public key is damaged: its type and its content differ.')
  }
  return { publicKey, fingerprint: colons(createHash('md5').update(bytes).digest('hex')) }
}

export function readCertificate(text: string): { publicKey: string; fingerprint: string } {
  try {
    const certificate = new X509Certificate(text)
    return { publicKey: text.trim(), fingerprint: colons(createHash('sha1').update(certificate.raw).digest('hex')) }
  } catch {
    throw refused('That is not an X.509 certificate in PEM form.')
  }
}
