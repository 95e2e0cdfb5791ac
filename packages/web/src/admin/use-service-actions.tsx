/** What administrators do to a compute service: the menu, and the dialogs it opens. */
import { useMutation } from '@apollo/client/react'
import { type ReactNode, useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import type { RowAction } from '../components/row-actions.js'
import type { ServiceFieldsFragment, UpdateComputeServiceInput } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { problemOf } from '../lib/problem.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { deleteServiceMutation, updateServiceMutation } from './admin.documents.js'
import { DisableServiceDialog } from './disable-service-dialog.js'

const words = text.hosts.services
type Service = ServiceFieldsFragment
interface Doing {
  what: 'disable' | 'down' | 'delete'
  service: Service
}

export interface ServiceActions {
  actionsFor: (service: Service) => RowAction[]
  dialogs: ReactNode
}

export function useServiceActions(refetch: () => Promise<unknown>): ServiceActions {
  const mayUpdate = useMay('os_compute_api:os-services:update')
  const mayDelete = useMay('os_compute_api:os-services:delete')
  const [doing, setDoing] = useState<Doing | null>(null)
  const [update] = useMutation(updateServiceMutation)
  const [remove] = useMutation(deleteServiceMutation)
  const close = (): void => setDoing(null)

  const change = async (service: Service, values: Partial<UpdateComputeServiceInput>, done: (host: string) => string): Promise<void> => {
    await update({ variables: { input: { serviceId: service.id, idempotencyKey: randomKey(), ...values } } })
    showToast('success', done(service.host))
    await refetch()
  }
  const changeNow: typeof change = (...args) => change(...args).catch((error: unknown) => showToast('danger', problemOf(error).message))

  const actionsFor = (service: Service): RowAction[] => {
    const unreachable = service.status === 'UNKNOWN' ? words.unreachable : null
    const notChangeable = mayUpdate ? (unreachable ?? (service.binary === 'COMPUTE' ? null : words.onlyAgents)) : text.hosts.mayNot
    const begin = (what: Doing['what']) => () => setDoing({ what, service })
    return [
      service.status === 'DISABLED'
        ? {
            label: words.enable,
            onSelect: () => void changeNow(service, { status: 'ENABLED' }, words.enabledDone),
            disabledReason: notChangeable,
          }
        : { label: words.disable, onSelect: begin('disable'), disabledReason: notChangeable },
      service.forcedDown === true
        ? {
            label: words.clearDown,
            onSelect: () => void changeNow(service, { forcedDown: false }, words.clearedDone),
            disabledReason: notChangeable,
          }
        : { label: words.forceDown, onSelect: begin('down'), disabledReason: notChangeable },
      {
        label: words.remove,
        onSelect: begin('delete'),
        disabledReason: mayDelete ? (unreachable ?? inTheWay(service)) : text.hosts.mayNot,
        isDanger: true,
      },
    ]
  }
  const service = doing?.service
  const dialogs = service !== undefined && (
    <>
      {doing?.what === 'disable' && (
        <DisableServiceDialog
          host={service.host}
          disable={(disabledReason) =>
            change(service, { status: 'DISABLED', ...(disabledReason === null ? {} : { disabledReason }) }, words.disabledDone)
          }
          onClose={close}
        />
      )}
      {doing?.what === 'down' && (
        <ConfirmDialog
          title={words.forceDownTitle}
          confirmLabel={words.forceDown}
          onClose={close}
          onConfirm={() => change(service, { forcedDown: true }, words.forcedDownDone)}
        >
          <p className="kn-break">{words.forceDownHint(service.host)}</p>
        </ConfirmDialog>
      )}
      {doing?.what === 'delete' && (
        <ConfirmDialog
          title={words.removeTitle}
          confirmLabel={words.remove}
          onClose={close}
          onConfirm={async () => {
            await remove({ variables: { input: { serviceId: service.id, idempotencyKey: randomKey() } } })
            showToast('success', words.removedDone(service.host))
            await refetch()
          }}
        >
          <p className="kn-break">{words.removeHint(service.host)}</p>
        </ConfirmDialog>
      )}
    </>
  )
  return { actionsFor, dialogs }
}

/** Why a service cannot be removed, as far as the page knows; the cloud knows better and tells in the dialog. */
function inTheWay(service: Service): string | null {
  const servers = service.hypervisors.reduce((sum, host) => sum + (host.servers?.totalCount ?? 0), 0)
  if (servers > 0) return words.stillHasServers(servers)
  return service.binary === 'COMPUTE' && service.state === 'UP' ? words.stillUp : null
}
