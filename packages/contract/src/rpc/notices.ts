/**
 * Notices between processes: fan-outs that save a wait and carry nothing. Whoever misses one finds the row by its own look at the
 * database, a second later.
 */
import { z } from 'zod'

/** A saga may run now. One topic per database: `api`, or the id of a cell. */
export const sagaTopic = (database: string): string => `saga.${database}`
export const sagaNotice = z.object({ sagaId: z.string() })
export type SagaNotice = z.infer<typeof sagaNotice>

/** Events wait in some outbox. */
export const outboxTopic = 'events.waiting'
/** The event log has grown. */
export const eventLogTopic = 'events.appended'

/** Somebody's rights have changed: the rows of `rights_changes` tell whose. */
export const rightsTopic = 'identity.rights'
