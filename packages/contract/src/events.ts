/** Notifications: Nova's versioned event types (D-NTF) that exist so far, and the row every database's outbox carries. */
import { z } from 'zod'

export const eventSubjects = [
  'SERVER',
  'FLAVOR',
  'KEYPAIR',
  'SERVICE',
  'IMAGE',
  'NETWORK',
  'PORT',
  'OPERATION',
  'COMPUTE_TASK',
  'SCHEDULER',
] as const
export type EventSubject = (typeof eventSubjects)[number]
export type EventPhase = 'START' | 'END' | 'ERROR' | 'PROGRESS'
export type EventPriority = 'INFO' | 'ERROR'

/** What a writer hands to the outbox; ids, time and publisher are added there. */
export interface NewEvent {
  eventType: string
  subject: EventSubject
  subjectId: string
  phase?: EventPhase | null
  priority?: EventPriority
  projectId: string | null
  userId?: string | null
  requestId?: string | null
  operationId?: string | null
  /** Small, without secrets and without anything an owner may not see. */
  payload: EventPayload
}

export interface EventPayload {
  name: string
  version: string
  data: Record<string, unknown>
}

export const payload = (name: string, data: Record<string, unknown>): EventPayload => ({
  name,
  version: '1.0',
  data,
})

/** Changes of an operation that a cell reports upwards inside its outbox row. */
export const operationProjection = z.object({
  operationId: z.string(),
  state: z.enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']).optional(),
  progress: z.number().optional(),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      exception: z.string().optional(),
      details: z.string().optional(),
    })
    .optional(),
  /** BUILD stage for the scheduling trace: hosts tried so far. */
  attempts: z.number().optional(),
  buildStage: z.object({ host: z.string(), ok: z.boolean(), reason: z.string().nullable() }).optional(),
  step: z
    .object({
      /** Unique within the operation, so that a repeat overwrites. */
      key: z.string(),
      name: z.string(),
      host: z.string().nullable(),
      startedAt: z.number(),
      finishedAt: z.number().nullable(),
      result: z.enum(['SUCCESS', 'ERROR']).nullable(),
      message: z.string().nullable(),
      details: z.string().nullable(),
    })
    .optional(),
})
export type OperationProjection = z.infer<typeof operationProjection>

interface EventTypeInfo {
  subject: EventSubject
  description: string
}
/** Every kind of event that exists. The phase is the last part of the name where there is one. */
export const eventTypes: Record<string, EventTypeInfo> = {
  'instance.create.start': { subject: 'SERVER', description: 'A build has reached a host.' },
  'instance.create.end': { subject: 'SERVER', description: 'A server is active.' },
  'instance.create.error': { subject: 'SERVER', description: 'A build failed.' },
  'instance.delete.start': { subject: 'SERVER', description: 'Deletion has begun.' },
  'instance.delete.end': { subject: 'SERVER', description: 'A server is gone.' },
  'instance.power_on.start': { subject: 'SERVER', description: 'Powering on.' },
  'instance.power_on.end': { subject: 'SERVER', description: 'Powered on.' },
  'instance.power_off.start': { subject: 'SERVER', description: 'Powering off.' },
  'instance.power_off.end': { subject: 'SERVER', description: 'Powered off.' },
  'instance.reboot.start': { subject: 'SERVER', description: 'Reboot has begun.' },
  'instance.reboot.end': { subject: 'SERVER', description: 'Rebooted.' },
  'instance.reboot.error': { subject: 'SERVER', description: 'A reboot failed.' },
  'instance.pause.start': { subject: 'SERVER', description: 'Pausing.' },
  'instance.pause.end': { subject: 'SERVER', description: 'Paused.' },
  'instance.unpause.start': { subject: 'SERVER', description: 'Unpausing.' },
  'instance.unpause.end': { subject: 'SERVER', description: 'Runs again.' },
  'instance.suspend.start': { subject: 'SERVER', description: 'Saving the memory to disk.' },
  'instance.suspend.end': { subject: 'SERVER', description: 'Suspended.' },
  'instance.resume.start': { subject: 'SERVER', description: 'Loading the memory from disk.' },
  'instance.resume.end': { subject: 'SERVER', description: 'Resumed.' },
  'instance.lock': { subject: 'SERVER', description: 'A server was locked.' },
  'instance.unlock': { subject: 'SERVER', description: 'A server was unlocked.' },
  'instance.exists': { subject: 'SERVER', description: 'A server was there in a period of the usage audit.' },
  'instance.update': { subject: 'SERVER', description: 'A state or an attribute changed.' },
  'flavor.create': { subject: 'FLAVOR', description: 'A flavor was made.' },
  'flavor.update': { subject: 'FLAVOR', description: 'Extra specs, description or access changed.' },
  'flavor.delete': { subject: 'FLAVOR', description: 'A flavor was deleted.' },
  'keypair.create.end': { subject: 'KEYPAIR', description: 'A key pair was made.' },
  'keypair.import.end': { subject: 'KEYPAIR', description: 'A public key was imported.' },
  'keypair.delete.end': { subject: 'KEYPAIR', description: 'A key pair was deleted.' },
  'image.create': { subject: 'IMAGE', description: 'An image record was made.' },
  'image.update': { subject: 'IMAGE', description: 'An image, its data or its members changed.' },
  'image.delete': { subject: 'IMAGE', description: 'An image was deleted.' },
  'service.create': { subject: 'SERVICE', description: 'A service has registered itself.' },
  'service.update': { subject: 'SERVICE', description: 'A service changed its state.' },
  'service.delete': { subject: 'SERVICE', description: 'A service was removed.' },
  'operation.update': { subject: 'OPERATION', description: 'State, progress or a step of an operation changed.' },
}
