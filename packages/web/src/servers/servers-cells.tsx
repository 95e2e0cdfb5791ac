/** What stands in each column of the list of servers. */
import { Label, LabelGroup } from '@patternfly/react-core'
import type { ReactNode } from 'react'
import { ServerStatusLabel } from '../components/labels.js'
import { Time } from '../components/time.js'
import type { ServerSortKey, ServersQuery, ServersQueryVariables } from '../generated/graphql.js'
import { formatMb, words as inWords } from '../lib/format.js'
import { text } from '../text/text.js'
import type { ColumnKey } from './servers-columns.js'

export type ServerRow = ServersQuery['servers']['nodes'][number]

const words = text.servers
const orNone = (value: ReactNode): ReactNode => (value === null || value === undefined || value === '' ? '—' : value)

interface Column {
  label: string
  sort?: ServerSortKey
  /** What must be asked for to show it. */
  needs?: Extract<keyof ServersQueryVariables, `with${string}`>
  rule?: string
  /** May be broken anywhere; the others break between words only. */
  isLong?: boolean
  cell: (server: ServerRow) => ReactNode
}

export const columns: Record<ColumnKey, Column> = {
  status: {
    label: words.columns.status,
    sort: 'VM_STATE',
    cell: (server) => <ServerStatusLabel status={server.status} taskState={server.taskState} progress={server.progressPercent} />,
  },
  addresses: {
    label: words.columns.addresses,
    cell: ({ addresses }) => (
      <div className="kn-cell-stack">
        {addresses.length === 0 && '—'}
        {addresses.map((address) => (
          <div key={address.address}>{address.address}</div>
        ))}
      </div>
    ),
  },
  flavor: {
    label: words.columns.flavor,
    cell: ({ flavor }) =>
      flavor === null ? (
        '—'
      ) : (
        <div className="kn-cell-stack">
          <div className="kn-break">{flavor.originalName}</div>
          <div className="kn-muted kn-small">{words.vcpusAndMemory(flavor.vcpus, formatMb(flavor.ramMb))}</div>
        </div>
      ),
  },
  image: { isLong: true, label: words.columns.image, needs: 'withImage', cell: ({ image }) => orNone(image?.name ?? image?.id) },
  host: {
    isLong: true,
    label: words.columns.host,
    sort: 'HOST',
    rule: 'os_compute_api:os-extended-server-attributes',
    cell: ({ host }) => orNone(host),
  },
  zone: { isLong: true, label: words.columns.zone, needs: 'withZone', cell: ({ availabilityZone }) => orNone(availabilityZone) },
  power: { label: words.columns.power, cell: ({ powerState }) => orNone(powerState === null ? null : inWords(powerState)) },
  locked: { label: words.columns.locked, cell: ({ locked }) => (locked === true ? words.isLocked.yes : words.isLocked.no) },
  keys: {
    isLong: true,
    label: words.columns.keys,
    needs: 'withKeys',
    cell: ({ keypairs = [] }) => orNone(keypairs.map(({ name }) => name).join(', ')),
  },
  tags: {
    isLong: true,
    label: words.columns.tags,
    needs: 'withTags',
    cell: ({ tags = [] }) =>
      tags.length === 0 ? (
        '—'
      ) : (
        <LabelGroup numLabels={4} aria-label={words.columns.tags}>
          {tags.map((tag) => (
            <Label key={tag} isCompact>
              {tag}
            </Label>
          ))}
        </LabelGroup>
      ),
  },
  metadata: {
    isLong: true,
    label: words.columns.metadata,
    needs: 'withMetadata',
    cell: ({ metadata = [] }) => orNone(metadata.map(({ key, value }) => `${key} = ${value}`).join(', ')),
  },
  user: { isLong: true, label: words.columns.user, needs: 'withUser', cell: ({ user }) => orNone(user?.name) },
  description: { isLong: true, label: words.columns.description, needs: 'withDescription', cell: ({ description }) => orNone(description) },
  id: { label: words.columns.id, cell: ({ id }) => <span className="kn-mono kn-small">{id}</span> },
  created: { label: words.columns.created, sort: 'CREATED_AT', cell: ({ createdAt }) => <Time value={createdAt} /> },
  launched: {
    label: words.columns.launched,
    sort: 'LAUNCHED_AT',
    needs: 'withTimes',
    cell: ({ launchedAt }) => <Time value={launchedAt} />,
  },
  changed: { label: words.columns.changed, sort: 'UPDATED_AT', needs: 'withTimes', cell: ({ updatedAt }) => <Time value={updatedAt} /> },
}

/** What the columns that are shown need. */
export function needsOf(shown: readonly ColumnKey[]) {
  const needs = new Set(shown.map((key) => columns[key].needs))
  return {
    withImage: needs.has('withImage'),
    withZone: needs.has('withZone'),
    withKeys: needs.has('withKeys'),
    withTags: needs.has('withTags'),
    withMetadata: needs.has('withMetadata'),
    withUser: needs.has('withUser'),
    withDescription: needs.has('withDescription'),
    withTimes: needs.has('withTimes'),
  }
}
