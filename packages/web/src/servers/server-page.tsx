/** One server: header and tabs. Each tab has its own address. */
import { useQuery } from '@apollo/client/react'
import { Alert, Breadcrumb, BreadcrumbItem, Button, Flex, PageSection, Tab, Tabs, TabTitleText } from '@patternfly/react-core'
import LockIcon from '@patternfly/react-icons/dist/esm/icons/lock-icon'
import { lazy, Suspense } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { ServerStatusLabel } from '../components/labels.js'
import { PageTitle } from '../components/page-title.js'
import { type RowAction, RowActions } from '../components/row-actions.js'
import { ErrorNotice, Loading, Nothing } from '../components/states.js'
import type { ServerQuery } from '../generated/graphql.js'
import { usePageCommands } from '../lib/commands.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { AdminPasswordNotice } from './admin-password-notice.js'
import { serverQuery } from './server.documents.js'
import { ServerActivityTab } from './server-activity-tab.js'
import { ServerLogTab } from './server-log-tab.js'
import { ServerOverviewTab } from './server-overview-tab.js'
import { nameOf, refusalOf, useServerActions } from './use-server-actions.js'

export type ServerDetails = NonNullable<ServerQuery['server']>

const ServerConsoleTab = lazy(async () => ({ default: (await import('./server-console-tab.js')).ServerConsoleTab }))
const ServerSerialTab = lazy(async () => ({ default: (await import('./server-serial-tab.js')).ServerSerialTab }))

const tabs = [
  ['overview', 'Overview'],
  ['activity', 'Activity'],
  ['console', 'Console'],
  ['serial', 'Serial'],
  ['log', 'Log'],
] as const
type TabName = (typeof tabs)[number][0]

export function ServerPage() {
  const { serverId = '', tab = 'overview' } = useParams()
  // A server of its own for every id: no state of one is shown with another.
  return <OneServer key={serverId} id={serverId} tab={tabs.find(([name]) => name === tab)?.[0] ?? 'overview'} />
}

function OneServer({ id, tab }: { id: string; tab: TabName }) {
  const navigate = useNavigate()
  const { data, error, refetch } = useQuery(serverQuery, { variables: { id } })
  const actions = useServerActions()
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'server' && signal.change.serverId === id,
  )
  const server = data?.server
  usePageCommands({
    title: server == null ? id : nameOf(server),
    commands:
      server == null
        ? []
        : actions.actionsOf(server).map(({ label, onSelect, disabledReason }) => ({ label, run: onSelect, disabledReason })),
  })
  if (error !== undefined && (server === undefined || server === null)) {
    return (
      <>
        <PageTitle title="Server" />
        <PageSection hasBodyWrapper={false} aria-label="Error">
          <ErrorNotice what="The server" error={error} retry={() => void refetch()} />
        </PageSection>
      </>
    )
  }
  if (server === undefined) return <Loading what="the server" />
  if (server === null || server.status === 'DELETED') {
    return (
      <>
        <PageTitle title="Server not found" />
        <PageSection hasBodyWrapper={false} aria-label="Server not found">
          <Nothing title="This server does not exist" action={<Link to="/servers">All servers</Link>}>
            It may have been deleted, or belong to another project.
          </Nothing>
        </PageSection>
      </>
    )
  }
  const start = refusalOf(server, 'START')
  const stop = refusalOf(server, 'STOP')
  return (
    <>
      <PageSection hasBodyWrapper={false} type="breadcrumb">
        <Breadcrumb aria-label="Where you are">
          <BreadcrumbItem>
            <Link to="/servers">Servers</Link>
          </BreadcrumbItem>
          <BreadcrumbItem isActive className="kn-break">
            {nameOf(server)}
          </BreadcrumbItem>
        </Breadcrumb>
      </PageSection>
      <PageTitle
        title={nameOf(server)}
        extra={
          <span role="status" aria-label="Server status">
            <ServerStatusLabel status={server.status} taskState={server.taskState} progress={server.progressPercent} />
          </span>
        }
        actions={
          <Flex gap={{ default: 'gapSm' }} flexWrap={{ default: 'nowrap' }}>
            {start === null && (
              <Button variant="secondary" onClick={() => void actions.run('START', server)}>
                Start
              </Button>
            )}
            {stop === null && (
              <Button variant="secondary" onClick={() => void actions.run('STOP', server)}>
                Stop
              </Button>
            )}
            <RowActions label={`Actions for ${nameOf(server)}`} text="Actions" actions={actions.actionsOf(server)} />
          </Flex>
        }
      >
        <AdminPasswordNotice serverId={id} />
        {server.locked === true && <LockNotice server={server} />}
      </PageTitle>
      <PageSection hasBodyWrapper={false} aria-label="Details of the server">
        <Tabs
          activeKey={tab}
          aria-label="Parts of the server"
          onSelect={(_event, key) => navigate(key === 'overview' ? `/servers/${id}` : `/servers/${id}/${key}`, { replace: true })}
          mountOnEnter
          unmountOnExit
          className="kn-gap-below"
        >
          {tabs.map(([name, label]) => (
            <Tab key={name} eventKey={name} title={<TabTitleText>{label}</TabTitleText>}>
              <div className="kn-gap-above">
                <Suspense fallback={<Loading what={label} />}>
                  <TabBody name={name} server={server} actions={actions.actionsOf(server)} />
                </Suspense>
              </div>
            </Tab>
          ))}
        </Tabs>
      </PageSection>
      {actions.dialog}
    </>
  )
}

function LockNotice({ server }: { server: ServerDetails }) {
  const words = text.servers.lock
  const { lockedReason, lockedBy } = server
  return (
    <Alert
      component="p"
      isInline
      isPlain
      variant="info"
      customIcon={<LockIcon />}
      className="kn-gap-above kn-break"
      title={lockedReason === null ? words.plain : words.because(lockedReason)}
    >
      {lockedBy === null ? null : lockedBy === 'ADMIN' ? words.byAdmin : words.byOwner}
    </Alert>
  )
}

function TabBody({ name, server, actions }: { name: TabName; server: ServerDetails; actions: readonly RowAction[] }) {
  switch (name) {
    case 'overview':
      return <ServerOverviewTab server={server} actions={actions} />
    case 'activity':
      return <ServerActivityTab serverId={server.id} />
    case 'console':
      return <ServerConsoleTab server={server} />
    case 'serial':
      return <ServerSerialTab server={server} />
    case 'log':
      return <ServerLogTab server={server} />
  }
}
