/** Asks before a key pair goes. */
import { useMutation } from '@apollo/client/react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { randomKey } from '../lib/keys.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { deleteKeypairMutation } from './keypair.documents.js'

const words = text.keypairs.delete

interface DeleteKeypairDialogProps {
  name: string
  onClose: () => void
  onDeleted: () => unknown
}

export function DeleteKeypairDialog({ name, onClose, onDeleted }: DeleteKeypairDialogProps) {
  const [remove] = useMutation(deleteKeypairMutation)
  return (
    <ConfirmDialog
      title={words.title}
      confirmLabel={words.action}
      onClose={onClose}
      onConfirm={async () => {
        await remove({ variables: { input: { name, idempotencyKey: randomKey() } } })
        showToast('success', words.done(name))
        await onDeleted()
      }}
    >
      <p className="kn-break">{words.hint(name)}</p>
    </ConfirmDialog>
  )
}
