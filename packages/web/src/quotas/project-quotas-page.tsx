/** Chooses the project whose limits are to be changed; for administrators. */
import { useQuery } from '@apollo/client/react'
import { Label, PageSection, SearchInput, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { Link } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { usePaging } from '../components/use-paging.js'
import { useMay } from '../lib/session-context.js'
import { useDebounced } from '../lib/use-debounced.js'
import { text } from '../text/text.js'
import { quotaProjectsQuery } from './quota.documents.js'

const words = text.quotas.projects

export function ProjectQuotasPage() {
  const may = useMay('os_compute_api:os-quota-sets:update')
  const mayEditDefaults = useMay('os_compute_api:os-quota-class-sets:update')
  const paging = usePaging()
  const [search, setSearch] = useState('')
  const wanted = useDebounced(search.trim())
  const { data, previousData, error, refetch } = useQuery(quotaProjectsQuery, {
    variables: {
      first: paging.perPage,
      after: paging.after,
      filter: wanted === '' ? {} : { name: wanted },
      orderBy: [{ key: 'NAME', direction: 'ASC' }],
    },
    skip: !may,
    fetchPolicy: 'cache-and-network',
  })
  if (!may) {
    return (
      <>
        <PageTitle title={words.title} />
        <Forbidden />
      </>
    )
  }
  const projects = (data ?? previousData)?.projects
  return (
    <>
      <PageTitle title={words.title} actions={mayEditDefaults ? <Link to="/admin/quotas/defaults">{words.defaults}</Link> : undefined} />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
            <ToolbarItem>
              <SearchInput
                aria-label={words.search}
                placeholder={words.searchHint}
                value={search}
                onChange={(_event, value) => {
                  setSearch(value)
                  paging.reset()
                }}
                onClear={() => {
                  setSearch('')
                  paging.reset()
                }}
              />
            </ToolbarItem>
            <ToolbarItem variant="pagination">
              <Pager what={words.what} paging={paging} total={projects?.totalCount ?? 0} endCursor={projects?.pageInfo.endCursor ?? null} />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {projects === undefined ? (
          error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : projects.nodes.length === 0 && wanted !== '' ? (
          <NothingMatches what={words.what} clear={() => setSearch('')} />
        ) : projects.nodes.length === 0 ? (
          <Nothing title={words.none} />
        ) : (
          <Table aria-label={words.list} variant="compact">
            <Thead>
              <Tr>
                <Th>{words.name}</Th>
                <Th>{words.description}</Th>
              </Tr>
            </Thead>
            <Tbody>
              {projects.nodes.map((project) => (
                <Tr key={project.id}>
                  <Td dataLabel={words.name} className="kn-break">
                    <Link to={`/admin/quotas/${project.id}`}>{project.name}</Link>{' '}
                    {!project.enabled && (
                      <Label isCompact status="warning">
                        {words.disabled}
                      </Label>
                    )}
                    <div className="kn-muted kn-small">{project.id}</div>
                  </Td>
                  <Td dataLabel={words.description} className="kn-break">
                    {project.description ?? '—'}
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
    </>
  )
}
