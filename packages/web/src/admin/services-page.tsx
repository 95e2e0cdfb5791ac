/** The cloud's own processes; for administrators. */
import { useQuery } from '@apollo/client/react'
import { PageSection } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { EnabledLabel, LivenessLabel } from '../components/labels.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { ErrorNotice, Forbidden, Loading, Nothing } from '../components/states.js'
import { Time } from '../components/time.js'
import { usePaging } from '../components/use-paging.js'
import { words } from '../lib/format.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { computeServicesQuery } from './admin.documents.js'

export function ServicesPage() {
  const may = useMay('os_compute_api:os-services:list')
  const paging = usePaging()
  // Heartbeats are no events; the page looks for itself.
  const { data, previousData, error, refetch } = useQuery(computeServicesQuery, {
    variables: { first: paging.perPage, after: paging.after },
    skip: !may,
    pollInterval: 10_000,
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'SERVICE',
  )
  if (!may) {
    return (
      <>
        <PageTitle title="Services" />
        <Forbidden />
      </>
    )
  }
  const services = (data ?? previousData)?.computeServices
  return (
    <>
      <PageTitle title="Services" />
      <PageSection hasBodyWrapper={false} aria-label="List of services">
        {services === undefined ? (
          error === undefined ? (
            <Loading what="services" />
          ) : (
            <ErrorNotice what="The services" error={error} retry={() => void refetch()} />
          )
        ) : services.nodes.length === 0 ? (
          <Nothing title="No services">Services register themselves when they start.</Nothing>
        ) : (
          <>
            <Pager what="services" paging={paging} total={services.totalCount} endCursor={services.pageInfo.endCursor} />
            <Table aria-label="Services" variant="compact">
              <Thead>
                <Tr>
                  <Th>Program</Th>
                  <Th>Host</Th>
                  <Th>Zone</Th>
                  <Th>State</Th>
                  <Th>Version</Th>
                  <Th>Last seen</Th>
                </Tr>
              </Thead>
              <Tbody>
                {services.nodes.map((service) => (
                  <Tr key={service.id}>
                    <Td dataLabel="Program">{words(service.binary)}</Td>
                    <Td dataLabel="Host" className="kn-break">
                      {service.host}
                    </Td>
                    <Td dataLabel="Zone">{service.zone ?? '—'}</Td>
                    <Td dataLabel="State">
                      <LivenessLabel state={service.state} /> <EnabledLabel status={service.status} />
                      {service.forcedDown === true && <div className="kn-muted kn-small">Declared down by an administrator</div>}
                      {service.disabledReason !== null && <div className="kn-muted kn-small kn-break">{service.disabledReason}</div>}
                    </Td>
                    <Td dataLabel="Version">{service.version ?? '—'}</Td>
                    <Td dataLabel="Last seen">
                      <Time value={service.lastSeenAt} />
                    </Td>
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
