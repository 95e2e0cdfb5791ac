/** What has become of each server of a bulk action; those that failed stand first. */
import { Label, Progress, Spinner } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { Link } from 'react-router'
import { text } from '../text/text.js'
import { type ItemOutcome, isBad, isOver } from './use-bulk-run.js'
import { type ActableServer, nameOf } from './use-server-actions.js'

const words = text.servers.bulk

interface ServersBulkResultsProps {
  servers: readonly ActableServer[]
  outcomes: ReadonlyMap<string, ItemOutcome>
}

export function ServersBulkResults({ servers, outcomes }: ServersBulkResultsProps) {
  const outcomeOf = (server: ActableServer): ItemOutcome => outcomes.get(server.id) ?? { state: 'waiting' }
  const all = servers.map((server) => ({ server, outcome: outcomeOf(server) }))
  const bad = all.filter(({ outcome }) => isBad(outcome))
  const over = all.filter(({ outcome }) => isOver(outcome))
  const done = over.length - bad.length
  return (
    <>
      <Progress
        className="kn-gap-below"
        aria-label={words.progress}
        value={Math.round((over.length / Math.max(all.length, 1)) * 100)}
        title={words.summary(done, bad.length, all.length)}
        variant={over.length < all.length ? undefined : bad.length > 0 ? 'danger' : 'success'}
      />
      <p role="status" className="pf-v6-screen-reader">
        {over.length === all.length ? words.summary(done, bad.length, all.length) : ''}
      </p>
      {over.length < all.length && <p className="kn-muted kn-gap-below">{words.closeNote}</p>}
      <Table aria-label={words.results} variant="compact">
        <Thead>
          <Tr>
            <Th>{words.server}</Th>
            <Th>{words.result}</Th>
            <Th>{words.reason}</Th>
          </Tr>
        </Thead>
        <Tbody>
          {[...bad, ...all.filter(({ outcome }) => !isBad(outcome))].map(({ server, outcome }) => (
            <Tr key={server.id}>
              <Td dataLabel={words.server} className="kn-break">
                <Link to={`/servers/${server.id}`}>{nameOf(server)}</Link>
              </Td>
              <Td dataLabel={words.result}>
                <OutcomeLabel outcome={outcome} />
              </Td>
              <Td dataLabel={words.reason} className="kn-break">
                {'reason' in outcome ? outcome.reason : ''}
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
    </>
  )
}

function OutcomeLabel({ outcome }: { outcome: ItemOutcome }) {
  switch (outcome.state) {
    case 'waiting':
      return <Label color="grey">{words.waiting}</Label>
    case 'running':
      return (
        <Label status="info" icon={<Spinner isInline aria-hidden="true" />}>
          {outcome.progressPercent} %
        </Label>
      )
    case 'accepted':
      return <Label status="success">{words.accepted}</Label>
    case 'done':
      return <Label status="success">{words.done}</Label>
    case 'refused':
      return <Label status="warning">{words.refused}</Label>
    case 'failed':
      return <Label status="danger">{words.failed}</Label>
    case 'unheard':
      return <Label status="warning">{words.unheard}</Label>
  }
}
