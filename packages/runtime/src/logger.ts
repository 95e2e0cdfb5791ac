/** Structured logs with redaction of everything that may be a secret. */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'

export type Logger = PinoLogger

const secretKeys = [
  'password',
  'adminPassword',
  'currentPassword',
  'newPassword',
  'accessToken',
  'refreshToken',
  'token',
  'ticket',
  'userData',
  'authorization',
  'cookie',
  'secret',
]
const ticketInUrl = /([?&]ticket=)[^&#\s"]+/g

/** Removes tickets from text that holds URLs. */
export const redactText = (text: string): string => text.replace(ticketInUrl, '$1[secret]')

export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    redact: {
      paths: secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`]),
      censor: '[secret]',
    },
    serializers: {
      err: (error: unknown): unknown => {
        if (!(error instanceof Error)) return redactText(String(error))
        return { ...pino.stdSerializers.err(error), message: redactText(error.message), stack: redactText(error.stack ?? '') }
      },
    },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}
