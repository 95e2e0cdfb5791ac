/** One project and who may work in it; for administrators. */
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
import { projectQuery } from './identity.documents.js'
import { useProjectActions } from './use-project-actions.js'

const words = text.identity.projects
const { columns } = text.identity

export function ProjectPage() {
  const { projectId = '' } = useParams()
  const may = useMay('identity:create_project')
  return may ? (
    <Project key={projectId} projectId={projectId} />
  ) : (
    <>
      <PageTitle title={words.details} />
      <Forbidden />
    </>
  )
}

function Project({ projectId }: { projectId: string }) {
  const navigate = useNavigate()
  const mayQuotas = useMay('os_compute_api:os-quota-sets:update')
  const { data, error, refetch } = useQuery(projectQuery, { variables: { id: projectId }, fetchPolicy: 'cache-and-network' })
  const { actionsFor, dialogs } = useProjectActions(
    () => refetch(),
    () => navigate('/admin/projects', { replace: true }),
  )
  const project = data?.project
  if (project === undefined || project === null) {
    return (
      <>
        <PageTitle title={words.details} actions={<Link to="/admin/projects">{words.all}</Link>} />
        {project === null ? (
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
        title={project.name}
        extra={<StandingLabel enabled={project.enabled} />}
        actions={<RowActions label={text.identity.actionsFor(project.name)} actions={actionsFor(project)} text={columns.actions} />}
      >
        <Link to="/admin/projects">{words.all}</Link>
      </PageTitle>
      <PageSection hasBodyWrapper={false} aria-label={words.details}>
        <Details
          rows={[
            [columns.description, project.description ?? '—'],
            [columns.tags, project.tags.length === 0 ? '—' : project.tags.join(', ')],
            [columns.created, <Time key="created" value={project.createdAt} />],
            [words.id, project.id],
            ...(mayQuotas
              ? [
                  [
                    words.quotas,
                    <Link key="quotas" to={`/admin/quotas/${project.id}`}>
                      {words.quotas}
                    </Link>,
                  ] as const,
                ]
              : []),
          ]}
        />
      </PageSection>
      <PageSection hasBodyWrapper={false} aria-labelledby="grants-title">
        <Title headingLevel="h2" size="lg" id="grants-title">
          {words.members}
        </Title>
        <Grants of={{ kind: 'project', id: project.id, name: project.name }} labelledBy="grants-title" />
      </PageSection>
      {dialogs}
    </>
  )
}
