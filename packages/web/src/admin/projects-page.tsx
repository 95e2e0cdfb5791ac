/** Every project; for administrators. */
import { useQuery } from '@apollo/client/react'
import { Button, PageSection, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { FilterSelect } from '../components/filter-select.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { SettlingSearch } from '../components/settling-search.js'
import { StandingLabel } from '../components/standing-label.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { Time } from '../components/time.js'
import { useUrlFilters } from '../components/use-url-filters.js'
import { useMay } from '../lib/session-context.js'
import { text } from '../text/text.js'
import { projectsQuery } from './identity.documents.js'
import { ProjectDialog } from './project-dialogs.js'
import { useProjectActions } from './use-project-actions.js'

const words = text.identity.projects
const { columns } = text.identity

export function ProjectsPage() {
  const may = useMay('identity:create_project')
  return may ? (
    <Projects />
  ) : (
    <>
      <PageTitle title={words.title} />
      <Forbidden />
    </>
  )
}

function Projects() {
  const mayCreate = useMay('identity:create_project')
  const navigate = useNavigate()
  const { values, isFiltered, change, clear, paging } = useUrlFilters(['search', 'state'])
  const [creating, setCreating] = useState(false)
  const { data, previousData, error, refetch } = useQuery(projectsQuery, {
    variables: {
      first: paging.perPage,
      after: paging.after,
      filter: {
        ...(values.search === '' ? {} : { name: values.search }),
        ...(values.state === '' ? {} : { enabled: values.state === 'enabled' }),
      },
      orderBy: [{ key: 'NAME', direction: 'ASC' }],
    },
    fetchPolicy: 'cache-and-network',
  })
  const { actionsFor, dialogs } = useProjectActions(
    () => refetch(),
    () => refetch(),
  )
  const projects = (data ?? previousData)?.projects
  return (
    <>
      <PageTitle title={words.title} actions={mayCreate && <Button onClick={() => setCreating(true)}>{words.create}</Button>} />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
            <ToolbarItem>
              <SettlingSearch
                label={words.search}
                placeholder={words.searchHint}
                value={values.search}
                onChange={(search) => change({ search }, 'typing')}
              />
            </ToolbarItem>
            <ToolbarItem>
              <FilterSelect
                label={text.identity.stateFilter}
                any={text.identity.anyState}
                value={values.state}
                options={[
                  { value: 'enabled', label: text.identity.enabled },
                  { value: 'disabled', label: text.identity.disabled },
                ]}
                onChange={(state) => change({ state })}
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
        ) : projects.nodes.length === 0 ? (
          isFiltered ? (
            <NothingMatches what={words.what} clear={clear} />
          ) : (
            <Nothing title={words.none} />
          )
        ) : (
          <Table aria-label={words.title} variant="compact">
            <Thead>
              <Tr>
                <Th>{columns.name}</Th>
                <Th>{columns.description}</Th>
                <Th>{columns.state}</Th>
                <Th>{columns.tags}</Th>
                <Th>{columns.created}</Th>
                <Th screenReaderText={columns.actions} />
              </Tr>
            </Thead>
            <Tbody>
              {projects.nodes.map((project) => (
                <Tr key={project.id}>
                  <Td dataLabel={columns.name} className="kn-break">
                    <Link to={`/admin/projects/${project.id}`}>{project.name}</Link>
                  </Td>
                  <Td dataLabel={columns.description} className="kn-break">
                    {project.description ?? '—'}
                  </Td>
                  <Td dataLabel={columns.state}>
                    <StandingLabel enabled={project.enabled} />
                  </Td>
                  <Td dataLabel={columns.tags} className="kn-break">
                    {project.tags.length === 0 ? '—' : project.tags.join(', ')}
                  </Td>
                  <Td dataLabel={columns.created}>
                    <Time value={project.createdAt} />
                  </Td>
                  <Td isActionCell>
                    <RowActions label={text.identity.actionsFor(project.name)} actions={actionsFor(project)} />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
      {dialogs}
      {creating && (
        <ProjectDialog
          project={null}
          onClose={() => setCreating(false)}
          onSaved={(project) => void navigate(`/admin/projects/${project.id}`)}
        />
      )}
    </>
  )
}
