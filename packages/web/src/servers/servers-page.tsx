/** All servers of the project, live. */
import { useQuery } from '@apollo/client/react'
import { Alert, Button, PageSection } from '@patternfly/react-core'
import ServerIcon from '@patternfly/react-icons/dist/esm/icons/server-icon'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { usePaging } from '../components/use-paging.js'
import type { ServerStatus } from '../generated/graphql.js'
import { useMay } from '../lib/session-context.js'
import { useDebounced } from '../lib/use-debounced.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { serversQuery } from './server.documents.js'
import { type ServerSort, ServersTable } from './servers-table.js'
import { ServersToolbar } from './servers-toolbar.js'
import { useServerActions } from './use-server-actions.js'

const nothingSelected: ReadonlySet<string> = new Set()

export function ServersPage() {
  const mayList = useMay('os_compute_api:servers:detail')
  const mayCreate = useMay('os_compute_api:servers:create')
  const showHost = useMay('os_compute_api:os-extended-server-attributes')
  const navigate = useNavigate()
  const paging = usePaging()
  const [search, setSearch] = useState('')
  const [statuses, setStatuses] = useState<ServerStatus[]>([])
  const [sort, setSort] = useState<ServerSort>({ key: 'CREATED_AT', direction: 'DESC' })
  const [selectedIds, setSelectedIds] = useState(nothingSelected)
  const wanted = useDebounced(search.trim())
  const isFiltered = wanted !== '' || statuses.length > 0

  const { data, previousData, error, refetch } = useQuery(serversQuery, {
    skip: !mayList,
    variables: {
      first: paging.perPage,
      after: paging.after,
      filter: { ...(wanted === '' ? {} : { search: wanted }), ...(statuses.length === 0 ? {} : { status: statuses }) },
      orderBy: [sort],
    },
  })
  useLiveRefetch(refetch, (signal) => signal.topic === 'server')
  const actions = useServerActions(() => setSelectedIds(nothingSelected))
  const servers = (data ?? previousData)?.servers
  const selected = servers?.nodes.filter((server) => selectedIds.has(server.id)) ?? []
  const clear = (): void => {
    setSearch('')
    setStatuses([])
    paging.reset()
  }
  const launch = mayCreate ? (
    <Button
      component="a"
      href="/servers/new"
      onClick={(event) => {
        event.preventDefault()
        void navigate('/servers/new')
      }}
    >
      Launch server
    </Button>
  ) : undefined

  if (!mayList) return <Forbidden />
  return (
    <>
      <PageTitle title="Servers" actions={launch} />
      <PageSection hasBodyWrapper={false} aria-label="List of servers">
        {servers?.isPartial === true && (
          <Alert
            component="p"
            isInline
            variant="warning"
            title="A part of the cloud does not answer; servers may be missing."
            className="kn-gap-below"
          />
        )}
        <ServersToolbar
          search={search}
          onSearch={(value) => {
            setSearch(value)
            paging.reset()
          }}
          statuses={statuses}
          onStatuses={(next) => {
            setStatuses(next)
            paging.reset()
          }}
          selected={selected}
          actions={actions}
          pager={<Pager what="servers" paging={paging} total={servers?.totalCount ?? 0} endCursor={servers?.pageInfo.endCursor ?? null} />}
        />
        {error !== undefined && servers === undefined ? (
          <ErrorNotice what="The servers" error={error} retry={() => void refetch()} />
        ) : servers === undefined ? (
          <Loading what="servers" />
        ) : servers.nodes.length === 0 && isFiltered ? (
          <NothingMatches what="servers" clear={clear} />
        ) : servers.nodes.length === 0 ? (
          <Nothing title="No servers yet" icon={ServerIcon} action={launch}>
            A server is a virtual machine made from an image and a flavor.
          </Nothing>
        ) : (
          <ServersTable
            servers={servers.nodes}
            showHost={showHost}
            sort={sort}
            onSort={(next) => {
              setSort(next)
              paging.reset()
            }}
            selected={selectedIds}
            onSelected={setSelectedIds}
            actions={actions}
          />
        )}
      </PageSection>
      {actions.dialog}
    </>
  )
}
