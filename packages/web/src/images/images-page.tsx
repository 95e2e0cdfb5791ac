/** Images: what servers boot from. */
import { useMutation, useQuery } from '@apollo/client/react'
import {
  Button,
  Label,
  PageSection,
  Progress,
  ProgressMeasureLocation,
  SearchInput,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from '@patternfly/react-core'
import ImageIcon from '@patternfly/react-icons/dist/esm/icons/image-icon'
import { Table, Tbody, Td, Th, Thead, type ThProps, Tr } from '@patternfly/react-table'
import { useCallback, useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { ImageStatusLabel } from '../components/labels.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { Time } from '../components/time.js'
import { usePaging } from '../components/use-paging.js'
import type { ImageFieldsFragment, ImageSortKey, SortDirection } from '../generated/graphql.js'
import { formatBytes, formatMb } from '../lib/format.js'
import { randomKey } from '../lib/keys.js'
import { ownOrigin } from '../lib/own-origin.js'
import { problemOf } from '../lib/problem.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { useDebounced } from '../lib/use-debounced.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { createImageDownloadMutation, deleteImageMutation, imagesQuery } from './image.documents.js'
import { UploadImageDialog } from './upload-image-dialog.js'

const sortKeys: ImageSortKey[] = ['NAME', 'STATUS', 'SIZE_BYTES', 'DISK_FORMAT', 'CREATED_AT']
const imageName = (image: { id: string; name: string | null }): string => image.name ?? image.id

export function ImagesPage() {
  const mayList = useMay('image:get_images')
  const mayCreate = useMay('image:add_image')
  const mayDelete = useMay('image:delete_image')
  const isAdmin = useMay('context_is_admin')
  const { project } = useViewer()
  const paging = usePaging()
  const [search, setSearch] = useState('')
  const [sort, setSort] = useState<{ key: ImageSortKey; direction: SortDirection }>({ key: 'CREATED_AT', direction: 'DESC' })
  const [uploading, setUploading] = useState<{ image: ImageFieldsFragment | null } | null>(null)
  const [deleting, setDeleting] = useState<ImageFieldsFragment | null>(null)
  const [remove] = useMutation(deleteImageMutation)
  const [createDownload] = useMutation(createImageDownloadMutation)
  const wanted = useDebounced(search.trim())
  const { data, previousData, error, refetch } = useQuery(imagesQuery, {
    skip: !mayList,
    variables: { first: paging.perPage, after: paging.after, filter: wanted === '' ? {} : { name: wanted }, orderBy: [sort] },
  })
  useLiveRefetch(
    () => refetch(),
    (signal) =>
      (signal.topic === 'object' && signal.subject === 'IMAGE') ||
      (signal.topic === 'operation' && signal.operation.kind === 'IMPORT_IMAGE'),
  )
  const closeUpload = useCallback(() => setUploading(null), [])
  const uploaded = useCallback((name: string) => showToast('success', `Image ${name} is ready.`), [])
  if (!mayList) return <Forbidden />

  const images = (data ?? previousData)?.images
  const download = async (image: ImageFieldsFragment): Promise<void> => {
    try {
      const answer = await createDownload({ variables: { input: { imageId: image.id, idempotencyKey: randomKey() } } })
      const url = answer.data?.createImageDownload.url
      if (url !== undefined) location.assign(ownOrigin(url))
    } catch (failure) {
      showToast('danger', `${imageName(image)} cannot be downloaded.`, problemOf(failure).message)
    }
  }
  const ownReason = (image: ImageFieldsFragment): string | null =>
    !mayDelete ? 'Your roles do not allow it.' : image.projectId === project?.id || isAdmin ? null : 'It belongs to another project.'
  const actionsOf = (image: ImageFieldsFragment) => [
    {
      label: 'Upload data',
      onSelect: () => setUploading({ image }),
      disabledReason: ownReason(image) ?? (image.status === 'QUEUED' ? null : 'Only an image without data takes some.'),
    },
    {
      label: 'Download',
      onSelect: () => void download(image),
      disabledReason: image.status === 'ACTIVE' ? null : 'The image has no data yet.',
    },
    {
      label: 'Delete',
      onSelect: () => setDeleting(image),
      disabledReason: ownReason(image) ?? (image.protected ? 'The image is protected.' : null),
      isDanger: true,
    },
  ]
  const sorted = (key: ImageSortKey): ThProps['sort'] => ({
    columnIndex: sortKeys.indexOf(key),
    sortBy: { index: sortKeys.indexOf(sort.key), direction: sort.direction === 'ASC' ? 'asc' : 'desc' },
    onSort: (_event, _index, direction) => {
      setSort({ key, direction: direction === 'asc' ? 'ASC' : 'DESC' })
      paging.reset()
    },
  })
  return (
    <>
      <PageTitle
        title="Images"
        actions={mayCreate ? <Button onClick={() => setUploading({ image: null })}>Create image</Button> : undefined}
      />
      <PageSection hasBodyWrapper={false} aria-label="List of images">
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
            <ToolbarItem>
              <SearchInput
                aria-label="Search name"
                placeholder="Name"
                value={search}
                onChange={(_event, value) => {
                  setSearch(value)
                  paging.reset()
                }}
                onClear={() => setSearch('')}
              />
            </ToolbarItem>
            <ToolbarItem variant="pagination">
              <Pager what="images" paging={paging} total={images?.totalCount ?? 0} endCursor={images?.pageInfo.endCursor ?? null} />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {images === undefined ? (
          error === undefined ? (
            <Loading what="images" />
          ) : (
            <ErrorNotice what="The images" error={error} retry={() => void refetch()} />
          )
        ) : images.nodes.length === 0 && wanted !== '' ? (
          <NothingMatches what="images" clear={() => setSearch('')} />
        ) : images.nodes.length === 0 ? (
          <Nothing title="No images yet" icon={ImageIcon}>
            An image is the disk a server begins with. Create one from a file.
          </Nothing>
        ) : (
          <Table aria-label="Images" variant="compact">
            <Thead>
              <Tr>
                <Th sort={sorted('NAME')}>Name</Th>
                <Th sort={sorted('STATUS')}>Status</Th>
                <Th sort={sorted('DISK_FORMAT')}>Format</Th>
                <Th sort={sorted('SIZE_BYTES')}>Size</Th>
                <Th>Needs</Th>
                <Th sort={sorted('CREATED_AT')}>Created</Th>
                <Th screenReaderText="Actions" />
              </Tr>
            </Thead>
            <Tbody>
              {images.nodes.map((image) => (
                <Tr key={image.id}>
                  <Td dataLabel="Name" className="kn-break">
                    {imageName(image)} {image.visibility === 'PUBLIC' && <Label isCompact>Public</Label>}{' '}
                    {image.protected && <Label isCompact>Protected</Label>}
                    <div className="kn-muted kn-small kn-mono">{image.id}</div>
                  </Td>
                  <Td dataLabel="Status">
                    <ImageStatusLabel status={image.status} />
                    {image.status === 'UPLOADING' && image.upload?.progressPercent != null && (
                      <Progress
                        aria-label={`Upload of ${imageName(image)}`}
                        size="sm"
                        value={image.upload.progressPercent}
                        measureLocation={ProgressMeasureLocation.outside}
                      />
                    )}
                    {image.status !== 'ACTIVE' && image.upload?.error != null && (
                      <div className="kn-small kn-break">{image.upload.error.message}</div>
                    )}
                  </Td>
                  <Td dataLabel="Format">{image.diskFormat ?? '—'}</Td>
                  <Td dataLabel="Size">
                    {formatBytes(image.sizeBytes)}
                    {image.virtualSizeBytes !== null && image.virtualSizeBytes !== image.sizeBytes && (
                      <div className="kn-muted kn-small">disk of {formatBytes(image.virtualSizeBytes)}</div>
                    )}
                  </Td>
                  <Td dataLabel="Needs">
                    {image.minRamMb === 0 && image.minDiskGb === 0
                      ? '—'
                      : [image.minRamMb > 0 && formatMb(image.minRamMb), image.minDiskGb > 0 && `${image.minDiskGb} GB disk`]
                          .filter(Boolean)
                          .join(', ')}
                  </Td>
                  <Td dataLabel="Created">
                    <Time value={image.createdAt} />
                  </Td>
                  <Td isActionCell>
                    <RowActions label={`Actions for ${imageName(image)}`} actions={actionsOf(image)} />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
      {uploading !== null && (
        <UploadImageDialog image={uploading.image} onClose={closeUpload} onDone={uploaded} onChanged={() => void refetch()} />
      )}
      {deleting !== null && (
        <ConfirmDialog
          title="Delete this image?"
          confirmLabel="Delete"
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await remove({ variables: { input: { imageId: deleting.id, idempotencyKey: randomKey() } } })
            showToast('success', `Image ${imageName(deleting)} deleted.`)
            await refetch()
          }}
        >
          <p className="kn-break">{imageName(deleting)} and its data will be gone. Servers made from it are not touched.</p>
        </ConfirmDialog>
      )}
    </>
  )
}
