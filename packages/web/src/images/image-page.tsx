/** One image: what it is, what its properties mean, whom it is shared with. */
import { useQuery } from '@apollo/client/react'
import { Label, LabelGroup, PageSection, Title } from '@patternfly/react-core'
import { Fragment } from 'react'
import { useNavigate, useParams } from 'react-router'
import { Details } from '../components/details.js'
import { ImageStatusLabel } from '../components/labels.js'
import { NotYet, WayBack } from '../components/one-thing-page.js'
import { PageTitle } from '../components/page-title.js'
import { RowActions } from '../components/row-actions.js'
import { Forbidden } from '../components/states.js'
import { Time } from '../components/time.js'
import { usePageCommands } from '../lib/commands.js'
import { formatBytes, formatMb } from '../lib/format.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { imagePropertySchemaQuery } from '../properties/property.documents.js'
import { PropertyTable } from '../properties/property-table.js'
import { text } from '../text/text.js'
import type { ImageDetails } from './edit-image-dialog.js'
import { imageQuery } from './image.documents.js'
import { ImageMembers, ImageOffer } from './image-members.js'
import { imageName } from './image-name.js'
import { ImageUploadState } from './image-upload-state.js'
import { useImageActions } from './use-image-actions.js'

const words = text.images

export function ImagePage() {
  const { imageId = '' } = useParams()
  const maySee = useMay('image:get_image')
  return maySee ? <OneImage key={imageId} id={imageId} /> : <Forbidden />
}

function OneImage({ id }: { id: string }) {
  const navigate = useNavigate()
  const { data, error, refetch } = useQuery(imageQuery, { variables: { id } })
  const definitions = useQuery(imagePropertySchemaQuery).data?.imagePropertySchema ?? []
  useLiveRefetch(
    () => refetch(),
    (signal) =>
      (signal.topic === 'object' && signal.subject === 'IMAGE' && signal.subjectId === id) ||
      (signal.topic === 'operation' && signal.operation.kind === 'IMPORT_IMAGE'),
  )
  const { actionsOf, dialog, refused } = useImageActions({
    onChanged: () => void refetch(),
    onDeleted: () => navigate('/images', { replace: true }),
  })
  const image = data?.image
  usePageCommands({
    title: image == null ? id : imageName(image),
    commands:
      image == null ? [] : actionsOf(image).map(({ label, onSelect, disabledReason }) => ({ label, run: onSelect, disabledReason })),
  })
  if (image == null) return <NotYet words={words} listPath="/images" thing={image} error={error} retry={() => void refetch()} />
  const name = imageName(image)
  return (
    <>
      <WayBack label={words.whereYouAre} listName={words.title} listPath="/images" name={name} />
      <PageTitle
        title={name}
        extra={
          <span role="status" aria-label={words.status}>
            <ImageStatusLabel status={image.status} />
          </span>
        }
        actions={<RowActions label={words.actionsFor(name)} text={words.actions} actions={actionsOf(image)} />}
      >
        <ImageUploadState image={image} />
        <ImageOffer image={image} />
      </PageTitle>
      <PageSection hasBodyWrapper={false} aria-labelledby="image-details">
        <Title headingLevel="h2" size="lg" id="image-details" className="kn-gap-below">
          {words.details.title}
        </Title>
        <Details rows={factsOf(image)} />
      </PageSection>
      <PageSection hasBodyWrapper={false} aria-labelledby="image-properties">
        <Title headingLevel="h2" size="lg" id="image-properties" className="kn-gap-below">
          {words.properties.title}
        </Title>
        {image.properties.length === 0 ? (
          <p className="kn-muted">{words.properties.none}</p>
        ) : (
          <PropertyTable label={words.properties.of(name)} items={image.properties} definitions={definitions} />
        )}
      </PageSection>
      <ImageMembers image={image} refused={(allowed) => refused(image, allowed)} />
      {dialog}
    </>
  )
}

function factsOf(image: ImageDetails) {
  const { details, visibility } = words
  const { label, hint } = visibility[image.visibility]
  return [
    [
      details.id,
      <span key="fact-4" className="kn-mono">
        {image.id}
      </span>,
    ],
    [
      details.visibility,
      <Fragment key="fragment">
        {label} <span className="kn-muted kn-small">{hint}</span> {image.hidden && <Label isCompact>{words.hidden}</Label>}
      </Fragment>,
    ],
    [details.protected, image.protected ? details.yes : details.no],
    [
      details.project,
      image.project?.name ?? (
        <span key="project" className="kn-mono">
          {image.projectId}
        </span>
      ),
    ],
    [
      details.tags,
      image.tags.length === 0 ? (
        words.nothing
      ) : (
        <LabelGroup key="tags" aria-label={details.tags} numLabels={20}>
          {image.tags.map((tag) => (
            <Label key={tag} isCompact>
              {tag}
            </Label>
          ))}
        </LabelGroup>
      ),
    ],
    [details.format, image.diskFormat ?? words.nothing],
    [details.container, image.containerFormat ?? words.nothing],
    [details.size, formatBytes(image.sizeBytes)],
    [details.virtualSize, formatBytes(image.virtualSizeBytes)],
    [
      details.checksum,
      image.hashValue === null ? (
        words.nothing
      ) : (
        <span key="checksum" className="kn-mono kn-small">{`${image.hashAlgorithm}:${image.hashValue}`}</span>
      ),
    ],
    [details.leastMemory, image.minRamMb === 0 ? words.nothing : formatMb(image.minRamMb)],
    [details.leastDisk, image.minDiskGb === 0 ? words.nothing : words.gigabytesDisk(image.minDiskGb)],
    [details.created, <Time key="fact-5" value={image.createdAt} />],
    [details.changed, <Time key="fact-6" value={image.updatedAt} />],
  ] as const
}
