/** The cloud's own processes, and what administrators do with them. */
import { useQuery } from '@apollo/client/react'
import { PageSection, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { FilterSelect } from '../components/filter-select.js'
import { EnabledLabel, LivenessLabel } from '../components/labels.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { Time } from '../components/time.js'
import { useUrlFilters } from '../components/use-url-filters.js'
import type { ComputeServiceFilter } from '../generated/graphql.js'
import { words as worded } from '../lib/format.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { computeServicesQuery } from './admin.documents.js'
import { PartialNotice } from './partial-notice.js'
import { useServiceActions } from './use-service-actions.js'

const words = text.hosts.services
const { columns } = words

export function ServicesPage() {
  const may = useMay('os_compute_api:os-services:list')
  return may ? (
    <Services />
  ) : (
    <>
      <PageTitle title={words.title} />
      <Forbidden />
    </>
  )
}

/** What the address says is typed by people: what it does not know is no filter. */
const filterOf = ({ state, status }: { state: string; status: string }): ComputeServiceFilter => ({
  ...(state === 'UP' || state === 'DOWN' ? { state } : {}),
  ...(status === 'ENABLED' || status === 'DISABLED' ? { status: [status] } : {}),
})

function Services() {
  const { values, isFiltered, change, clear, paging } = useUrlFilters(['state', 'status'])
  // Heartbeats are no events; the page looks for itself.
  const { data, previousData, error, refetch } = useQuery(computeServicesQuery, {
    variables: { first: paging.perPage, after: paging.after, filter: filterOf(values) },
    fetchPolicy: 'cache-and-network',
    pollInterval: 10_000,
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'SERVICE',
  )
  const { actionsFor, dialogs } = useServiceActions(() => refetch())
  const services = (data ?? previousData)?.computeServices
  return (
    <>
      <PageTitle title={words.title} />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        <PartialNotice isPartial={services?.isPartial === true} />
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
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
            <ToolbarItem>
              <FilterSelect
                label={text.hosts.standing}
                any={text.hosts.anyStanding}
                value={values.status}
                options={[
                  { value: 'ENABLED', label: text.hosts.enabled },
                  { value: 'DISABLED', label: text.hosts.disabled },
                ]}
                onChange={(status) => change({ status })}
              />
            </ToolbarItem>
            <ToolbarItem variant="pagination">
              <Pager what={words.what} paging={paging} total={services?.totalCount ?? 0} endCursor={services?.pageInfo.endCursor ?? null} />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {services === undefined ? (
          error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : services.nodes.length === 0 ? (
          isFiltered ? (
            <NothingMatches what={words.what} clear={clear} />
          ) : (
            <Nothing title={words.none}>{words.noneHint}</Nothing>
          )
        ) : (
          <Table aria-label={words.title} variant="compact">
            <Thead>
              <Tr>
                <Th>{columns.program}</Th>
                <Th>{columns.host}</Th>
                <Th>{columns.zone}</Th>
                <Th>{columns.state}</Th>
                <Th>{columns.version}</Th>
                <Th>{columns.lastSeen}</Th>
                <Th screenReaderText={text.hosts.actions} />
              </Tr>
            </Thead>
            <Tbody>
              {services.nodes.map((service) => (
                <Tr key={service.id}>
                  <Td dataLabel={columns.program}>{worded(service.binary)}</Td>
                  <Td dataLabel={columns.host} className="kn-break">
                    {service.host}
                  </Td>
                  <Td dataLabel={columns.zone}>{service.zone ?? text.hosts.none}</Td>
                  <Td dataLabel={columns.state}>
                    <LivenessLabel state={service.state} /> <EnabledLabel status={service.status} />
                    {service.forcedDown === true && <div className="kn-muted kn-small">{words.declaredDown}</div>}
                    {service.disabledReason !== null && <div className="kn-muted kn-small kn-break">{service.disabledReason}</div>}
                  </Td>
                  <Td dataLabel={columns.version}>{service.version ?? text.hosts.none}</Td>
                  <Td dataLabel={columns.lastSeen}>
                    <Time value={service.lastSeenAt} />
                  </Td>
                  <Td isActionCell>
                    <RowActions label={words.actionsFor(service.host)} actions={actionsFor(service)} />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
      {dialogs}
    </>
  )
}
