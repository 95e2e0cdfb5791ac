/** What administrators do to a project: the menu, and the dialogs it opens. */
import { useMutation } from '@apollo/client/react'
import { type ReactNode, useState } from 'react'
import { useNavigate } from 'react-router'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import type { RowAction } from '../components/row-actions.js'
import type { ProjectFieldsFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { problemOf } from '../lib/problem.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { deleteProjectMutation, updateProjectMutation } from './identity.documents.js'
import { ProjectDialog } from './project-dialogs.js'

const words = text.identity.projects
type Doing = { what: 'edit' | 'disable' | 'delete'; project: ProjectFieldsFragment }

interface ProjectActions {
  actionsFor: (project: ProjectFieldsFragment) => RowAction[]
  dialogs: ReactNode
}

export function useProjectActions(refetch: () => Promise<unknown>, onDeleted: () => unknown): ProjectActions {
  const viewer = useViewer()
  const navigate = useNavigate()
  const mayUpdate = useMay('identity:update_project')
  const mayDelete = useMay('identity:delete_project')
  const mayQuotas = useMay('os_compute_api:os-quota-sets:update')
  const mayAudit = useMay('cloud:audit:read')
  const [doing, setDoing] = useState<Doing | null>(null)
  const [update] = useMutation(updateProjectMutation)
  const [remove] = useMutation(deleteProjectMutation)
  const close = (): void => setDoing(null)

  const setEnabled = async (project: ProjectFieldsFragment, enabled: boolean): Promise<void> => {
    await update({ variables: { input: { projectId: project.id, enabled, idempotencyKey: randomKey() } } })
    showToast('success', enabled ? words.enabledDone(project.name) : words.disabledDone(project.name))
    await refetch()
  }
  const actionsFor = (project: ProjectFieldsFragment): RowAction[] => {
    const begin = (what: Doing['what']) => () => setDoing({ what, project })
    const change = mayUpdate ? null : words.mayNot
    const isCurrent = project.id === viewer.project?.id ? words.isCurrent : null
    return [
      { label: text.identity.edit, onSelect: begin('edit'), disabledReason: change },
      project.enabled
        ? { label: text.identity.disable, onSelect: begin('disable'), disabledReason: change ?? isCurrent }
        : {
            label: text.identity.enable,
            onSelect: () => void setEnabled(project, true).catch((error: unknown) => showToast('danger', problemOf(error).message)),
            disabledReason: change,
          },
      {
        label: words.quotas,
        onSelect: () => void navigate(`/admin/quotas/${project.id}`),
        disabledReason: mayQuotas ? null : words.mayNot,
      },
      {
        label: text.identity.whoDidWhat,
        onSelect: () => void navigate(`/admin/audit?project=${project.id}`),
        disabledReason: mayAudit ? null : words.mayNot,
      },
      { label: text.identity.delete, onSelect: begin('delete'), disabledReason: mayDelete ? isCurrent : words.mayNot, isDanger: true },
    ]
  }
  const project = doing?.project
  const dialogs = project !== undefined && (
    <>
      {doing?.what === 'edit' && <ProjectDialog project={project} onClose={close} onSaved={refetch} />}
      {doing?.what === 'disable' && (
        <ConfirmDialog
          title={words.disableTitle}
          confirmLabel={text.identity.disable}
          onClose={close}
          onConfirm={() => setEnabled(project, false)}
        >
          <p className="kn-break">{words.disableHint(project.name)}</p>
        </ConfirmDialog>
      )}
      {doing?.what === 'delete' && (
        <ConfirmDialog
          title={words.deleteTitle}
          confirmLabel={text.identity.delete}
          onClose={close}
          onConfirm={async () => {
            await remove({ variables: { input: { projectId: project.id, idempotencyKey: randomKey() } } })
            showToast('success', words.deleted(project.name))
            await onDeleted()
          }}
        >
          <p className="kn-break">{words.deleteHint(project.name)}</p>
        </ConfirmDialog>
      )}
    </>
  )
  return { actionsFor, dialogs }
}
