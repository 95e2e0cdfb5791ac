/** What the project may have, and what it has. */
import { useQuery } from '@apollo/client/react'
import {
  Card,
  CardBody,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Gallery,
  PageSection,
  Title,
} from '@patternfly/react-core'
import { Link } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { ErrorNotice, Loading, Nothing } from '../components/states.js'
import type { LimitsQuery } from '../generated/graphql.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { limitsQuery } from './quota.documents.js'
import { QuotaBar } from './quota-bar.js'
import { formatLimit, resourceWords } from './resources.js'
import { UsageOverTime } from './usage-over-time.js'

const words = text.quotas

type Item = LimitsQuery['limits']['items'][number]

function Limits({ items }: { items: readonly Item[] }) {
  const shared = items.filter((item) => resourceWords[item.resource].isShared)
  const single = items.filter((item) => !resourceWords[item.resource].isShared)
  return (
    <>
      <PageSection hasBodyWrapper={false} aria-labelledby="shared-limits">
        <Title headingLevel="h2" size="lg" id="shared-limits">
          {words.wholeProject}
        </Title>
        <Gallery hasGutter minWidths={{ default: '260px' }}>
          {shared.map((item) => (
            <Card key={item.resource} isCompact>
              <CardTitle component="h3">{resourceWords[item.resource].label}</CardTitle>
              <CardBody>
                <QuotaBar item={item} />
              </CardBody>
            </Card>
          ))}
        </Gallery>
      </PageSection>
      <PageSection hasBodyWrapper={false} aria-labelledby="single-limits">
        <Title headingLevel="h2" size="lg" id="single-limits">
          {words.eachServerAndUser}
        </Title>
        <DescriptionList isHorizontal isCompact horizontalTermWidthModifier={{ default: '26ch' }}>
          {single.map((item) => (
            <DescriptionListGroup key={item.resource}>
              <DescriptionListTerm>{resourceWords[item.resource].input}</DescriptionListTerm>
              <DescriptionListDescription>{formatLimit(item.resource, item.limit)}</DescriptionListDescription>
            </DescriptionListGroup>
          ))}
        </DescriptionList>
      </PageSection>
    </>
  )
}

export function QuotasPage() {
  const { project } = useViewer()
  const mayEdit = useMay('os_compute_api:os-quota-sets:update')
  const maySeeUsage = useMay('os_compute_api:os-simple-tenant-usage:show')
  const { data, previousData, error, refetch } = useQuery(limitsQuery, { skip: project === null, fetchPolicy: 'cache-and-network' })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'server',
  )
  const limits = (data ?? previousData)?.limits
  if (project === null) {
    return (
      <>
        <PageTitle title={words.title} />
        <Nothing title={words.noProject}>{words.noProjectHint}</Nothing>
      </>
    )
  }
  return (
    <>
      <PageTitle title={words.title} actions={mayEdit ? <Link to={`/admin/quotas/${project.id}`}>{words.change}</Link> : undefined}>
        <p className="kn-muted">{words.about(project.name)}</p>
      </PageTitle>
      {limits !== undefined ? (
        <Limits items={limits.items} />
      ) : error === undefined ? (
        <Loading what={words.what} />
      ) : (
        <PageSection hasBodyWrapper={false}>
          <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
        </PageSection>
      )}
      {maySeeUsage && <UsageOverTime projectId={project.id} />}
    </>
  )
}
