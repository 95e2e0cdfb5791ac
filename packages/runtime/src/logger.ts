/** Structured logs with redaction of everything that may be a secret. Every line names the request it was written for. */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import { currentWork, parseTraceparent } from './observability/work-context.js'

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

/** A line that names its request itself keeps that name. */
const ofWork = (): Record<string, string> => {
  const { requestId, traceparent } = currentWork()
  const traced = traceparent === null ? null : parseTraceparent(traceparent)
  return { ...(requestId === null ? {} : { requestId }), ...(traced === null ? {} : { traceId: traced.traceId }) }
}

export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    mixin: ofWork,
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
