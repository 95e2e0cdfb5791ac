/** One operation: progress, steps, how a host was chosen, and why it failed. */
import { Alert, Card, CardBody, CardHeader, CardTitle, ExpandableSection, Flex, Progress, ProgressVariant } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { Link } from 'react-router'
import { OperationStateLabel } from '../components/labels.js'
import { Time } from '../components/time.js'
import type { OperationFieldsFragment } from '../generated/graphql.js'
import { formatDuration, plural, words } from '../lib/format.js'
import { text } from '../text/text.js'
import { OperationMenu } from './operation-menu.js'
import { isParent, operationName } from './operation-names.js'
import { OperationParts } from './operation-parts.js'

export function OperationTarget({ operation }: { operation: OperationFieldsFragment }) {
  if (operation.server !== null) return <Link to={`/servers/${operation.server.id}`}>{operation.server.name ?? operation.server.id}</Link>
  if (operation.image !== null) return <span>{operation.image.name ?? operation.image.id}</span>
  return <span className="kn-muted">{operation.serverId === null ? '—' : `Server ${operation.serverId} (gone)`}</span>
}

export function OperationProgress({ operation }: { operation: OperationFieldsFragment }) {
  const failed = operation.state === 'FAILED' || operation.state === 'CANCELLED'
  const done = operation.state === 'SUCCEEDED'
  return (
    <Progress
      aria-label={`Progress of ${words(operation.kind)}`}
      value={done ? 100 : operation.progressPercent}
      size="sm"
      {...(failed ? { variant: ProgressVariant.danger } : done ? { variant: ProgressVariant.success } : {})}
    />
  )
}

interface OperationCardProps {
  operation: OperationFieldsFragment
  showTarget: boolean
  /** Its project, where operations of several are shown. */
  projectName?: string | null
  /** Part of another operation, whose heading stands above. */
  isPart?: boolean
  /** Absent: what is shown here cannot be narrowed to a server. */
  onOnlyServer?: ((serverId: string) => void) | undefined
}

export function OperationCard({ operation, showTarget, projectName = null, isPart = false, onOnlyServer }: OperationCardProps) {
  const { schedulingSummary: summary, steps, error } = operation
  const shown = steps.some((step) => step.host !== null)
  return (
    <Card isCompact className="kn-gap-below" component="article" aria-label={operationName(operation)}>
      <CardHeader
        actions={{
          actions: (
            <>
              <OperationStateLabel state={operation.state} />
              <OperationMenu operation={operation} onOnlyServer={onOnlyServer} />
            </>
          ),
          hasNoOffset: true,
        }}
      >
        <CardTitle component={isPart ? 'h3' : 'h2'}>
          <Flex gap={{ default: 'gapSm' }}>
            <span>{words(operation.kind)}</span>
            {showTarget && (
              <span className="kn-break">
                <OperationTarget operation={operation} />
              </span>
            )}
          </Flex>
        </CardTitle>
      </CardHeader>
      <CardBody>
        <p className="kn-muted kn-small kn-gap-below">
          <Time value={operation.createdAt} />
          {operation.finishedAt !== null && `, took ${formatDuration(operation.createdAt, operation.finishedAt)}`}
          {`, asked by ${operation.user?.name ?? 'the system'}`}
          {projectName !== null && text.activity.inProject(projectName)}
        </p>
        <OperationProgress operation={operation} />
        {error !== null && (
          <Alert component="p" isInline variant="danger" title={error.message} className="kn-gap-above">
            {words(error.code)}
          </Alert>
        )}
        {isParent(operation) && (
          <OperationParts
            operation={operation}
            show={(part) => <OperationCard key={part.id} operation={part} showTarget isPart onOnlyServer={onOnlyServer} />}
          />
        )}
        {summary !== null && (
          <ExpandableSection toggleText={summary.message === '' ? 'How a host was chosen' : summary.message} className="kn-gap-above">
            <ol>
              {summary.stages.map((stage) => (
                <li key={`${stage.kind} ${stage.name}`}>
                  {stage.name}: {stage.hostsBefore} → {plural(stage.hostsAfter, 'host')}
                  {stage.reason !== null && <span className="kn-muted"> ({stage.reason})</span>}
                </li>
              ))}
            </ol>
            <p className="kn-muted kn-small">Hosts tried: {summary.attempts}</p>
          </ExpandableSection>
        )}
        {steps.length > 0 && (
          <ExpandableSection toggleText={plural(steps.length, 'step')} isDetached={false}>
            <Table variant="compact" aria-label="Steps" borders={false}>
              <Thead>
                <Tr>
                  <Th>Step</Th>
                  {shown && <Th>Host</Th>}
                  <Th>Result</Th>
                  <Th>Took</Th>
                </Tr>
              </Thead>
              <Tbody>
                {steps.map((step) => (
                  <Tr key={`${step.name} ${step.host ?? step.hostId} ${step.startedAt}`}>
                    <Td dataLabel="Step" className="kn-break">
                      {step.name}
                      {step.message !== null && <div className="kn-muted kn-small">{step.message}</div>}
                      {step.details !== null && <pre className="kn-pre kn-small">{step.details}</pre>}
                    </Td>
                    {shown && <Td dataLabel="Host">{step.host ?? '—'}</Td>}
                    <Td dataLabel="Result">{step.result === null ? 'Running' : words(step.result)}</Td>
                    <Td dataLabel="Took">{step.finishedAt === null ? '…' : formatDuration(step.startedAt, step.finishedAt)}</Td>
                  </Tr>
                ))}
              </Tbody>
            </Table>
          </ExpandableSection>
        )}
      </CardBody>
    </Card>
  )
}
