/** Everything that was asked of the cloud in this project, live. */
import { useQuery } from '@apollo/client/react'
import { FormSelect, FormSelectOption, PageSection, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { useState } from 'react'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { usePaging } from '../components/use-paging.js'
import type { OperationState } from '../generated/graphql.js'
import { words } from '../lib/format.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { operationsQuery } from './operation.documents.js'
import { OperationCard } from './operation-card.js'

const states: OperationState[] = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']

export function ActivityPage() {
  const may = useMay('os_compute_api:os-instance-actions:list')
  const paging = usePaging(10)
  const [state, setState] = useState<OperationState | null>(null)
  const { data, previousData, error, refetch } = useQuery(operationsQuery, {
    skip: !may,
    variables: { first: paging.perPage, after: paging.after, filter: state === null ? {} : { states: [state] } },
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'operation',
  )
  if (!may) return <Forbidden />
  const operations = (data ?? previousData)?.operations
  return (
    <>
      <PageTitle title="Activity" />
      <PageSection hasBodyWrapper={false} aria-label="Operations">
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
            <ToolbarItem>
              <FormSelect
                aria-label="State"
                value={state ?? ''}
                onChange={(_event, value) => {
                  setState(states.find((one) => one === value) ?? null)
                  paging.reset()
                }}
              >
                <FormSelectOption value="" label="All states" />
                {states.map((one) => (
                  <FormSelectOption key={one} value={one} label={words(one)} />
                ))}
              </FormSelect>
            </ToolbarItem>
            <ToolbarItem variant="pagination">
              <Pager
                what="operations"
                paging={paging}
                total={operations?.totalCount ?? 0}
                endCursor={operations?.pageInfo.endCursor ?? null}
              />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {error !== undefined && operations === undefined ? (
          <ErrorNotice what="The activity" error={error} retry={() => void refetch()} />
        ) : operations === undefined ? (
          <Loading what="the activity" />
        ) : operations.nodes.length === 0 && state !== null ? (
          <NothingMatches what="operations" clear={() => setState(null)} />
        ) : operations.nodes.length === 0 ? (
          <Nothing title="Nothing has happened yet">What is asked of the cloud shows up here with its steps.</Nothing>
        ) : (
          operations.nodes.map((operation) => <OperationCard key={operation.id} operation={operation} showTarget />)
        )}
      </PageSection>
    </>
  )
}
