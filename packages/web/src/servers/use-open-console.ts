/** Tickets for consoles of one server, and why there is none. */
import { useMutation } from '@apollo/client/react'
import { useCallback } from 'react'
import type { ConsoleTicket } from '../consoles/console-socket.js'
import type { ConsoleType } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { createConsoleMutation } from './server.documents.js'
import type { ServerDetails } from './server-page.js'
import { refusalOf } from './use-server-actions.js'

export function useOpenConsole(serverId: string, type: ConsoleType): () => Promise<ConsoleTicket> {
  const [create] = useMutation(createConsoleMutation)
  return useCallback(async () => {
    const { data } = await create({ variables: { input: { serverId, type, mode: 'CONTROL', idempotencyKey: randomKey() } } })
    if (data === undefined) throw new Error('no console')
    return data.createConsole.console
  }, [create, serverId, type])
}

const nameOfType: Record<ConsoleType, string> = { NOVNC: 'a screen', SERIAL: 'a serial console' }

/** In these states there is no guest to look at. */
const offStatuses: readonly string[] = ['SHUTOFF', 'SUSPENDED', 'SHELVED', 'SHELVED_OFFLOADED', 'SOFT_DELETED', 'DELETED']
export const serverRuns = (server: ServerDetails): boolean => !offStatuses.includes(server.status)

/** Null when the console can be opened now. */
export function consoleRefusal(server: ServerDetails, type: ConsoleType): string | null {
  const refusal = refusalOf(server, 'CREATE_CONSOLE')
  if (refusal !== null) return refusal
  return server.availableConsoles.includes(type) ? null : `The host of this server does not offer ${nameOfType[type]} for it.`
}
