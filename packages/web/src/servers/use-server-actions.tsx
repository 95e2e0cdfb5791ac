/** What can be done to a server from a row, its page or the command palette, with the server's own word on what is possible now. */
import type { ApolloClient } from '@apollo/client'
import { useApolloClient } from '@apollo/client/react'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import type { RowAction } from '../components/row-actions.js'
import type { ServerAction, ServerRowFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { problemOf } from '../lib/problem.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { LockServerDialog } from './lock-server-dialog.js'
import {
  deleteServerMutation,
  pauseServerMutation,
  rebootServerMutation,
  resumeServerMutation,
  startServerMutation,
  stopServerMutation,
  suspendServerMutation,
  unlockServerMutation,
  unpauseServerMutation,
} from './server-actions.documents.js'
import { ServerMetadataDialog } from './server-metadata-dialog.js'
import { ServerTagsDialog } from './server-tags-dialog.js'
import { actableServersQuery } from './servers-list.documents.js'

const words = text.servers

export type ActableServer = Pick<ServerRowFragment, 'id' | 'name' | 'locked' | 'allowedActions'>
export type OfferedAction = keyof typeof words.actions

export const nameOf = (server: { id: string; name: string | null }): string => server.name ?? server.id

/** Why the action is not possible now; null when it is. */
export function refusalOf(server: Pick<ActableServer, 'allowedActions'>, action: ServerAction): string | null {
  const permission = server.allowedActions.find((one) => one.action === action)
  if (permission === undefined) return words.notOffered
  return permission.allowed ? null : (permission.reason ?? words.notNow)
}

/** What can be done to these servers now. */
export async function readActable(apollo: ApolloClient, ids: readonly string[]): Promise<ActableServer[]> {
  const { data } = await apollo.query({
    query: actableServersQuery,
    variables: { first: Math.max(ids.length, 1), ids: [...ids] },
    fetchPolicy: 'no-cache',
  })
  const found = new Map(data?.servers.nodes.map((server) => [server.id, server]))
  return ids.flatMap((id) => found.get(id) ?? [])
}

interface Target {
  serverId: string
  idempotencyKey: string
}

/** What needs nothing more than the server. */
const plain = {
  START: (apollo, input) => apollo.mutate({ mutation: startServerMutation, variables: { input } }),
  STOP: (apollo, input) => apollo.mutate({ mutation: stopServerMutation, variables: { input } }),
  REBOOT_SOFT: (apollo, input) => apollo.mutate({ mutation: rebootServerMutation, variables: { input: { ...input, type: 'SOFT' } } }),
  REBOOT_HARD: (apollo, input) => apollo.mutate({ mutation: rebootServerMutation, variables: { input: { ...input, type: 'HARD' } } }),
  PAUSE: (apollo, input) => apollo.mutate({ mutation: pauseServerMutation, variables: { input } }),
  UNPAUSE: (apollo, input) => apollo.mutate({ mutation: unpauseServerMutation, variables: { input } }),
  SUSPEND: (apollo, input) => apollo.mutate({ mutation: suspendServerMutation, variables: { input } }),
  RESUME: (apollo, input) => apollo.mutate({ mutation: resumeServerMutation, variables: { input } }),
  UNLOCK: (apollo, input) => apollo.mutate({ mutation: unlockServerMutation, variables: { input } }),
} satisfies Partial<Record<OfferedAction, (apollo: ApolloClient, input: Target) => Promise<unknown>>>
type PlainAction = keyof typeof plain

type AskedAction = Exclude<OfferedAction, PlainAction>

/** Of two that undo each other, the one that is possible; where neither is, the first, with the reason. */
function oneOf(server: ActableServer, first: OfferedAction, second: OfferedAction): OfferedAction {
  return refusalOf(server, first) !== null && refusalOf(server, second) === null ? second : first
}

const menuOf = (server: ActableServer): OfferedAction[] => [
  'START',
  'STOP',
  'REBOOT_SOFT',
  'REBOOT_HARD',
  oneOf(server, 'PAUSE', 'UNPAUSE'),
  oneOf(server, 'SUSPEND', 'RESUME'),
  server.locked === true ? 'UNLOCK' : 'LOCK',
  'CHANGE_METADATA',
  'CHANGE_TAGS',
  'DELETE',
]

const isPlain = (action: OfferedAction): action is PlainAction => action in plain

export function useServerActions() {
  const apollo = useApolloClient()
  const [asked, setAsked] = useState<{ action: AskedAction; server: ActableServer } | null>(null)

  const run = async (action: PlainAction, server: ActableServer): Promise<void> => {
    try {
      await plain[action](apollo, { serverId: server.id, idempotencyKey: randomKey() })
    } catch (error) {
      showToast('danger', words.actions[action].failed(nameOf(server)), problemOf(error).message)
    }
  }
  const actionsOf = (server: ActableServer): RowAction[] =>
    menuOf(server).map((action) => ({
      label: words.actions[action].label,
      disabledReason: refusalOf(server, action),
      isDanger: action === 'DELETE',
      onSelect: () => (isPlain(action) ? void run(action, server) : setAsked({ action, server })),
    }))

  /** For a row of a list, which does not hold what can be done. */
  const askActionsOf = async (id: string): Promise<RowAction[]> => {
    const [server] = await readActable(apollo, [id])
    return server === undefined ? [] : actionsOf(server)
  }
  const close = (): void => setAsked(null)
  return { actionsOf, askActionsOf, run, dialog: asked === null ? null : <AskedDialog {...asked} close={close} /> }
}

function AskedDialog({ action, server, close }: { action: AskedAction; server: ActableServer; close: () => void }) {
  const apollo = useApolloClient()
  switch (action) {
    case 'LOCK':
      return <LockServerDialog server={server} close={close} />
    case 'CHANGE_METADATA':
      return <ServerMetadataDialog server={server} close={close} />
    case 'CHANGE_TAGS':
      return <ServerTagsDialog server={server} close={close} />
    case 'DELETE':
      return (
        <ConfirmDialog
          title={words.remove.title}
          confirmLabel={words.remove.submit}
          onConfirm={async () => {
            await apollo.mutate({
              mutation: deleteServerMutation,
              variables: { input: { serverId: server.id, idempotencyKey: randomKey() } },
            })
            showToast('info', words.remove.deleting(nameOf(server)))
          }}
          onClose={close}
        >
          <p>{words.remove.why}</p>
          <p className="kn-break">{nameOf(server)}</p>
        </ConfirmDialog>
      )
  }
}
