/** Hours of servers of a project in the last four weeks, deleted ones too. */
import { useQuery } from '@apollo/client/react'
import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  PageSection,
  Title,
} from '@patternfly/react-core'
import { ErrorNotice } from '../components/states.js'
import { formatTime } from '../lib/format.js'
import { text } from '../text/text.js'
import { projectHoursQuery } from './quota.documents.js'

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })
const words = text.quotas.overTime
const hours = (amount: number): string => words.hours(number.format(amount))

export function UsageOverTime({ projectId }: { projectId: string }) {
  const { data, error, refetch } = useQuery(projectHoursQuery, { variables: { projectId }, fetchPolicy: 'cache-and-network' })
  const usage = data?.projectUsage
  if (usage === undefined && error === undefined) return null
  const rows: [string, string][] =
    usage === undefined
      ? []
      : [
          [words.serverHours, hours(usage.totalHours)],
          [words.vcpuHours, hours(usage.totalVcpuHours)],
          [words.memoryHours, hours(usage.totalRamMbHours / 1024)],
          [words.diskHours, hours(usage.totalDiskGbHours)],
        ]
  return (
    <PageSection hasBodyWrapper={false} aria-labelledby="usage-over-time">
      <Title headingLevel="h2" size="lg" id="usage-over-time">
        {words.title}
      </Title>
      {usage === undefined ? (
        <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
      ) : (
        <>
          <DescriptionList isHorizontal isCompact horizontalTermWidthModifier={{ default: '26ch' }}>
            {rows.map(([term, amount]) => (
              <DescriptionListGroup key={term}>
                <DescriptionListTerm>{term}</DescriptionListTerm>
                <DescriptionListDescription>{amount}</DescriptionListDescription>
              </DescriptionListGroup>
            ))}
          </DescriptionList>
          <p className="kn-muted kn-small kn-gap-above">{words.window(formatTime(usage.start), formatTime(usage.end))}</p>
        </>
      )}
    </PageSection>
  )
}
