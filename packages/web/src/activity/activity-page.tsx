/** Everything that was asked of the cloud in this project, live; for administrators of all projects. What is shown stands in the address. */
import { useQuery } from '@apollo/client/react'
import { Checkbox, PageSection, Toolbar, ToolbarContent, ToolbarFilter, ToolbarItem } from '@patternfly/react-core'
import { FilterSelect } from '../components/filter-select.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { useUrlFilters } from '../components/use-url-filters.js'
import type { OperationKind, OperationState } from '../generated/graphql.js'
import { words as inWords } from '../lib/format.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { activityServerQuery, operationsQuery } from './operation.documents.js'
import { OperationCard } from './operation-card.js'

const words = text.activity
const states: readonly OperationState[] = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']
const kinds: readonly OperationKind[] = [
  'CREATE',
  'DELETE',
  'START',
  'STOP',
  'REBOOT',
  'PAUSE',
  'UNPAUSE',
  'SUSPEND',
  'RESUME',
  'LOCK',
  'UNLOCK',
  'RESET_STATE',
  'BULK',
  'IMPORT_IMAGE',
]
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
/** The streams tell of the viewer's own project; elsewhere the page looks for itself. */
const lookEveryMs = 5000

export function ActivityPage() {
  const may = useMay('os_compute_api:os-instance-actions:list')
  return may ? (
    <Activity />
  ) : (
    <>
      <PageTitle title={words.title} />
      <Forbidden />
    </>
  )
}

function Activity() {
  const maySeeAll = useMay('os_compute_api:servers:detail:get_all_tenants')
  const { values, isFiltered, change, clear, paging } = useUrlFilters(['kind', 'state', 'server', 'scope'], 10)
  const state = states.find((one) => one.toLowerCase() === values.state)
  const kind = kinds.find((one) => one.toLowerCase() === values.kind)
  const serverId = uuid.test(values.server) ? values.server : null
  const all = maySeeAll && values.scope === 'all'
  const { data, previousData, error, refetch } = useQuery(operationsQuery, {
    variables: {
      first: paging.perPage,
      after: paging.after,
      filter: {
        ...(state === undefined ? {} : { states: [state] }),
        ...(kind === undefined ? {} : { kinds: [kind] }),
        ...(serverId === null ? {} : { serverId }),
        ...(all ? { allProjects: true } : {}),
      },
    },
    pollInterval: all ? lookEveryMs : 0,
  })
  const server = useQuery(activityServerQuery, { variables: { id: serverId ?? '' }, skip: serverId === null })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'operation',
  )
  const operations = (data ?? previousData)?.operations
  const options = <Value extends string>(offered: readonly Value[]) =>
    offered.map((one) => ({ value: one.toLowerCase(), label: inWords(one) }))
  return (
    <>
      <PageTitle title={words.title} />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        <Toolbar inset={{ default: 'insetNone' }} clearAllFilters={clear} clearFiltersButtonText={words.clear}>
          <ToolbarContent>
            <ToolbarItem>
              <FilterSelect
                label={words.kind}
                any={words.allKinds}
                value={values.kind}
                options={options(kinds)}
                onChange={(chosen) => change({ kind: chosen })}
              />
            </ToolbarItem>
            <ToolbarItem>
              <FilterSelect
                label={words.state}
                any={words.allStates}
                value={values.state}
                options={options(states)}
                onChange={(chosen) => change({ state: chosen })}
              />
            </ToolbarItem>
            <ToolbarFilter
              categoryName={words.server}
              labels={serverId === null ? [] : [server.data?.server?.name ?? serverId]}
              deleteLabel={() => change({ server: '' })}
            >
              {null}
            </ToolbarFilter>
            {maySeeAll && (
              <ToolbarItem alignSelf="center">
                <Checkbox
                  id="activity-all-projects"
                  label={words.allProjects}
                  isChecked={all}
                  onChange={(_event, checked) => change({ scope: checked ? 'all' : '' })}
                />
              </ToolbarItem>
            )}
            <ToolbarItem variant="pagination">
              <Pager
                what={words.what}
                paging={paging}
                total={operations?.totalCount ?? 0}
                endCursor={operations?.pageInfo.endCursor ?? null}
              />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {operations === undefined ? (
          error === undefined ? (
            <Loading what={words.loading} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : operations.nodes.length > 0 ? (
          operations.nodes.map((operation) => (
            <OperationCard
              key={operation.id}
              operation={operation}
              showTarget
              projectName={all ? (operation.project?.name ?? null) : null}
              onOnlyServer={(id) => change({ server: id })}
            />
          ))
        ) : isFiltered ? (
          <NothingMatches what={words.what} clear={clear} />
        ) : (
          <Nothing title={words.none}>{words.noneHint}</Nothing>
        )}
      </PageSection>
    </>
  )
}
