/**
 * Makes key pairs for those who have none: an RSA key in PEM for SSH, and a certificate with its key in PKCS 12 for remote management
 * of Windows guests. The private half is a Secret from the start: it is shown once and stored nowhere but sealed beside its retry key.
 */
import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { Secret } from '@kilonova/runtime/secrets'
import forge from 'node-forge'
import { readCertificate, readSshKey } from './public-key.js'

export interface GeneratedKey {
  publicKey: string
  fingerprint: string
  privateKey: Secret
}

/** RSA, because every SSH client and every Windows reads it in these formats. */
const modulusBits = 3072
const certificateDays = 3650
const dayMs = 86_400_000
/** Name of a user in Active Directory; Windows maps the certificate to a login by it. */
const principalName = '1.3.6.1.4.1.311.20.2.3'
const subjectAltName = '2.5.29.17'

const generate = promisify(generateKeyPair)
const newKey = (): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> => generate('rsa', { modulusLength: modulusBits })

const field = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A positive number of the SSH wire format: a leading zero keeps its sign. */
const positive = (base64url: string | undefined): Buffer => {
  const bytes = Buffer.from(base64url ?? '', 'base64url')
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
}

export async function generateSshKey(): Promise<GeneratedKey> {
  const { publicKey, privateKey } = await newKey()
  const { e, n } = publicKey.export({ format: 'jwk' })
  const body = Buffer.concat([field(Buffer.from('ssh-rsa')), field(positive(e)), field(positive(n))]).toString('base64')
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  return { ...readSshKey(`ssh-rsa ${body} generated-by-kilonova`), privateKey: new Secret(pem) }
}

/** A certificate that logs a user in, signed by itself; the private key as Base64 of PKCS 12 with an empty password. */
export async function generateCertificate(userId: string): Promise<GeneratedKey> {
  const { privateKey } = await newKey()
  const key = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString())
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e)
  // The first bit stays clear: serial numbers are positive.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`
  const now = Date.now()
  certificate.validity.notBefore = new Date(now - dayMs)
  certificate.validity.notAfter = new Date(now + certificateDays * dayMs)
  const name = [{ name: 'commonName', value: userId }]
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([
    { name: 'extKeyUsage', clientAuth: true },
    { id: subjectAltName, value: forge.asn1.toDer(principal(`${userId}@localhost`)).getBytes() },
  ])
  certificate.sign(key, forge.md.sha256.create())
  const bundle = forge.asn1.toDer(forge.pkcs12.toPkcs12Asn1(key, [certificate], '', { algorithm: '3des' })).getBytes()
  return {
    ...readCertificate(forge.pki.certificateToPem(certificate)),
    privateKey: new Secret(Buffer.from(bundle, 'binary').toString('base64')),
  }
}

/** `SEQUENCE { [0] { OID, [0] UTF8String } }`: one other name. */
function principal(value: string): forge.asn1.Asn1 {
  const { asn1 } = forge
  const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class
  return asn1.create(UNIVERSAL, asn1.Type.SEQUENCE, true, [
    asn1.create(CONTEXT_SPECIFIC, 0, true, [
      asn1.create(UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(principalName).getBytes()),
      asn1.create(CONTEXT_SPECIFIC, 0, true, [asn1.create(UNIVERSAL, asn1.Type.UTF8, false, forge.util.encodeUtf8(value))]),
    ]),
  ])
}
