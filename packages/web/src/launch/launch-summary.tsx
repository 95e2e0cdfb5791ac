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
import { formatMb } from '../lib/format.js'
import { text } from '../text/text.js'
import type { Draft } from './draft.js'
import { countOf, encodedUserData, namePreview, tagsOf } from './launch-input.js'

const words = text.launch.summary

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
  const networks = words.networks[draft.networkMode](draft.networkIds.length)
  const extras = [
    draft.configDrive && words.configDrive,
    encodedUserData(draft) !== '' && words.userData,
    draft.metadata.some((row) => row.key !== '') && words.metadata,
    tagsOf(draft).length > 0 && words.tags(tagsOf(draft).length),
  ].filter((extra) => extra !== false)
  const rows: [string, ReactNode][] = [
    [words.servers(count), name === '' ? '—' : name],
    [words.image, image === null ? '—' : (image.name ?? image.id)],
    [words.flavor, flavor === null ? '—' : flavor.name],
    [
      words.total,
      flavor === null ? '—' : words.totalOf(total(flavor.vcpus), formatMb(total(flavor.ramMb)), total(flavor.diskGb + flavor.ephemeralGb)),
    ],
    [words.network, networks],
    [words.keys, draft.keyNames.length === 0 ? words.noKeys : draft.keyNames.join(', ')],
    [words.zone, draft.zone.trim() === '' ? words.anyZone : draft.zone.trim()],
    ...(extras.length > 0 ? ([[words.extras, extras.join(', ')]] satisfies [string, ReactNode][]) : []),
  ]
  return (
    <Card component="section" aria-label={words.title} className="kn-launch-summary">
      <CardTitle component="h2">{words.title}</CardTitle>
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
