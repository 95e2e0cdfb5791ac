/** Everybody who can sign in; for administrators. */
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
import { usersQuery } from './identity.documents.js'
import { useUserActions } from './use-user-actions.js'
import { CreateUserDialog } from './user-dialogs.js'

const words = text.identity.users
const { columns } = text.identity

export function UsersPage() {
  const may = useMay('identity:list_users')
  return may ? (
    <Users />
  ) : (
    <>
      <PageTitle title={words.title} />
      <Forbidden />
    </>
  )
}

function Users() {
  const mayCreate = useMay('identity:create_user')
  const navigate = useNavigate()
  const { values, isFiltered, change, clear, paging } = useUrlFilters(['search', 'state'])
  const [creating, setCreating] = useState(false)
  const { data, previousData, error, refetch } = useQuery(usersQuery, {
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
  const { actionsFor, dialogs } = useUserActions(
    () => refetch(),
    () => refetch(),
  )
  const users = (data ?? previousData)?.users
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
              <Pager what={words.what} paging={paging} total={users?.totalCount ?? 0} endCursor={users?.pageInfo.endCursor ?? null} />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {users === undefined ? (
          error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : users.nodes.length === 0 ? (
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
                <Th>{columns.email}</Th>
                <Th>{columns.state}</Th>
                <Th>{columns.defaultProject}</Th>
                <Th>{columns.lastLogin}</Th>
                <Th screenReaderText={columns.actions} />
              </Tr>
            </Thead>
            <Tbody>
              {users.nodes.map((user) => (
                <Tr key={user.id}>
                  <Td dataLabel={columns.name} className="kn-break">
                    <Link to={`/admin/users/${user.id}`}>{user.name}</Link>
                    {user.description !== null && <div className="kn-muted kn-small">{user.description}</div>}
                  </Td>
                  <Td dataLabel={columns.email} className="kn-break">
                    {user.email ?? '—'}
                  </Td>
                  <Td dataLabel={columns.state}>
                    <StandingLabel enabled={user.enabled} />
                  </Td>
                  <Td dataLabel={columns.defaultProject} className="kn-break">
                    {user.defaultProject?.name ?? '—'}
                  </Td>
                  <Td dataLabel={columns.lastLogin}>
                    <Time value={user.lastLoginAt} />
                  </Td>
                  <Td isActionCell>
                    <RowActions label={text.identity.actionsFor(user.name)} actions={actionsFor(user)} />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
      {dialogs}
      {creating && <CreateUserDialog onClose={() => setCreating(false)} onCreated={(user) => void navigate(`/admin/users/${user.id}`)} />}
    </>
  )
}
