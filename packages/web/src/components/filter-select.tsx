/** A filter with one choice, or none. */
import { FormSelect, FormSelectOption } from '@patternfly/react-core'

interface FilterSelectProps {
  label: string
  /** How "not filtered" is called. */
  any: string
  value: string
  options: readonly { value: string; label: string }[]
  onChange: (value: string) => void
}

export function FilterSelect({ label, any, value, options, onChange }: FilterSelectProps) {
  return (
    <FormSelect aria-label={label} value={value} onChange={(_event, chosen) => onChange(chosen)}>
      <FormSelectOption value="" label={any} />
      {options.map((option) => (
        <FormSelectOption key={option.value} value={option.value} label={option.label} />
      ))}
    </FormSelect>
  )
}
