/** The servers on a host, of all projects. */
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { Link } from 'react-router'
import { ServerStatusLabel } from '../components/labels.js'
import { Pager } from '../components/pager.js'
import type { Paging } from '../components/use-paging.js'
import type { HypervisorQuery } from '../generated/graphql.js'
import { text } from '../text/text.js'

const words = text.hosts.hypervisor

interface HypervisorServersProps {
  /** Null: the viewer may not see them. */
  servers: NonNullable<HypervisorQuery['hypervisor']>['servers']
  projectNames: ReadonlyMap<string, string>
  paging: Paging
}

export function HypervisorServers({ servers, projectNames, paging }: HypervisorServersProps) {
  if (servers === null) return <p>{text.hosts.mayNot}</p>
  if (servers.totalCount === 0) return <p>{words.serversHint}</p>
  return (
    <>
      <Pager what={text.servers.what} paging={paging} total={servers.totalCount} endCursor={servers.pageInfo.endCursor} />
      <Table aria-label={words.servers} variant="compact">
        <Thead>
          <Tr>
            <Th>{words.name}</Th>
            <Th>{words.status}</Th>
            <Th>{words.project}</Th>
            <Th>{words.flavor}</Th>
          </Tr>
        </Thead>
        <Tbody>
          {servers.nodes.map((server) => (
            <Tr key={server.id}>
              <Td dataLabel={words.name} className="kn-break">
                <Link to={`/servers/${server.id}`}>{server.name ?? server.id}</Link>
              </Td>
              <Td dataLabel={words.status}>
                <ServerStatusLabel status={server.status} taskState={server.taskState} progress={server.progressPercent} />
              </Td>
              <Td dataLabel={words.project} className="kn-break">
                {projectNames.get(server.projectId) ?? server.projectId}
              </Td>
              <Td dataLabel={words.flavor} className="kn-break">
                {server.flavor?.originalName ?? text.hosts.none}
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
    </>
  )
}
