/** What can be done to a server from a row or its page, with the server's own word on what is possible now. */
import { useMutation } from '@apollo/client/react'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import type { RowAction } from '../components/row-actions.js'
import type { ServerAction, ServerRowFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { problemOf } from '../lib/problem.js'
import { showToast } from '../lib/toasts.js'
import { deleteServerMutation, rebootServerMutation, startServerMutation, stopServerMutation } from './server.documents.js'

export type ActableServer = Pick<ServerRowFragment, 'id' | 'name' | 'allowedActions'>

export const nameOf = (server: { id: string; name: string | null }): string => server.name ?? server.id

/** Why the action is not possible now; null when it is. */
export function refusalOf(server: ActableServer, action: ServerAction): string | null {
  const permission = server.allowedActions.find((one) => one.action === action)
  if (permission === undefined) return 'This cloud does not offer it.'
  return permission.allowed ? null : (permission.reason ?? 'Not possible now.')
}

export function useServerActions(onDeleted?: () => void) {
  const [start] = useMutation(startServerMutation)
  const [stop] = useMutation(stopServerMutation)
  const [reboot] = useMutation(rebootServerMutation)
  const [remove] = useMutation(deleteServerMutation)
  const [deleting, setDeleting] = useState<readonly ActableServer[] | null>(null)

  const attempt = async (title: string, run: () => Promise<unknown>): Promise<void> => {
    try {
      await run()
    } catch (error) {
      showToast('danger', title, problemOf(error).message)
    }
  }
  const run = {
    start: (server: ActableServer) =>
      attempt(`${nameOf(server)} was not started.`, () =>
        start({ variables: { input: { serverId: server.id, idempotencyKey: randomKey() } } }),
      ),
    stop: (server: ActableServer) =>
      attempt(`${nameOf(server)} was not stopped.`, () =>
        stop({ variables: { input: { serverId: server.id, idempotencyKey: randomKey() } } }),
      ),
    reboot: (server: ActableServer, type: 'SOFT' | 'HARD') =>
      attempt(`${nameOf(server)} was not rebooted.`, () =>
        reboot({ variables: { input: { serverId: server.id, type, idempotencyKey: randomKey() } } }),
      ),
  }

  const actionsOf = (server: ActableServer): RowAction[] => [
    { label: 'Start', onSelect: () => void run.start(server), disabledReason: refusalOf(server, 'START') },
    { label: 'Stop', onSelect: () => void run.stop(server), disabledReason: refusalOf(server, 'STOP') },
    { label: 'Reboot', onSelect: () => void run.reboot(server, 'SOFT'), disabledReason: refusalOf(server, 'REBOOT_SOFT') },
    { label: 'Hard reboot', onSelect: () => void run.reboot(server, 'HARD'), disabledReason: refusalOf(server, 'REBOOT_HARD') },
    { label: 'Delete', onSelect: () => setDeleting([server]), disabledReason: refusalOf(server, 'DELETE'), isDanger: true },
  ]

  const deleteAll = async (servers: readonly ActableServer[]): Promise<void> => {
    const results = await Promise.allSettled(
      servers.map((server) => remove({ variables: { input: { serverId: server.id, idempotencyKey: randomKey() } } })),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    const [only] = servers
    showToast('info', servers.length === 1 && only !== undefined ? `Deleting ${nameOf(only)}.` : `Deleting ${servers.length} servers.`)
    onDeleted?.()
  }

  const dialog = deleting !== null && (
    <ConfirmDialog
      title={deleting.length === 1 ? 'Delete this server?' : `Delete ${deleting.length} servers?`}
      confirmLabel="Delete"
      onConfirm={() => deleteAll(deleting)}
      onClose={() => setDeleting(null)}
    >
      <p>These will be deleted with their disks. This cannot be undone.</p>
      <ul>
        {deleting.slice(0, 10).map((server) => (
          <li key={server.id} className="kn-break">
            {nameOf(server)}
          </li>
        ))}
        {deleting.length > 10 && <li>and {deleting.length - 10} more</li>}
      </ul>
    </ConfirmDialog>
  )
  return { actionsOf, run, askDelete: setDeleting, dialog }
}
