/** Which image to boot. */
import { useQuery } from '@apollo/client/react'
import { Radio, SearchInput } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { Link } from 'react-router'
import { FieldMessage } from '../components/fields.js'
import { ErrorNotice, Loading } from '../components/states.js'
import { imagesQuery } from '../images/image.documents.js'
import { formatBytes, formatMb } from '../lib/format.js'
import { useDebounced } from '../lib/use-debounced.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'

const words = text.launch.images

const shownAtOnce = 50

interface ImagePickerProps {
  imageId: string | null
  onChange: (imageId: string) => void
  error: string | undefined
}

export function ImagePicker({ imageId, onChange, error: fieldError }: ImagePickerProps) {
  const [search, setSearch] = useState('')
  const wanted = useDebounced(search.trim())
  const { data, previousData, error, refetch } = useQuery(imagesQuery, {
    variables: {
      first: shownAtOnce,
      filter: { status: ['ACTIVE'], ...(wanted === '' ? {} : { name: wanted }) },
      orderBy: [{ key: 'NAME', direction: 'ASC' }],
    },
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'IMAGE',
  )
  const images = (data ?? previousData)?.images
  return (
    <fieldset className="kn-fieldset" aria-describedby={fieldError === undefined ? undefined : 'launch-image-message'}>
      <legend>
        {text.launch.fields.image} <span aria-hidden="true">*</span>
      </legend>
      <SearchInput
        aria-label={words.search}
        placeholder={words.searchHint}
        value={search}
        onChange={(_event, value) => setSearch(value)}
        onClear={() => setSearch('')}
        className="kn-gap-below"
      />
      <FieldMessage id="launch-image" error={fieldError} />
      {images === undefined ? (
        error === undefined ? (
          <Loading what={words.what} />
        ) : (
          <ErrorNotice what={words.the} error={error} retry={() => void refetch()} />
        )
      ) : images.nodes.length === 0 ? (
        <p className="kn-muted" data-invalid={fieldError !== undefined} tabIndex={-1}>
          {wanted === '' ? (
            <>
              {words.none} <Link to="/images">{words.create}</Link>; {words.kept}
            </>
          ) : (
            words.noneMatch
          )}
        </p>
      ) : (
        <div className="kn-scroll">
          <Table aria-label={words.list} variant="compact">
            <Thead>
              <Tr>
                <Th>{words.columns.name}</Th>
                <Th>{words.columns.format}</Th>
                <Th>{words.columns.size}</Th>
                <Th>{words.columns.minRam}</Th>
                <Th>{words.columns.minDisk}</Th>
              </Tr>
            </Thead>
            <Tbody>
              {images.nodes.map((image, index) => (
                <Tr key={image.id}>
                  <Td dataLabel={words.columns.name} className="kn-break">
                    <Radio
                      id={`image-${image.id}`}
                      name="image"
                      label={image.name ?? image.id}
                      isChecked={image.id === imageId}
                      isValid={fieldError === undefined}
                      data-invalid={fieldError !== undefined && index === 0}
                      onChange={() => onChange(image.id)}
                    />
                  </Td>
                  <Td dataLabel={words.columns.format}>{image.diskFormat ?? '—'}</Td>
                  <Td dataLabel={words.columns.size}>{formatBytes(image.sizeBytes)}</Td>
                  <Td dataLabel={words.columns.minRam}>{image.minRamMb === 0 ? '—' : formatMb(image.minRamMb)}</Td>
                  <Td dataLabel={words.columns.minDisk}>{image.minDiskGb === 0 ? '—' : `${image.minDiskGb} GB`}</Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        </div>
      )}
      {images !== undefined && images.totalCount > images.nodes.length && (
        <p className="kn-muted kn-small">
          {images.nodes.length} of {images.totalCount} images; search to find others.
        </p>
      )}
    </fieldset>
  )
}
