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
        Image <span aria-hidden="true">*</span>
      </legend>
      <SearchInput
        aria-label="Search images"
        placeholder="Image name"
        value={search}
        onChange={(_event, value) => setSearch(value)}
        onClear={() => setSearch('')}
        className="kn-gap-below"
      />
      <FieldMessage id="launch-image" error={fieldError} />
      {images === undefined ? (
        error === undefined ? (
          <Loading what="images" />
        ) : (
          <ErrorNotice what="The images" error={error} retry={() => void refetch()} />
        )
      ) : images.nodes.length === 0 ? (
        <p className="kn-muted" data-invalid={fieldError !== undefined} tabIndex={-1}>
          {wanted === '' ? (
            <>
              There is no image to boot yet. <Link to="/images">Create one</Link>; what you entered here is kept.
            </>
          ) : (
            'No image matches.'
          )}
        </p>
      ) : (
        <div className="kn-scroll">
          <Table aria-label="Images to choose from" variant="compact">
            <Thead>
              <Tr>
                <Th>Name</Th>
                <Th>Format</Th>
                <Th>Size</Th>
                <Th>Min. RAM</Th>
                <Th>Min. disk</Th>
              </Tr>
            </Thead>
            <Tbody>
              {images.nodes.map((image, index) => (
                <Tr key={image.id}>
                  <Td dataLabel="Name" className="kn-break">
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
                  <Td dataLabel="Format">{image.diskFormat ?? '—'}</Td>
                  <Td dataLabel="Size">{formatBytes(image.sizeBytes)}</Td>
                  <Td dataLabel="Min. RAM">{image.minRamMb === 0 ? '—' : formatMb(image.minRamMb)}</Td>
                  <Td dataLabel="Min. disk">{image.minDiskGb === 0 ? '—' : `${image.minDiskGb} GB`}</Td>
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
