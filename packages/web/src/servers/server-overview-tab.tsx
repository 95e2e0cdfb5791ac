/** Everything that is known of a server. */
import {
  ActionList,
  ActionListItem,
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  ExpandableSection,
  Gallery,
  Label,
  LabelGroup,
} from '@patternfly/react-core'
import type { ReactNode } from 'react'
import type { RowAction } from '../components/row-actions.js'
import { Time } from '../components/time.js'
import { formatMb, words } from '../lib/format.js'
import { text } from '../text/text.js'
import type { ServerDetails } from './server-page.js'

const labels = text.servers.actions

type Item = [term: string, value: ReactNode]

function Facts({ title, items, children }: { title: string; items: readonly Item[]; children?: ReactNode }) {
  return (
    <Card isCompact>
      <CardTitle component="h2">{title}</CardTitle>
      <CardBody>
        <DescriptionList isCompact isHorizontal>
          {items.map(([term, value]) => (
            <DescriptionListGroup key={term}>
              <DescriptionListTerm>{term}</DescriptionListTerm>
              <DescriptionListDescription className="kn-break">
                {value === null || value === undefined || value === '' ? '—' : value}
              </DescriptionListDescription>
            </DescriptionListGroup>
          ))}
        </DescriptionList>
        {children}
      </CardBody>
    </Card>
  )
}

const yesNo = (value: boolean | null): string => (value === null ? '—' : value ? 'Yes' : 'No')

function decoded(base64: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)))
  } catch {
    return `Not text (${base64.length} characters of base64).`
  }
}

interface ServerOverviewTabProps {
  server: ServerDetails
  actions: readonly RowAction[]
}

export function ServerOverviewTab({ server, actions }: ServerOverviewTabProps) {
  const edits = actions.filter(({ label }) => label === labels.CHANGE_METADATA.label || label === labels.CHANGE_TAGS.label)
  const { flavor, fault } = server
  const placement: Item[] = [
    ['Availability zone', server.availabilityZone],
    ['Bound to zone', server.pinnedAvailabilityZone],
    [
      'Host id',
      <span key="id" className="kn-mono">
        {server.hostId}
      </span>,
    ],
    ...(server.host === null
      ? []
      : ([
          ['Host', server.host],
          ['Hypervisor', server.hypervisorHostname],
          ['Host status', server.hostStatus === null ? null : words(server.hostStatus)],
          ['Domain', server.instanceName],
          ['Reservation', server.reservationId],
          ['Launch index', server.launchIndex],
          ['Root device', server.rootDeviceName],
        ] satisfies Item[])),
  ]
  return (
    <>
      {server.isPartial && (
        <Alert
          component="p"
          isInline
          variant="warning"
          title="A part of the cloud does not answer; some facts are missing."
          className="kn-gap-below"
        />
      )}
      {fault !== null && server.status === 'ERROR' && (
        <Alert isInline variant="danger" title={fault.message} component="h2" className="kn-gap-below">
          <p>
            {words(fault.errorCode)}, <Time value={fault.createdAt} />
          </p>
          {fault.details !== null && (
            <ExpandableSection toggleText="Details">
              <pre className="kn-pre">{fault.details}</pre>
            </ExpandableSection>
          )}
        </Alert>
      )}
      <Gallery hasGutter minWidths={{ default: '100%', lg: '26rem' }}>
        <Facts
          title="Server"
          items={[
            [
              'Id',
              <span key="id" className="kn-mono">
                {server.id}
              </span>,
            ],
            ['Description', server.description],
            ['Host name', server.hostname],
            ['State', server.vmState === null ? null : words(server.vmState)],
            ['Task', server.taskState === null ? 'None' : words(server.taskState)],
            ['Power', server.powerState === null ? null : words(server.powerState)],
            ['Created', <Time key="time" value={server.createdAt} />],
            ['Launched', <Time key="time" value={server.launchedAt} />],
            ['Changed', <Time key="time" value={server.updatedAt} />],
            ['Project', server.project?.name],
            ['User', server.user?.name],
          ]}
        />
        <Facts
          title="Flavor and image"
          items={[
            ['Flavor', flavor?.originalName],
            ['vCPUs', flavor?.vcpus],
            ['Memory', flavor === null ? null : formatMb(flavor.ramMb)],
            ['Root disk', flavor === null ? null : `${flavor.diskGb} GB`],
            ['Ephemeral disk', flavor === null ? null : `${flavor.ephemeralGb} GB`],
            ['Swap', flavor === null ? null : formatMb(flavor.swapMb)],
            ['Extra specs', flavor?.extraSpecs?.map(({ key, value }) => `${key} = ${value}`).join(', ')],
            ['Image', server.image?.name ?? server.imageId],
            ['Disk layout', server.diskConfig === null ? null : words(server.diskConfig)],
            ['Config drive', yesNo(server.configDrive)],
          ]}
        />
        <Facts
          title="Network and access"
          items={[
            ...server.addresses.map(
              (address): Item => [
                `${address.networkLabel} (IPv${address.version})`,
                <span key="address">
                  {address.address} <span className="kn-muted kn-small">{address.macAddress}</span>
                </span>,
              ],
            ),
            ...(server.addresses.length === 0 ? ([['Addresses', 'None yet']] satisfies Item[]) : []),
            ['Access IPv4', server.accessIpV4],
            ['Access IPv6', server.accessIpV6],
            ['Key pairs', server.keypairs.map((key) => `${key.name} (${key.fingerprint})`).join(', ')],
          ]}
        />
        <Facts title="Placement" items={placement} />
        <Facts title="Metadata and tags" items={server.metadata.map(({ key, value }): Item => [key, value])}>
          {server.metadata.length === 0 && <p className="kn-muted">No metadata.</p>}
          {server.tags.length === 0 ? (
            <p className="kn-muted">No tags.</p>
          ) : (
            <LabelGroup categoryName="Tags" numLabels={20}>
              {server.tags.map((tag) => (
                <Label key={tag}>{tag}</Label>
              ))}
            </LabelGroup>
          )}
          <ActionList className="kn-gap-above">
            {edits.map(({ label, onSelect, disabledReason }) => (
              <ActionListItem key={label}>
                <Button variant="secondary" size="sm" isDisabled={disabledReason != null} onClick={onSelect}>
                  {label}
                </Button>
                {disabledReason != null && <p className="kn-muted kn-small">{disabledReason}</p>}
              </ActionListItem>
            ))}
          </ActionList>
          {server.userData !== null && (
            <ExpandableSection toggleText="User data">
              <pre className="kn-pre">{decoded(server.userData)}</pre>
            </ExpandableSection>
          )}
        </Facts>
      </Gallery>
    </>
  )
}
