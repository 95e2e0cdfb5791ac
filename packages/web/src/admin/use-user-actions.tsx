/** What administrators do to a user: the menu, and the dialogs it opens. */
import { useMutation } from '@apollo/client/react'
import { type ReactNode, useState } from 'react'
import { useNavigate } from 'react-router'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import type { RowAction } from '../components/row-actions.js'
import type { UserFieldsFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { problemOf } from '../lib/problem.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { deleteUserMutation, updateUserMutation } from './identity.documents.js'
import { EditUserDialog, ResetPasswordDialog } from './user-dialogs.js'

const words = text.identity.users
type Doing = { what: 'edit' | 'password' | 'disable' | 'delete'; user: UserFieldsFragment }

interface UserActions {
  actionsFor: (user: UserFieldsFragment) => RowAction[]
  dialogs: ReactNode
}

export function useUserActions(refetch: () => Promise<unknown>, onDeleted: () => unknown): UserActions {
  const viewer = useViewer()
  const navigate = useNavigate()
  const mayUpdate = useMay('identity:update_user')
  const mayDelete = useMay('identity:delete_user')
  const mayAudit = useMay('cloud:audit:read')
  const [doing, setDoing] = useState<Doing | null>(null)
  const [update] = useMutation(updateUserMutation)
  const [remove] = useMutation(deleteUserMutation)
  const close = (): void => setDoing(null)

  const setEnabled = async (user: UserFieldsFragment, enabled: boolean): Promise<void> => {
    await update({ variables: { input: { userId: user.id, enabled, idempotencyKey: randomKey() } } })
    showToast('success', enabled ? words.enabledDone(user.name) : words.disabledDone(user.name))
    await refetch()
  }
  const actionsFor = (user: UserFieldsFragment): RowAction[] => {
    const begin = (what: Doing['what']) => () => setDoing({ what, user })
    const change = mayUpdate ? null : words.mayNot
    const isYou = user.id === viewer.user.id ? words.isYou : null
    return [
      { label: text.identity.edit, onSelect: begin('edit'), disabledReason: change },
      { label: words.resetPassword, onSelect: begin('password'), disabledReason: change ?? isYou },
      user.enabled
        ? { label: text.identity.disable, onSelect: begin('disable'), disabledReason: change ?? isYou }
        : {
            label: text.identity.enable,
            onSelect: () => void setEnabled(user, true).catch((error: unknown) => showToast('danger', problemOf(error).message)),
            disabledReason: change,
          },
      {
        label: text.identity.whoDidWhat,
        onSelect: () => void navigate(`/admin/audit?user=${user.id}`),
        disabledReason: mayAudit ? null : words.mayNot,
      },
      {
        label: text.identity.delete,
        onSelect: begin('delete'),
        disabledReason: mayDelete ? isYou : words.mayNot,
        isDanger: true,
      },
    ]
  }
  const user = doing?.user
  const dialogs = user !== undefined && (
    <>
      {doing?.what === 'edit' && <EditUserDialog user={user} onClose={close} onChanged={refetch} />}
      {doing?.what === 'password' && <ResetPasswordDialog user={user} onClose={close} onChanged={refetch} />}
      {doing?.what === 'disable' && (
        <ConfirmDialog
          title={words.disableTitle}
          confirmLabel={text.identity.disable}
          onClose={close}
          onConfirm={() => setEnabled(user, false)}
        >
          <p className="kn-break">{words.disableHint(user.name)}</p>
        </ConfirmDialog>
      )}
      {doing?.what === 'delete' && (
        <ConfirmDialog
          title={words.deleteTitle}
          confirmLabel={text.identity.delete}
          onClose={close}
          onConfirm={async () => {
            await remove({ variables: { input: { userId: user.id, idempotencyKey: randomKey() } } })
            showToast('success', words.deleted(user.name))
            await onDeleted()
          }}
        >
          <p className="kn-break">{words.deleteHint(user.name)}</p>
        </ConfirmDialog>
      )}
    </>
  )
  return { actionsFor, dialogs }
}
