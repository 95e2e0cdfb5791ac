/** What can be done about an operation. Whether it can still stop is asked when the menu opens. */
import { useApolloClient, useMutation } from '@apollo/client/react'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { RowActions } from '../components/row-actions.js'
import type { OperationFieldsFragment, OperationState } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { cancelOperationMutation, operationCancellableQuery } from './operation.documents.js'
import { isParent, operationName } from './operation-names.js'

const words = text.activity
const isOver = (state: OperationState): boolean => state !== 'QUEUED' && state !== 'RUNNING'

interface OperationMenuProps {
  operation: OperationFieldsFragment
  onOnlyServer?: ((serverId: string) => void) | undefined
}

export function OperationMenu({ operation, onOnlyServer }: OperationMenuProps) {
  const client = useApolloClient()
  const mayCancel = useMay('cloud:operations:cancel')
  const [cancelling, setCancelling] = useState(false)
  const [cancel] = useMutation(cancelOperationMutation)
  const { id, serverId, state } = operation
  const name = operationName(operation)

  const reasonAgainst = async (): Promise<string | null> => {
    if (isOver(state)) return words.cancelReasons.over
    if (!mayCancel) return words.cancelReasons.notAllowed
    const { data } = await client.query({ query: operationCancellableQuery, variables: { id }, fetchPolicy: 'network-only' })
    if (data?.operation?.cancellable === true) return null
    return isOver(data?.operation?.state ?? state) ? words.cancelReasons.over : words.cancelReasons.tooLate
  }
  return (
    <>
      <RowActions
        label={words.actionsFor(name)}
        actions={async () => {
          const disabledReason = await reasonAgainst()
          return [
            ...(onOnlyServer === undefined || serverId === null
              ? []
              : [{ label: words.onlyServer, onSelect: () => onOnlyServer(serverId) }]),
            { label: words.cancel, onSelect: () => setCancelling(true), disabledReason, isDanger: true },
          ]
        }}
      />
      {cancelling && (
        <ConfirmDialog
          title={words.cancelTitle}
          confirmLabel={words.cancelConfirm}
          onClose={() => setCancelling(false)}
          onConfirm={async () => {
            await cancel({ variables: { input: { operationId: id, idempotencyKey: randomKey() } } })
            showToast('success', words.cancelAsked(name))
          }}
        >
          <p className="kn-break">{isParent(operation) ? words.cancelParentHint(name) : words.cancelHint(name)}</p>
        </ConfirmDialog>
      )}
    </>
  )
}
