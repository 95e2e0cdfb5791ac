/** What each project has on a host. */
import { Title } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import type { HypervisorQuery } from '../generated/graphql.js'
import { text } from '../text/text.js'
import { formats } from './host-usage-bar.js'

const words = text.hosts.hypervisor
const { amounts } = text.hosts.hypervisors

export function HypervisorProjects({ usage }: { usage: NonNullable<HypervisorQuery['hypervisor']>['usage'] }) {
  const rows = usage?.filter((row) => row.scope === 'PROJECT') ?? []
  if (rows.length === 0) return null
  return (
    <>
      <Title headingLevel="h3" size="md">
        {words.projects}
      </Title>
      <Table aria-label={words.projects} variant="compact">
        <Thead>
          <Tr>
            <Th>{words.project}</Th>
            <Th>{amounts.vcpus}</Th>
            <Th>{amounts.ramMb}</Th>
            <Th>{amounts.diskGb}</Th>
          </Tr>
        </Thead>
        <Tbody>
          {rows.map((row, index) => (
            <Tr key={row.project?.id ?? index}>
              <Td dataLabel={words.project} className="kn-break">
                {row.project?.name ?? text.hosts.none}
              </Td>
              {(['vcpus', 'ramMb', 'diskGb'] as const).map((amount) => (
                <Td key={amount} dataLabel={amounts[amount]}>
                  {formats[amount](row[amount])}
                </Td>
              ))}
            </Tr>
          ))}
        </Tbody>
      </Table>
    </>
  )
}
