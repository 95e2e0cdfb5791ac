/** Which size; sizes too small for the chosen image stay visible with the reason. */
import { Radio, SearchInput } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { FieldMessage } from '../components/fields.js'
import type { FlavorFieldsFragment, ImageFieldsFragment } from '../generated/graphql.js'
import { formatMb } from '../lib/format.js'

const bytesPerGb = 2 ** 30

/** Why the flavor cannot be used with the image, or null. */
export function flavorRefusal(flavor: FlavorFieldsFragment, image: ImageFieldsFragment | null): string | null {
  if (flavor.disabled) return 'Disabled by the administrator.'
  if (image === null) return null
  if (flavor.ramMb < image.minRamMb) return `The image needs ${formatMb(image.minRamMb)} of memory.`
  if (flavor.diskGb === 0) return null
  const neededGb = Math.max(image.minDiskGb, Math.ceil(Number(image.virtualSizeBytes ?? 0) / bytesPerGb))
  return flavor.diskGb < neededGb ? `The image needs ${neededGb} GB of disk.` : null
}

interface FlavorPickerProps {
  flavors: readonly FlavorFieldsFragment[]
  image: ImageFieldsFragment | null
  flavorId: string | null
  onChange: (flavorId: string) => void
  error: string | undefined
}

export function FlavorPicker({ flavors, image, flavorId, onChange, error }: FlavorPickerProps) {
  const [search, setSearch] = useState('')
  const wanted = search.trim().toLowerCase()
  const shown = flavors.filter((flavor) => wanted === '' || flavor.name.toLowerCase().includes(wanted))
  return (
    <fieldset className="kn-fieldset" aria-describedby={error === undefined ? undefined : 'launch-flavor-message'}>
      <legend>
        Flavor <span aria-hidden="true">*</span>
      </legend>
      {flavors.length > 8 && (
        <SearchInput
          aria-label="Search flavors"
          placeholder="Flavor name"
          value={search}
          onChange={(_event, value) => setSearch(value)}
          onClear={() => setSearch('')}
          className="kn-gap-below"
        />
      )}
      <FieldMessage id="launch-flavor" error={error} />
      <div className="kn-scroll">
        <Table aria-label="Flavors to choose from" variant="compact">
          <Thead>
            <Tr>
              <Th>Name</Th>
              <Th>vCPUs</Th>
              <Th>Memory</Th>
              <Th>Root disk</Th>
              <Th modifier="nowrap">Ephemeral</Th>
            </Tr>
          </Thead>
          <Tbody>
            {shown.map((flavor, index) => {
              const refusal = flavorRefusal(flavor, image)
              return (
                <Tr key={flavor.id}>
                  <Td dataLabel="Name" className="kn-break">
                    <Radio
                      id={`flavor-${flavor.id}`}
                      name="flavor"
                      label={flavor.name}
                      description={refusal ?? undefined}
                      isDisabled={refusal !== null}
                      isChecked={flavor.id === flavorId}
                      isValid={error === undefined}
                      data-invalid={error !== undefined && (flavor.id === flavorId || (flavorId === null && index === 0))}
                      onChange={() => onChange(flavor.id)}
                    />
                  </Td>
                  <Td dataLabel="vCPUs">{flavor.vcpus}</Td>
                  <Td dataLabel="Memory">{formatMb(flavor.ramMb)}</Td>
                  <Td dataLabel="Root disk">{flavor.diskGb === 0 ? 'Of the image' : `${flavor.diskGb} GB`}</Td>
                  <Td dataLabel="Ephemeral">{flavor.ephemeralGb === 0 ? '—' : `${flavor.ephemeralGb} GB`}</Td>
                </Tr>
              )
            })}
          </Tbody>
        </Table>
      </div>
      {shown.length === 0 && <p className="kn-muted">{flavors.length === 0 ? 'There are no flavors.' : 'No flavor matches.'}</p>}
    </fieldset>
  )
}
