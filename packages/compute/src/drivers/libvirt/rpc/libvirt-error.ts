/** Errors as libvirt words them. */
import type { RemoteError } from './protocol.js'

/** Codes the driver decides on (virErrorNumber). */
export const libvirtCode = { noSupport: 3, domainExists: 28, noDomain: 42, operationInvalid: 55 } as const

export class LibvirtError extends Error {
  readonly code: number
  /** Part of libvirt that complained (virErrorDomain). */
  readonly domain: number
  readonly level: number

  constructor(error: RemoteError) {
    super(error.message)
    this.name = 'LibvirtError'
    this.code = error.code
    this.domain = error.domain
    this.level = error.level
  }

  is(code: keyof typeof libvirtCode): boolean {
    return this.code === libvirtCode[code]
  }
}

/** The daemon is away: nothing is known of what it did with calls under way. */
export class LibvirtUnavailableError extends Error {
  override name = 'LibvirtUnavailableError'
}
