/** All servers of the project, live. What is shown stands in the address. */
import { useQuery } from '@apollo/client/react'
import { Alert, Button, PageSection } from '@patternfly/react-core'
import ServerIcon from '@patternfly/react-icons/dist/esm/icons/server-icon'
import { useEffect, useState } from 'react'
import { useNavigate } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { problemOf } from '../lib/problem.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { ServersBulkMenu } from './servers-bulk-menu.js'
import { columns, needsOf } from './servers-cells.js'
import { columnKeys } from './servers-columns.js'
import { serversQuery } from './servers-list.documents.js'
import { ServersTable } from './servers-table.js'
import { ServersToolbar } from './servers-toolbar.js'
import { filterOf, isFiltered } from './servers-view.js'
import { useServerActions } from './use-server-actions.js'
import { useServersView } from './use-servers-view.js'

const words = text.servers
const nothingSelected: ReadonlySet<string> = new Set()

export function ServersPage() {
  const mayList = useMay('os_compute_api:servers:detail')
  const mayCreate = useMay('os_compute_api:servers:create')
  const { allowedRules } = useViewer()
  const navigate = useNavigate()
  const { view, change, show, paging } = useServersView()
  const [selectedIds, setSelectedIds] = useState(nothingSelected)
  const offered = columnKeys.filter((key) => {
    const { rule } = columns[key]
    return rule === undefined || allowedRules.includes(rule)
  })
  const shown = offered.filter((key) => view.columns.includes(key))

  const { data, previousData, error, refetch } = useQuery(serversQuery, {
    skip: !mayList,
    variables: { first: view.perPage, after: view.after, filter: filterOf(view), orderBy: [view.sort], ...needsOf(shown) },
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'server',
  )
  // A place in the list that means nothing here, out of an old link or another project: the beginning does.
  const isLost = error !== undefined && view.after !== null && problemOf(error).code === 'CURSOR_INVALID'
  useEffect(() => {
    if (isLost) paging.reset()
  })
  const actions = useServerActions()
  const servers = (data ?? previousData)?.servers
  const selected = servers?.nodes.map((server) => server.id).filter((id) => selectedIds.has(id)) ?? []
  const launch = mayCreate ? (
    <Button
      component="a"
      href="/servers/new"
      onClick={(event) => {
        event.preventDefault()
        void navigate('/servers/new')
      }}
    >
      {words.launch}
    </Button>
  ) : undefined

  if (!mayList) {
    return (
      <>
        <PageTitle title={words.title} />
        <Forbidden />
      </>
    )
  }
  return (
    <>
      <PageTitle title={words.title} actions={launch} />
      <PageSection hasBodyWrapper={false} aria-label={words.listLabel}>
        {servers?.isPartial === true && <Alert component="p" isInline variant="warning" title={words.partial} className="kn-gap-below" />}
        <ServersToolbar
          view={view}
          change={change}
          show={show}
          offered={offered}
          shown={shown}
          bulk={<ServersBulkMenu selectedIds={selected} />}
          pager={
            <Pager what={words.what} paging={paging} total={servers?.totalCount ?? 0} endCursor={servers?.pageInfo.endCursor ?? null} />
          }
        />
        {error !== undefined && servers === undefined ? (
          <ErrorNotice what={words.theServers} error={error} retry={() => void refetch()} />
        ) : servers === undefined ? (
          <Loading what={words.what} />
        ) : servers.nodes.length === 0 && isFiltered(view) ? (
          <NothingMatches what={words.what} clear={() => change({ search: '', statuses: [], locked: null, tag: '' })} />
        ) : servers.nodes.length === 0 ? (
          <Nothing title={words.none} icon={ServerIcon} action={launch}>
            {words.noneWhy}
          </Nothing>
        ) : (
          <ServersTable
            servers={servers.nodes}
            shown={shown}
            sort={view.sort}
            onSort={(sort) => change({ sort })}
            selected={selectedIds}
            onSelected={setSelectedIds}
            askActionsOf={actions.askActionsOf}
          />
        )}
      </PageSection>
      {actions.dialog}
    </>
  )
}
