/** One hypervisor: what it is, what is used of it and by whom, and the servers on it; for administrators. */
import { useQuery } from '@apollo/client/react'
import { PageSection, Title } from '@patternfly/react-core'
import { Link, useParams } from 'react-router'
import { Details } from '../components/details.js'
import { EnabledLabel, LivenessLabel } from '../components/labels.js'
import { PageTitle } from '../components/page-title.js'
import { ErrorNotice, Forbidden, Loading, Nothing } from '../components/states.js'
import { usePaging } from '../components/use-paging.js'
import type { HypervisorQuery } from '../generated/graphql.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { hypervisorQuery } from './admin.documents.js'
import { formats, HostUsageBar, usageRow } from './host-usage-bar.js'
import { HypervisorProjects } from './hypervisor-projects.js'
import { HypervisorServers } from './hypervisor-servers.js'

const words = text.hosts.hypervisor
const list = '/admin/hypervisors'
type Hypervisor = NonNullable<HypervisorQuery['hypervisor']>

export function HypervisorPage() {
  const { hypervisorId = '' } = useParams()
  const may = useMay('os_compute_api:os-hypervisors:show')
  return may ? (
    <OneHypervisor key={hypervisorId} hypervisorId={hypervisorId} />
  ) : (
    <>
      <PageTitle title={words.details} />
      <Forbidden />
    </>
  )
}

function OneHypervisor({ hypervisorId }: { hypervisorId: string }) {
  const paging = usePaging()
  const { data, previousData, error, refetch } = useQuery(hypervisorQuery, {
    variables: { id: hypervisorId, first: paging.perPage, after: paging.after },
    fetchPolicy: 'cache-and-network',
    pollInterval: 15_000,
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'server' || (signal.topic === 'object' && signal.subject === 'SERVICE'),
  )
  const host = (data ?? previousData)?.hypervisor
  if (host === undefined || host === null) {
    return (
      <>
        <PageTitle title={words.details} actions={<Link to={list}>{words.all}</Link>} />
        <PageSection hasBodyWrapper={false} aria-label={words.details}>
          {host === null ? (
            <Nothing title={words.gone}>{words.goneHint}</Nothing>
          ) : error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )}
        </PageSection>
      </>
    )
  }
  const { none } = text.hosts
  const projectNames = new Map(host.usage?.flatMap(({ project }) => (project === null ? [] : [[project.id, project.name] as const])) ?? [])
  return (
    <>
      <PageTitle
        title={host.hypervisorHostname}
        extra={
          <>
            <LivenessLabel state={host.state} /> <EnabledLabel status={host.status} />
          </>
        }
      >
        <Link to={list}>{words.all}</Link>
      </PageTitle>
      <PageSection hasBodyWrapper={false} aria-label={words.details}>
        <Details
          rows={[
            [words.address, host.hostIp ?? none],
            [words.kind, host.hypervisorType ?? none],
            [words.version, host.hypervisorVersion ?? none],
            [words.uptime, host.uptime ?? none],
            [words.zone, host.availabilityZone ?? none],
            [words.service, host.service.host],
            ...(host.service.disabledReason === null ? [] : ([[words.reason, host.service.disabledReason]] as const)),
            [words.id, host.id],
          ]}
        />
      </PageSection>
      <Use host={host} />
      <PageSection hasBodyWrapper={false} aria-labelledby="servers-title">
        <Title headingLevel="h2" size="lg" id="servers-title">
          {words.servers}
        </Title>
        <HypervisorServers servers={host.servers} projectNames={projectNames} paging={paging} />
      </PageSection>
    </>
  )
}

function Use({ host }: { host: Hypervisor }) {
  const { amounts } = text.hosts.hypervisors
  const promised = usageRow(host.usage, 'USED_MAX')
  const withReserve = usageRow(host.usage, 'USED_NOW')
  return (
    <PageSection hasBodyWrapper={false} aria-labelledby="use-title">
      <Title headingLevel="h2" size="lg" id="use-title">
        {words.use}
      </Title>
      <p className="kn-muted kn-small kn-gap-below">{words.useHint}</p>
      <Details
        rows={(['vcpus', 'ramMb', 'diskGb'] as const).map((amount) => {
          const reserved = (withReserve?.[amount] ?? 0) - (promised?.[amount] ?? 0)
          return [
            amounts[amount],
            <div key={amount}>
              <HostUsageBar host={host.hypervisorHostname} usage={host.usage} amount={amount} />
              {reserved > 0 && <div className="kn-muted kn-small">{words.reserved(formats[amount](reserved))}</div>}
            </div>,
          ] as const
        })}
      />
      <HypervisorProjects usage={host.usage} />
    </PageSection>
  )
}
