/** Entries of the audit log, each with its details to unfold. */
import { Button, Label } from '@patternfly/react-core'
import AngleDownIcon from '@patternfly/react-icons/dist/esm/icons/angle-down-icon'
import AngleRightIcon from '@patternfly/react-icons/dist/esm/icons/angle-right-icon'
import { ExpandableRowContent, Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { Details } from '../components/details.js'
import { Time } from '../components/time.js'
import { words as inWords } from '../lib/format.js'
import { text } from '../text/text.js'
import { actionWords } from './actions.js'
import type { AuditEntry, AuditFilterName } from './filters.js'

const words = text.identity.audit
const looks = { SUCCESS: 'success', DENIED: 'warning', ERROR: 'danger' } as const

interface AuditTableProps {
  entries: readonly AuditEntry[]
  showProject: boolean
  change: (part: Partial<Record<AuditFilterName, string>>) => void
}

export function AuditTable({ entries, showProject, change }: AuditTableProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set())
  const toggle = (id: string): void => setOpen(new Set(open.has(id) ? [...open].filter((one) => one !== id) : [...open, id]))
  return (
    <Table aria-label={words.list} variant="compact" isExpandable>
      <Thead>
        <Tr>
          <Th screenReaderText={text.identity.whoDidWhat} />
          <Th>{words.when}</Th>
          <Th>{words.who}</Th>
          <Th>{words.action}</Th>
          {showProject && <Th>{words.project}</Th>}
          <Th>{words.outcome}</Th>
        </Tr>
      </Thead>
      {entries.map((entry) => {
        const action = actionWords(entry.field)
        const isOpen = open.has(entry.id)
        return (
          <Tbody key={entry.id} isExpanded={isOpen}>
            <Tr>
              <Td>
                <Button
                  variant="plain"
                  icon={isOpen ? <AngleDownIcon /> : <AngleRightIcon />}
                  aria-label={words.details(action)}
                  aria-expanded={isOpen}
                  onClick={() => toggle(entry.id)}
                />
              </Td>
              <Td dataLabel={words.when}>
                <Time value={entry.occurredAt} />
              </Td>
              <Td dataLabel={words.who} className="kn-break">
                {entry.user?.name ?? (entry.userId === null ? words.nobody : words.goneUser(entry.userId))}
              </Td>
              <Td dataLabel={words.action}>{action}</Td>
              {showProject && (
                <Td dataLabel={words.project} className="kn-break">
                  {entry.project?.name ?? entry.projectId ?? '—'}
                </Td>
              )}
              <Td dataLabel={words.outcome}>
                <Label status={looks[entry.result]}>{words.outcomes[entry.result]}</Label>
                {entry.errorCode !== null && <span className="kn-muted kn-small"> {inWords(entry.errorCode)}</span>}
              </Td>
            </Tr>
            <Tr isExpanded={isOpen}>
              <Td />
              <Td colSpan={showProject ? 5 : 4}>
                <ExpandableRowContent>{isOpen && <EntryDetails entry={entry} change={change} />}</ExpandableRowContent>
              </Td>
            </Tr>
          </Tbody>
        )
      })}
    </Table>
  )
}

function EntryDetails({ entry, change }: { entry: AuditEntry; change: AuditTableProps['change'] }) {
  const only = (part: Partial<Record<AuditFilterName, string>>, what: string) => (
    <Button variant="link" isInline className="kn-break" aria-label={words.onlyThis(what)} onClick={() => change(part)}>
      {what}
    </Button>
  )
  return (
    <Details
      rows={[
        [words.request, only({ request: entry.requestId }, entry.requestId)],
        ...(entry.targetIds.length === 0
          ? []
          : [
              [
                words.objects,
                <ul key="objects" className="kn-plain-list">
                  {entry.targetIds.map((id) => (
                    <li key={id}>{only({ object: id }, id)}</li>
                  ))}
                </ul>,
              ] as const,
            ]),
        ...(entry.project === null ? [] : [[words.project, only({ project: entry.project.id }, entry.project.name)] as const]),
        [words.from, entry.clientAddress ?? '—'],
        [words.signedInWith, entry.authMethod === null ? '—' : inWords(entry.authMethod)],
        ...(entry.applicationCredentialId === null ? [] : [[words.credential, entry.applicationCredentialId] as const]),
        ...(entry.operation === null
          ? []
          : [[words.operation, `${inWords(entry.operation.kind)}, ${inWords(entry.operation.state).toLowerCase()}`] as const]),
        ...(entry.input === null || entry.input === undefined
          ? []
          : [
              [
                words.input,
                <pre key="input" className="kn-pre">
                  {JSON.stringify(entry.input, null, 2)}
                </pre>,
              ] as const,
            ]),
      ]}
    />
  )
}
