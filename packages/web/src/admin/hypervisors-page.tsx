/** Hypervisors with what is used of them; for administrators. */
import { useQuery } from '@apollo/client/react'
import { PageSection, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { Link } from 'react-router'
import { FilterSelect } from '../components/filter-select.js'
import { EnabledLabel, LivenessLabel } from '../components/labels.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { SettlingSearch } from '../components/settling-search.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { useUrlFilters } from '../components/use-url-filters.js'
import type { HypervisorFilter } from '../generated/graphql.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { hypervisorsQuery } from './admin.documents.js'
import { HostUsageBar } from './host-usage-bar.js'
import { PartialNotice } from './partial-notice.js'

const words = text.hosts.hypervisors
const { columns } = words

export function HypervisorsPage() {
  const may = useMay('os_compute_api:os-hypervisors:list-detail')
  return may ? (
    <Hypervisors />
  ) : (
    <>
      <PageTitle title={words.title} />
      <Forbidden />
    </>
  )
}

const filterOf = ({ search, state }: { search: string; state: string }): HypervisorFilter => ({
  ...(search === '' ? {} : { hypervisorHostname: search }),
  ...(state === 'UP' || state === 'DOWN' ? { state } : {}),
})

function Hypervisors() {
  const { values, isFiltered, change, clear, paging } = useUrlFilters(['search', 'state'])
  const { data, previousData, error, refetch } = useQuery(hypervisorsQuery, {
    variables: { first: paging.perPage, after: paging.after, filter: filterOf(values) },
    fetchPolicy: 'cache-and-network',
    pollInterval: 15_000,
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'server' || (signal.topic === 'object' && signal.subject === 'SERVICE'),
  )
  const hypervisors = (data ?? previousData)?.hypervisors
  return (
    <>
      <PageTitle title={words.title} />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        <PartialNotice isPartial={hypervisors?.isPartial === true} />
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
            <ToolbarItem>
              <SettlingSearch
                label={words.search}
                placeholder={words.searchHint}
                value={values.search}
                onChange={(search) => change({ search }, 'typing')}
              />
            </ToolbarItem>
            <ToolbarItem>
              <FilterSelect
                label={text.hosts.liveness}
                any={text.hosts.anyLiveness}
                value={values.state}
                options={[
                  { value: 'UP', label: text.hosts.up },
                  { value: 'DOWN', label: text.hosts.down },
                ]}
                onChange={(state) => change({ state })}
              />
            </ToolbarItem>
            <ToolbarItem variant="pagination">
              <Pager
                what={words.what}
                paging={paging}
                total={hypervisors?.totalCount ?? 0}
                endCursor={hypervisors?.pageInfo.endCursor ?? null}
              />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {hypervisors === undefined ? (
          error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : hypervisors.nodes.length === 0 ? (
          isFiltered ? (
            <NothingMatches what={words.what} clear={clear} />
          ) : (
            <Nothing title={words.none}>{words.noneHint}</Nothing>
          )
        ) : (
          <Table aria-label={words.title} variant="compact">
            <Thead>
              <Tr>
                <Th>{columns.name}</Th>
                <Th>{columns.state}</Th>
                <Th>{columns.vcpus}</Th>
                <Th>{columns.memory}</Th>
                <Th>{columns.disk}</Th>
                <Th>{columns.servers}</Th>
                <Th>{columns.kind}</Th>
                <Th>{columns.zone}</Th>
              </Tr>
            </Thead>
            <Tbody>
              {hypervisors.nodes.map((host) => (
                <Tr key={host.id}>
                  <Td dataLabel={columns.name} className="kn-break">
                    <Link to={`/admin/hypervisors/${host.id}`}>{host.hypervisorHostname}</Link>
                    <div className="kn-muted kn-small">{host.hostIp}</div>
                  </Td>
                  <Td dataLabel={columns.state}>
                    <LivenessLabel state={host.state} /> <EnabledLabel status={host.status} />
                  </Td>
                  {(['vcpus', 'ramMb', 'diskGb'] as const).map((amount) => (
                    <Td key={amount} dataLabel={words.amounts[amount]}>
                      <HostUsageBar host={host.hypervisorHostname} usage={host.usage} amount={amount} />
                    </Td>
                  ))}
                  <Td dataLabel={columns.servers}>{host.servers?.totalCount ?? text.hosts.none}</Td>
                  <Td dataLabel={columns.kind}>{host.hypervisorType ?? text.hosts.none}</Td>
                  <Td dataLabel={columns.zone}>{host.availabilityZone ?? text.hosts.none}</Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
    </>
  )
}
