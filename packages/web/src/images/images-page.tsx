/** Images: what servers boot from. */
import { useQuery } from '@apollo/client/react'
import { Button, Label, PageSection, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import ImageIcon from '@patternfly/react-icons/dist/esm/icons/image-icon'
import { Table, Tbody, Td, Th, Thead, type ThProps, Tr } from '@patternfly/react-table'
import { useCallback, useState } from 'react'
import { Link } from 'react-router'
import { FilterSelect } from '../components/filter-select.js'
import { ImageStatusLabel } from '../components/labels.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { SettlingSearch } from '../components/settling-search.js'
import { ErrorNotice, Forbidden, Loading, Nothing, NothingMatches } from '../components/states.js'
import { Time } from '../components/time.js'
import { useUrlFilters } from '../components/use-url-filters.js'
import type { ImageFilter, ImageSortKey, SortDirection } from '../generated/graphql.js'
import { formatBytes, formatMb } from '../lib/format.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { imagesQuery } from './image.documents.js'
import { imageName, imagePath } from './image-name.js'
import { ImageUploadState } from './image-upload-state.js'
import { UploadImageDialog } from './upload-image-dialog.js'
import { useImageActions } from './use-image-actions.js'

const words = text.images
const sortKeys: ImageSortKey[] = ['NAME', 'STATUS', 'SIZE_BYTES', 'DISK_FORMAT', 'CREATED_AT']

/** Lists beside that of the images one uses: what others offer, by one's answer, and what was put out of sight. */
const kinds: readonly { value: string; label: string; filter: ImageFilter }[] = [
  { value: 'offered', label: words.which.PENDING, filter: { memberStatus: 'PENDING' } },
  { value: 'accepted', label: words.which.ACCEPTED, filter: { memberStatus: 'ACCEPTED' } },
  { value: 'rejected', label: words.which.REJECTED, filter: { memberStatus: 'REJECTED' } },
  { value: 'hidden', label: words.which.hidden, filter: { hidden: true } },
]

export function ImagesPage() {
  const mayList = useMay('image:get_images')
  const mayCreate = useMay('image:add_image')
  const { values, change, clear, paging } = useUrlFilters(['search', 'which'])
  const wanted = values.search
  const kind = kinds.find(({ value }) => value === values.which)
  const [sort, setSort] = useState<{ key: ImageSortKey; direction: SortDirection }>({ key: 'CREATED_AT', direction: 'DESC' })
  const [creating, setCreating] = useState(false)
  const { data, previousData, error, refetch } = useQuery(imagesQuery, {
    skip: !mayList,
    variables: {
      first: paging.perPage,
      after: paging.after,
      filter: { ...kind?.filter, ...(wanted === '' ? {} : { name: wanted }) },
      orderBy: [sort],
    },
  })
  useLiveRefetch(
    () => refetch(),
    (signal) =>
      (signal.topic === 'object' && signal.subject === 'IMAGE') ||
      (signal.topic === 'operation' && signal.operation.kind === 'IMPORT_IMAGE'),
  )
  const stopCreating = useCallback(() => setCreating(false), [])
  const uploaded = useCallback((name: string) => showToast('success', words.upload.ready(name)), [])
  const { actionsOf, dialog } = useImageActions({ onChanged: () => void refetch(), onDeleted: () => refetch() })
  if (!mayList) return <Forbidden />

  const images = (data ?? previousData)?.images
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
        title={words.title}
        actions={mayCreate ? <Button onClick={() => setCreating(true)}>{words.upload.create}</Button> : undefined}
      />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
            <ToolbarItem>
              <SettlingSearch
                label={words.search}
                placeholder={words.searchHint}
                value={wanted}
                onChange={(search) => change({ search }, 'typing')}
              />
            </ToolbarItem>
            <ToolbarItem>
              <FilterSelect
                label={words.which.label}
                any={words.which.usable}
                value={kind?.value ?? ''}
                options={kinds}
                onChange={(which) => change({ which })}
              />
            </ToolbarItem>
            <ToolbarItem variant="pagination">
              <Pager what={words.what} paging={paging} total={images?.totalCount ?? 0} endCursor={images?.pageInfo.endCursor ?? null} />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {images === undefined ? (
          error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : images.nodes.length === 0 && wanted !== '' ? (
          <NothingMatches what={words.what} clear={clear} />
        ) : images.nodes.length === 0 ? (
          <Nothing title={kind === undefined ? words.none : words.noneOffered} icon={ImageIcon}>
            {kind === undefined ? words.noneHint : words.noneOfferedHint}
          </Nothing>
        ) : (
          <Table aria-label={words.title} variant="compact">
            <Thead>
              <Tr>
                <Th sort={sorted('NAME')}>{words.columns.name}</Th>
                <Th sort={sorted('STATUS')}>{words.columns.status}</Th>
                <Th sort={sorted('DISK_FORMAT')}>{words.columns.format}</Th>
                <Th sort={sorted('SIZE_BYTES')}>{words.columns.size}</Th>
                <Th>{words.columns.needs}</Th>
                <Th sort={sorted('CREATED_AT')}>{words.columns.created}</Th>
                <Th screenReaderText={words.actions} />
              </Tr>
            </Thead>
            <Tbody>
              {images.nodes.map((image) => (
                <Tr key={image.id}>
                  <Td dataLabel={words.columns.name} className="kn-break">
                    <Link to={imagePath(image.id)}>{imageName(image)}</Link>{' '}
                    {image.visibility !== 'PRIVATE' && <Label isCompact>{words.visibility[image.visibility].label}</Label>}{' '}
                    {image.protected && <Label isCompact>{words.protected}</Label>}
                    <div className="kn-muted kn-small kn-mono">{image.id}</div>
                  </Td>
                  <Td dataLabel={words.columns.status}>
                    <ImageStatusLabel status={image.status} />
                    <ImageUploadState image={image} />
                  </Td>
                  <Td dataLabel={words.columns.format}>{image.diskFormat ?? words.nothing}</Td>
                  <Td dataLabel={words.columns.size}>
                    {formatBytes(image.sizeBytes)}
                    {image.virtualSizeBytes !== null && image.virtualSizeBytes !== image.sizeBytes && (
                      <div className="kn-muted kn-small">{words.diskOf(formatBytes(image.virtualSizeBytes))}</div>
                    )}
                  </Td>
                  <Td dataLabel={words.columns.needs}>
                    {image.minRamMb === 0 && image.minDiskGb === 0
                      ? words.nothing
                      : [image.minRamMb > 0 && formatMb(image.minRamMb), image.minDiskGb > 0 && words.gigabytesDisk(image.minDiskGb)]
                          .filter(Boolean)
                          .join(', ')}
                  </Td>
                  <Td dataLabel={words.columns.created}>
                    <Time value={image.createdAt} />
                  </Td>
                  <Td isActionCell>
                    <RowActions label={words.actionsFor(imageName(image))} actions={actionsOf(image)} />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
      {creating && <UploadImageDialog image={null} onClose={stopCreating} onDone={uploaded} onChanged={() => void refetch()} />}
      {dialog}
    </>
  )
}
