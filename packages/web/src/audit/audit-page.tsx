/** Who asked what of the cloud, and how it ended: of the project, for administrators of all projects. */
import { useQuery } from '@apollo/client/react'
import { Button, PageSection } from '@patternfly/react-core'
import { PageTitle } from '../components/page-title.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { useUrlFilters } from '../components/use-url-filters.js'
import type { AuditFilter, AuditResult } from '../generated/graphql.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { auditLogQuery } from './audit.documents.js'
import { AuditTable } from './audit-table.js'
import { AuditToolbar } from './audit-toolbar.js'
import { type AuditFilterName, auditFilterNames } from './filters.js'

const words = text.identity.audit
const results: readonly AuditResult[] = ['SUCCESS', 'DENIED', 'ERROR']

function filterOf(values: Record<AuditFilterName, string>): AuditFilter {
  const result = results.find((one) => one.toLowerCase() === values.outcome)
  const time = (typed: string): string | null => (Number.isNaN(Date.parse(typed)) ? null : new Date(typed).toISOString())
  const [since, until] = [time(values.since), time(values.until)]
  return {
    ...(values.user === '' ? {} : { userId: values.user }),
    ...(values.project === '' ? {} : { projectId: values.project }),
    ...(values.action === '' ? {} : { fields: [values.action] }),
    ...(result === undefined ? {} : { results: [result] }),
    ...(values.object === '' ? {} : { targetId: values.object }),
    ...(values.request === '' ? {} : { requestId: values.request }),
    ...(since === null ? {} : { since }),
    ...(until === null ? {} : { until }),
  }
}

export function AuditPage() {
  const may = useMay('cloud:audit:read')
  return may ? (
    <Audit />
  ) : (
    <>
      <PageTitle title={words.title} />
      <Forbidden />
    </>
  )
}

function Audit() {
  const { project } = useViewer()
  const isForAll = useMay('identity:list_users')
  const filters = useUrlFilters<AuditFilterName>(auditFilterNames)
  const { values, isFiltered, change, clear, paging } = filters
  const { data, previousData, error, refetch } = useQuery(auditLogQuery, {
    variables: { first: paging.perPage, after: paging.after, filter: filterOf(values) },
    fetchPolicy: 'cache-and-network',
  })
  // Most of what is asked shows in one of the streams; the rest waits for the button.
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic !== 'server',
  )
  const log = (data ?? previousData)?.auditLog
  return (
    <>
      <PageTitle
        title={words.title}
        actions={
          <Button variant="secondary" onClick={() => void refetch()}>
            {words.refresh}
          </Button>
        }
      >
        <p className="kn-muted kn-break">{isForAll ? words.about : words.aboutProject(project?.name ?? '—')}</p>
      </PageTitle>
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        <AuditToolbar
          filters={filters}
          entries={log?.nodes ?? []}
          total={log?.totalCount ?? 0}
          endCursor={log?.pageInfo.endCursor ?? null}
        />
        {log === undefined ? (
          error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : log.nodes.length === 0 ? (
          isFiltered ? (
            <NothingMatches what={words.what} clear={clear} />
          ) : (
            <Nothing title={words.none} />
          )
        ) : (
          <AuditTable entries={log.nodes} showProject={isForAll} change={change} />
        )}
      </PageSection>
    </>
  )
}
