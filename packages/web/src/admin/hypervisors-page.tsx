/** Hypervisors with what is used of them; for administrators. */
import { useQuery } from '@apollo/client/react'
import { PageSection, Progress, ProgressMeasureLocation } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { EnabledLabel, LivenessLabel } from '../components/labels.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { ErrorNotice, Forbidden, Loading, Nothing } from '../components/states.js'
import { usePaging } from '../components/use-paging.js'
import type { HypervisorsQuery } from '../generated/graphql.js'
import { formatMb } from '../lib/format.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { hypervisorsQuery } from './admin.documents.js'

type Hypervisor = HypervisorsQuery['hypervisors']['nodes'][number]

function Usage({ host, amount, format }: { host: Hypervisor; amount: 'vcpus' | 'ramMb' | 'diskGb'; format: (value: number) => string }) {
  const total = host.usage?.find((row) => row.scope === 'TOTAL')?.[amount]
  const used = host.usage?.find((row) => row.scope === 'USED_MAX')?.[amount]
  if (total === undefined || used === undefined) return <>—</>
  const percent = total === 0 ? 0 : Math.min(Math.round((used / total) * 100), 100)
  const text = `${format(used)} of ${format(total)}`
  return (
    <Progress
      className="kn-usage"
      size="sm"
      value={percent}
      title={text}
      valueText={text}
      measureLocation={ProgressMeasureLocation.none}
      aria-label={`${{ vcpus: 'vCPUs', ramMb: 'Memory', diskGb: 'Disk' }[amount]} of ${host.hypervisorHostname}: ${text}`}
    />
  )
}

export function HypervisorsPage() {
  const may = useMay('os_compute_api:os-hypervisors:list-detail')
  const paging = usePaging()
  const { data, previousData, error, refetch } = useQuery(hypervisorsQuery, {
    variables: { first: paging.perPage, after: paging.after },
    skip: !may,
    pollInterval: 15_000,
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'server' || (signal.topic === 'object' && signal.subject === 'SERVICE'),
  )
  if (!may) {
    return (
      <>
        <PageTitle title="Hypervisors" />
        <Forbidden />
      </>
    )
  }
  const hypervisors = (data ?? previousData)?.hypervisors
  return (
    <>
      <PageTitle title="Hypervisors" />
      <PageSection hasBodyWrapper={false} aria-label="List of hypervisors">
        {hypervisors === undefined ? (
          error === undefined ? (
            <Loading what="hypervisors" />
          ) : (
            <ErrorNotice what="The hypervisors" error={error} retry={() => void refetch()} />
          )
        ) : hypervisors.nodes.length === 0 ? (
          <Nothing title="No hypervisors">A compute agent registers its host when it starts.</Nothing>
        ) : (
          <>
            <Pager what="hypervisors" paging={paging} total={hypervisors.totalCount} endCursor={hypervisors.pageInfo.endCursor} />
            <Table aria-label="Hypervisors" variant="compact">
              <Thead>
                <Tr>
                  <Th>Name</Th>
                  <Th>State</Th>
                  <Th>vCPUs</Th>
                  <Th>Memory</Th>
                  <Th>Disk</Th>
                  <Th>Servers</Th>
                  <Th>Kind</Th>
                  <Th>Zone</Th>
                </Tr>
              </Thead>
              <Tbody>
                {hypervisors.nodes.map((host) => (
                  <Tr key={host.id}>
                    <Td dataLabel="Name" className="kn-break">
                      {host.hypervisorHostname}
                      <div className="kn-muted kn-small">{host.hostIp}</div>
                    </Td>
                    <Td dataLabel="State">
                      <LivenessLabel state={host.state} /> <EnabledLabel status={host.status} />
                    </Td>
                    <Td dataLabel="vCPUs">
                      <Usage host={host} amount="vcpus" format={String} />
                    </Td>
                    <Td dataLabel="Memory">
                      <Usage host={host} amount="ramMb" format={formatMb} />
                    </Td>
                    <Td dataLabel="Disk">
                      <Usage host={host} amount="diskGb" format={(gb) => `${gb} GB`} />
                    </Td>
                    <Td dataLabel="Servers">{host.servers?.totalCount ?? '—'}</Td>
                    <Td dataLabel="Kind">{host.hypervisorType ?? '—'}</Td>
                    <Td dataLabel="Zone">{host.availabilityZone ?? '—'}</Td>
                  </Tr>
                ))}
              </Tbody>
            </Table>
          </>
        )}
      </PageSection>
    </>
  )
}
