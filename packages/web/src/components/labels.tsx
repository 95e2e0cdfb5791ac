/** States as coloured labels, always with their name: colour alone says nothing to many people. */
import { Label, type LabelProps, Spinner } from '@patternfly/react-core'
import type { ImageStatus, OperationState, ServerStatus, ServiceState, ServiceStatus, TaskState } from '../generated/graphql.js'
import { words } from '../lib/format.js'

type Look = Pick<LabelProps, 'status' | 'color'>
const good: Look = { status: 'success' }
const bad: Look = { status: 'danger' }
const busy: Look = { status: 'info' }
const odd: Look = { status: 'warning' }
const quiet: Look = { color: 'grey' }

const serverLooks: Partial<Record<ServerStatus, Look>> = {
  ACTIVE: good,
  ERROR: bad,
  UNKNOWN: odd,
  SHUTOFF: quiet,
  DELETED: quiet,
  SOFT_DELETED: quiet,
}

export function ServerStatusLabel({
  status,
  taskState,
  progress,
}: {
  status: ServerStatus
  taskState: TaskState | null
  progress: number | null
}) {
  const working = taskState !== null
  return (
    <span className="kn-nowrap">
      <Label {...(serverLooks[status] ?? busy)} {...(working ? { icon: <Spinner isInline aria-hidden="true" /> } : {})}>
        {words(status)}
      </Label>
      {working && (
        <span className="kn-muted kn-small">
          {' '}
          {words(taskState)}
          {progress !== null && progress > 0 && progress < 100 ? ` ${progress} %` : ''}
        </span>
      )}
    </span>
  )
}

const operationLooks: Record<OperationState, Look> = { QUEUED: quiet, RUNNING: busy, SUCCEEDED: good, FAILED: bad, CANCELLED: odd }
export const OperationStateLabel = ({ state }: { state: OperationState }) => <Label {...operationLooks[state]}>{words(state)}</Label>

const imageLooks: Record<ImageStatus, Look> = { QUEUED: quiet, UPLOADING: busy, IMPORTING: busy, ACTIVE: good, DEACTIVATED: odd }
export const ImageStatusLabel = ({ status }: { status: ImageStatus }) => <Label {...imageLooks[status]}>{words(status)}</Label>

export const LivenessLabel = ({ state }: { state: ServiceState | null }) => (
  <Label {...(state === 'UP' ? good : state === 'DOWN' ? bad : odd)}>{state === null ? 'Unknown' : words(state)}</Label>
)
export const EnabledLabel = ({ status }: { status: ServiceStatus }) => (
  <Label {...(status === 'ENABLED' ? good : odd)}>{words(status)}</Label>
)
