/** What can be done to all selected servers at once. Each entry says beforehand whether it can be done to any of them. */
import { useApolloClient } from '@apollo/client/react'
import { ToolbarItem } from '@patternfly/react-core'
import { useState } from 'react'
import { RowActions } from '../components/row-actions.js'
import { text } from '../text/text.js'
import { ServersBulkDialog } from './servers-bulk-dialog.js'
import { type ActableServer, type OfferedAction, readActable, refusalOf } from './use-server-actions.js'

const words = text.servers
const offered: readonly OfferedAction[] = [
  'START',
  'STOP',
  'REBOOT_SOFT',
  'REBOOT_HARD',
  'PAUSE',
  'UNPAUSE',
  'SUSPEND',
  'RESUME',
  'LOCK',
  'UNLOCK',
  'CHANGE_METADATA',
  'CHANGE_TAGS',
  'DELETE',
]

export function ServersBulkMenu({ selectedIds }: { selectedIds: readonly string[] }) {
  const apollo = useApolloClient()
  /** The dialog keeps the servers it was opened with, whatever becomes of the list. */
  const [asked, setAsked] = useState<{ action: OfferedAction; servers: readonly ActableServer[] } | null>(null)
  return (
    <>
      {selectedIds.length > 0 && (
        <ToolbarItem>
          <RowActions
            label={words.bulk.menu(selectedIds.length)}
            text={words.bulk.selected(selectedIds.length)}
            actions={async () => {
              const selected = await readActable(apollo, selectedIds)
              return offered.map((action) => ({
                label: words.actions[action].label,
                isDanger: action === 'DELETE',
                disabledReason: selected.some((server) => refusalOf(server, action) === null) ? null : words.bulk.noneAble,
                onSelect: () => setAsked({ action, servers: selected }),
              }))
            }}
          />
        </ToolbarItem>
      )}
      {asked !== null && <ServersBulkDialog {...asked} close={() => setAsked(null)} />}
    </>
  )
}
