/** Reads public keys and gives their fingerprints, as Nova shows them. */
import { createHash, X509Certificate } from 'node:crypto'
import { CloudError } from '@kilonova/contract/errors'

/** Kinds of SSH keys, with the number of parts of their wire format: the kind itself, then numbers, points and names. */
const sshParts: Readonly<Record<string, number>> = {
  'ssh-rsa': 3,
  'ssh-dss': 5,
  'ssh-ed25519': 2,
  'ecdsa-sha2-nistp256': 3,
  'ecdsa-sha2-nistp384': 3,
  'ecdsa-sha2-nistp521': 3,
  'sk-ssh-ed25519@openssh.com': 3,
  'sk-ecdsa-sha2-nistp256@openssh.com': 4,
}

/** The parts of a key's wire format; null when the lengths do not add up. */
function wireParts(bytes: Buffer): Buffer[] | null {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) return null
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) return null
    parts.push(bytes.subarray(at + 4, end))
    at = end
  }
  return parts
}

const colons = (hex: string): string => hex.match(/../g)?.join(':') ?? ''

const refused = (message: string): CloudError =>
  new CloudError('BAD_USER_INPUT', message, { exception: 'InvalidKeypair', fields: ['input.publicKey'] })

/** One line `type base64 [comment]`; the answer is trimmed. */
export function readSshKey(text: string): { publicKey: string; fingerprint: string } {
  const publicKey = text.trim()
  if (publicKey.length > 16384 || /[\r\n]/.test(publicKey)) throw refused('A public key is one line of at most 16384 characters.')
  const [type, body] = publicKey.split(/\s+/)
  if (type === undefined || body === undefined || !Object.hasOwn(sshParts, type) || !/^[A-Za-z0-9+/]+={0,2}$/.test(body)) {
    throw refused('That is not an OpenSSH public key such as "ssh-ed25519 AAAA… comment".')
  }
  const bytes = Buffer.from(body, 'base64')
  const parts = wireParts(bytes)
  const whole = parts !== null && parts.length === sshParts[type] && parts.every((part) => part.length > 0)
  if (!whole || parts[0]?.toString('latin1') !== type) throw refused('The public key is damaged: its type and its content differ.')
  return { publicKey, fingerprint: colons(createHash('md5').update(bytes).digest('hex')) }
}

const oneCertificate = /^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,16384}-----END CERTIFICATE-----$/

/** One certificate in PEM and nothing else: what lies beside it may be a private key. */
export function readCertificate(text: string): { publicKey: string; fingerprint: string } {
  const publicKey = text.trim()
  if (!oneCertificate.test(publicKey)) throw refused('That is not one X.509 certificate in PEM form.')
  try {
    const certificate = new X509Certificate(publicKey)
    return { publicKey, fingerprint: colons(createHash('sha1').update(certificate.raw).digest('hex')) }
  } catch {
    throw refused('The certificate is damaged.')
  }
}
