/** One user: who it is, and their roles in projects; for administrators. */
import { useQuery } from '@apollo/client/react'
import { PageSection, Title } from '@patternfly/react-core'
import { Link, useNavigate, useParams } from 'react-router'
import { Details } from '../components/details.js'
import { PageTitle } from '../components/page-title.js'
import { RowActions } from '../components/row-actions.js'
import { StandingLabel } from '../components/standing-label.js'
import { ErrorNotice, Forbidden, Loading, Nothing } from '../components/states.js'
import { Time } from '../components/time.js'
import { useMay } from '../lib/session-context.js'
import { text } from '../text/text.js'
import { Grants } from './grants.js'
import { userQuery } from './identity.documents.js'
import { useUserActions } from './use-user-actions.js'

const words = text.identity.users
const { columns } = text.identity

export function UserPage() {
  const { userId = '' } = useParams()
  const may = useMay('identity:list_users')
  return may ? (
    <User key={userId} userId={userId} />
  ) : (
    <>
      <PageTitle title={words.details} />
      <Forbidden />
    </>
  )
}

function User({ userId }: { userId: string }) {
  const navigate = useNavigate()
  const { data, error, refetch } = useQuery(userQuery, { variables: { id: userId }, fetchPolicy: 'cache-and-network' })
  const { actionsFor, dialogs } = useUserActions(
    () => refetch(),
    () => navigate('/admin/users', { replace: true }),
  )
  const user = data?.user
  if (user === undefined || user === null) {
    return (
      <>
        <PageTitle title={words.details} actions={<Link to="/admin/users">{words.all}</Link>} />
        {user === null ? (
          <Nothing title={words.gone}>{words.goneHint}</Nothing>
        ) : error === undefined ? (
          <Loading what={words.what} />
        ) : (
          <PageSection hasBodyWrapper={false}>
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          </PageSection>
        )}
      </>
    )
  }
  return (
    <>
      <PageTitle
        title={user.name}
        extra={<StandingLabel enabled={user.enabled} />}
        actions={<RowActions label={text.identity.actionsFor(user.name)} actions={actionsFor(user)} text={columns.actions} />}
      >
        <Link to="/admin/users">{words.all}</Link>
      </PageTitle>
      <PageSection hasBodyWrapper={false} aria-label={words.details}>
        <Details
          rows={[
            [columns.email, user.email ?? '—'],
            [columns.description, user.description ?? '—'],
            [columns.defaultProject, user.defaultProject?.name ?? '—'],
            [columns.lastLogin, <Time key="last" value={user.lastLoginAt} />],
            [columns.created, <Time key="created" value={user.createdAt} />],
            [words.id, user.id],
          ]}
        />
      </PageSection>
      <PageSection hasBodyWrapper={false} aria-labelledby="grants-title">
        <Title headingLevel="h2" size="lg" id="grants-title">
          {words.roles}
        </Title>
        <Grants of={{ kind: 'user', id: user.id, name: user.name }} labelledBy="grants-title" />
      </PageSection>
      {dialogs}
    </>
  )
}
