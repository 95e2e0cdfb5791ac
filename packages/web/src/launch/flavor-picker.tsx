/** Which size; sizes too small for the chosen image stay visible with the reason. */
import { Radio, SearchInput } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { FieldMessage } from '../components/fields.js'
import type { FlavorFieldsFragment, ImageFieldsFragment } from '../generated/graphql.js'
import { formatMb } from '../lib/format.js'
import { text } from '../text/text.js'

const words = text.launch.flavors

const bytesPerGb = 2 ** 30

/** Why the flavor cannot be used with the image, or null. */
export function flavorRefusal(flavor: FlavorFieldsFragment, image: ImageFieldsFragment | null): string | null {
  if (flavor.disabled) return words.disabled
  if (image === null) return null
  if (flavor.ramMb < image.minRamMb) return words.needsMemory(formatMb(image.minRamMb))
  if (flavor.diskGb === 0) return null
  const neededGb = Math.max(image.minDiskGb, Math.ceil(Number(image.virtualSizeBytes ?? 0) / bytesPerGb))
  return flavor.diskGb < neededGb ? words.needsDisk(neededGb) : null
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
        {text.launch.fields.flavor} <span aria-hidden="true">*</span>
      </legend>
      {flavors.length > 8 && (
        <SearchInput
          aria-label={words.search}
          placeholder={words.searchHint}
          value={search}
          onChange={(_event, value) => setSearch(value)}
          onClear={() => setSearch('')}
          className="kn-gap-below"
        />
      )}
      <FieldMessage id="launch-flavor" error={error} />
      <div className="kn-scroll">
        <Table aria-label={words.list} variant="compact">
          <Thead>
            <Tr>
              <Th>{words.columns.name}</Th>
              <Th>{words.columns.vcpus}</Th>
              <Th>{words.columns.memory}</Th>
              <Th>{words.columns.rootDisk}</Th>
              <Th modifier="nowrap">{words.columns.ephemeral}</Th>
            </Tr>
          </Thead>
          <Tbody>
            {shown.map((flavor, index) => {
              const refusal = flavorRefusal(flavor, image)
              return (
                <Tr key={flavor.id}>
                  <Td dataLabel={words.columns.name} className="kn-break">
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
                  <Td dataLabel={words.columns.vcpus}>{flavor.vcpus}</Td>
                  <Td dataLabel={words.columns.memory}>{formatMb(flavor.ramMb)}</Td>
                  <Td dataLabel={words.columns.rootDisk}>{flavor.diskGb === 0 ? words.ofTheImage : `${flavor.diskGb} GB`}</Td>
                  <Td dataLabel={words.columns.ephemeral}>{flavor.ephemeralGb === 0 ? '—' : `${flavor.ephemeralGb} GB`}</Td>
                </Tr>
              )
            })}
          </Tbody>
        </Table>
      </div>
      {shown.length === 0 && <p className="kn-muted">{flavors.length === 0 ? words.none : words.noneMatch}</p>}
    </fieldset>
  )
}
