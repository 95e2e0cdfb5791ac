/** What can be done with a flavor, for its row and its page: the menu, and the dialogs it opens. */
import { useMutation } from '@apollo/client/react'
import { type ReactNode, useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import type { RowAction } from '../components/row-actions.js'
import type { FlavorFieldsFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { deleteFlavorMutation } from './flavor.documents.js'
import { CloneFlavorDialog, ExtraSpecsDialog, FlavorDescriptionDialog } from './flavor-dialogs.js'

const words = text.flavors

interface Opened {
  kind: 'specs' | 'description' | 'clone' | 'delete'
  flavor: FlavorFieldsFragment
}

interface FlavorActionsOptions {
  onDeleted: () => unknown
  onCreated: (flavor: { id: string; name: string }) => void
}

export function useFlavorActions({ onDeleted, onCreated }: FlavorActionsOptions): {
  actionsOf: (flavor: FlavorFieldsFragment) => RowAction[]
  dialog: ReactNode
} {
  const mayCreate = useMay('os_compute_api:os-flavor-manage:create')
  const mayUpdate = useMay('os_compute_api:os-flavor-manage:update')
  const mayDelete = useMay('os_compute_api:os-flavor-manage:delete')
  const mayEditSpecs = useMay('os_compute_api:os-flavor-extra-specs:update')
  const [opened, setOpened] = useState<Opened | null>(null)
  const [remove] = useMutation(deleteFlavorMutation)
  const close = (): void => setOpened(null)

  const action = (flavor: FlavorFieldsFragment, kind: Opened['kind'], label: string, may: boolean): RowAction => ({
    label,
    onSelect: () => setOpened({ kind, flavor }),
    disabledReason: may ? null : words.notAllowed,
    isDanger: kind === 'delete',
  })
  const actionsOf = (flavor: FlavorFieldsFragment): RowAction[] => [
    action(flavor, 'specs', words.edit.specs, mayEditSpecs),
    action(flavor, 'description', words.edit.description, mayUpdate),
    action(flavor, 'clone', words.create.clone, mayCreate),
    action(flavor, 'delete', words.delete.action, mayDelete),
  ]
  const dialogOf = ({ kind, flavor }: Opened): ReactNode => {
    switch (kind) {
      case 'specs':
        return <ExtraSpecsDialog flavor={flavor} onClose={close} />
      case 'description':
        return <FlavorDescriptionDialog flavor={flavor} onClose={close} />
      case 'clone':
        return <CloneFlavorDialog flavor={flavor} onClose={close} onCreated={onCreated} />
      case 'delete':
        return (
          <ConfirmDialog
            title={words.delete.title}
            confirmLabel={words.delete.action}
            onClose={close}
            onConfirm={async () => {
              await remove({ variables: { input: { flavorId: flavor.id, idempotencyKey: randomKey() } } })
              showToast('success', words.delete.done(flavor.name))
              await onDeleted()
            }}
          >
            <p className="kn-break">{words.delete.hint(flavor.name)}</p>
          </ConfirmDialog>
        )
    }
  }
  return { actionsOf, dialog: opened === null ? null : dialogOf(opened) }
}
