/** What will be made, while it is being described. */
import {
  Card,
  CardBody,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core'
import type { ReactNode } from 'react'
import type { FlavorFieldsFragment, ImageFieldsFragment } from '../generated/graphql.js'
import { formatMb, plural } from '../lib/format.js'
import type { Draft } from './draft.js'
import { countOf, encodedUserData, namePreview, tagsOf } from './launch-input.js'

interface LaunchSummaryProps {
  draft: Draft
  image: ImageFieldsFragment | null
  flavor: FlavorFieldsFragment | null
  children: ReactNode
}

export function LaunchSummary({ draft, image, flavor, children }: LaunchSummaryProps) {
  const count = countOf(draft)
  const name = namePreview(draft) ?? draft.name.trim()
  const total = (amount: number): number => amount * Math.max(count, 1)
  const networks = { AUTO: 'Automatic', NONE: 'None', LIST: plural(draft.networkIds.length, 'network') }[draft.networkMode]
  const extras = [
    draft.configDrive && 'config drive',
    encodedUserData(draft) !== '' && 'user data',
    draft.metadata.some((row) => row.key !== '') && 'metadata',
    tagsOf(draft).length > 0 && plural(tagsOf(draft).length, 'tag'),
  ].filter((extra) => extra !== false)
  const rows: [string, ReactNode][] = [
    [count === 1 ? 'Server' : plural(count, 'server'), name === '' ? '—' : name],
    ['Image', image === null ? '—' : (image.name ?? image.id)],
    ['Flavor', flavor === null ? '—' : flavor.name],
    [
      'In total',
      flavor === null
        ? '—'
        : `${total(flavor.vcpus)} vCPU, ${formatMb(total(flavor.ramMb))} memory, ${total(flavor.diskGb + flavor.ephemeralGb)} GB disk`,
    ],
    ['Network', networks],
    ['Key pairs', draft.keyNames.length === 0 ? 'None' : draft.keyNames.join(', ')],
    ['Zone', draft.zone.trim() === '' ? 'Any' : draft.zone.trim()],
    ...(extras.length > 0 ? ([['With', extras.join(', ')]] satisfies [string, ReactNode][]) : []),
  ]
  return (
    <Card component="section" aria-label="Summary" className="kn-launch-summary">
      <CardTitle component="h2">Summary</CardTitle>
      <CardBody>
        <DescriptionList isCompact>
          {rows.map(([term, value]) => (
            <DescriptionListGroup key={term}>
              <DescriptionListTerm>{term}</DescriptionListTerm>
              <DescriptionListDescription className="kn-break">{value}</DescriptionListDescription>
            </DescriptionListGroup>
          ))}
        </DescriptionList>
        <div className="kn-gap-above">{children}</div>
      </CardBody>
    </Card>
  )
}
