/** One flavor: its size, what its extra specs mean, who may use it. */
import { useQuery } from '@apollo/client/react'
import { Label, PageSection, Title } from '@patternfly/react-core'
import { Fragment } from 'react'
import { useNavigate, useParams } from 'react-router'
import { Details } from '../components/details.js'
import { NotYet, WayBack } from '../components/one-thing-page.js'
import { PageTitle } from '../components/page-title.js'
import { RowActions } from '../components/row-actions.js'
import { Time } from '../components/time.js'
import { usePageCommands } from '../lib/commands.js'
import { formatMb } from '../lib/format.js'
import { showToast } from '../lib/toasts.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { extraSpecSchemaQuery } from '../properties/property.documents.js'
import { PropertyTable } from '../properties/property-table.js'
import { text } from '../text/text.js'
import type { FlavorDetails } from './create-flavor-dialog.js'
import { flavorQuery } from './flavor.documents.js'
import { FlavorAccess } from './flavor-access.js'
import { flavorPath } from './flavor-path.js'
import { useFlavorActions } from './use-flavor-actions.js'

const words = text.flavors

export function FlavorPage() {
  const { flavorId = '' } = useParams()
  return <OneFlavor key={flavorId} id={flavorId} />
}

function OneFlavor({ id }: { id: string }) {
  const navigate = useNavigate()
  const { data, error, refetch } = useQuery(flavorQuery, { variables: { id } })
  const definitions = useQuery(extraSpecSchemaQuery).data?.extraSpecSchema ?? []
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'FLAVOR' && signal.subjectId === id,
  )
  const { actionsOf, dialog } = useFlavorActions({
    onDeleted: () => navigate('/flavors', { replace: true }),
    onCreated: (flavor) => {
      showToast('success', words.create.created(flavor.name))
      void navigate(flavorPath(flavor.id))
    },
  })
  const flavor = data?.flavor
  usePageCommands({
    title: flavor?.name ?? id,
    commands:
      flavor == null ? [] : actionsOf(flavor).map(({ label, onSelect, disabledReason }) => ({ label, run: onSelect, disabledReason })),
  })
  if (flavor == null) return <NotYet words={words} listPath="/flavors" thing={flavor} error={error} retry={() => void refetch()} />
  return (
    <>
      <WayBack label={words.whereYouAre} listName={words.title} listPath="/flavors" name={flavor.name} />
      <PageTitle
        title={flavor.name}
        extra={
          <>
            {!flavor.isPublic && <Label isCompact>{words.private}</Label>}
            {flavor.disabled && (
              <Label isCompact status="warning">
                {words.disabled}
              </Label>
            )}
          </>
        }
        actions={<RowActions label={words.actionsFor(flavor.name)} text={words.actions} actions={actionsOf(flavor)} />}
      />
      <PageSection hasBodyWrapper={false} aria-labelledby="flavor-size">
        <Title headingLevel="h2" size="lg" id="flavor-size" className="kn-gap-below">
          {words.details.size}
        </Title>
        <Details rows={factsOf(flavor)} />
      </PageSection>
      {flavor.extraSpecs !== null && (
        <PageSection hasBodyWrapper={false} aria-labelledby="flavor-specs-title">
          <Title headingLevel="h2" size="lg" id="flavor-specs-title" className="kn-gap-below">
            {words.columns.extraSpecs}
          </Title>
          {flavor.extraSpecs.length === 0 ? (
            <p className="kn-muted">{words.details.noSpecs}</p>
          ) : (
            <PropertyTable label={words.specsOf(flavor.name)} items={flavor.extraSpecs} definitions={definitions} />
          )}
        </PageSection>
      )}
      <FlavorAccess flavor={flavor} />
      {dialog}
    </>
  )
}

function factsOf(flavor: FlavorDetails) {
  const { details, columns } = words
  return [
    [
      details.id,
      <span key="fact-1" className="kn-mono">
        {flavor.id}
      </span>,
    ],
    [details.description, flavor.description ?? <span className="kn-muted">{details.noDescription}</span>],
    [columns.vcpus, flavor.vcpus],
    [columns.memory, formatMb(flavor.ramMb)],
    [columns.rootDisk, flavor.diskGb === 0 ? words.ofTheImage : words.gigabytes(flavor.diskGb)],
    [columns.ephemeral, flavor.ephemeralGb === 0 ? words.nothing : words.gigabytes(flavor.ephemeralGb)],
    [columns.swap, flavor.swapMb === 0 ? words.nothing : formatMb(flavor.swapMb)],
    [details.rxtxFactor, flavor.rxtxFactor],
    [details.visibility, flavor.isPublic ? words.public : words.private],
    ...(flavor.serverCount === null
      ? []
      : [
          [
            details.servers,
            <Fragment key="fragment">
              {flavor.serverCount} <span className="kn-muted kn-small">{details.serversHint}</span>
            </Fragment>,
          ] as const,
        ]),
    [details.created, <Time key="fact-2" value={flavor.createdAt} />],
    [details.changed, <Time key="fact-3" value={flavor.updatedAt} />],
  ] as const
}
