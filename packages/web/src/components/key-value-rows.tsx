/** Rows of keys and values: metadata, extra specs. */
import { Button, TextInput } from '@patternfly/react-core'
import PlusCircleIcon from '@patternfly/react-icons/dist/esm/icons/plus-circle-icon'
import TrashIcon from '@patternfly/react-icons/dist/esm/icons/trash-icon'
import { FieldMessage } from './fields.js'

export interface KeyValueRow {
  /** Only tells rows apart while they are edited. */
  id: number
  key: string
  value: string
}

let nextRow = 1
export const newRow = (key = '', value = ''): KeyValueRow => ({ id: nextRow++, key, value })

export const filledRows = (rows: readonly KeyValueRow[]): { key: string; value: string }[] =>
  rows.filter((row) => row.key !== '' || row.value !== '').map(({ key, value }) => ({ key, value }))

interface KeyValueRowsProps {
  id: string
  /** For example "Extra spec". */
  noun: string
  rows: readonly KeyValueRow[]
  onChange: (rows: KeyValueRow[]) => void
  error?: string | undefined
  help?: string
}

export function KeyValueRows({ id, noun, rows, onChange, error, help }: KeyValueRowsProps) {
  const change = (rowId: number, part: Partial<KeyValueRow>): void =>
    onChange(rows.map((row) => (row.id === rowId ? { ...row, ...part } : row)))
  return (
    <div>
      {rows.map((row, index) => (
        <div className="kn-key-value" key={row.id}>
          <TextInput
            id={index === 0 ? id : `${id}-${row.id}`}
            aria-label={`${noun} ${index + 1} key`}
            placeholder="Key"
            value={row.key}
            validated={error === undefined ? 'default' : 'error'}
            aria-describedby={error === undefined ? undefined : `${id}-message`}
            onChange={(_event, key) => change(row.id, { key })}
          />
          <TextInput
            id={`${id}-${row.id}-value`}
            aria-label={`${noun} ${index + 1} value`}
            placeholder="Value"
            value={row.value}
            onChange={(_event, value) => change(row.id, { value })}
          />
          <Button
            variant="plain"
            icon={<TrashIcon />}
            aria-label={`Remove ${noun.toLowerCase()} ${index + 1}`}
            onClick={() => onChange(rows.filter((other) => other.id !== row.id))}
          />
        </div>
      ))}
      <Button variant="link" isInline icon={<PlusCircleIcon />} onClick={() => onChange([...rows, newRow()])}>
        Add {noun.toLowerCase()}
      </Button>
      <FieldMessage id={id} error={error} help={help} />
    </div>
  )
}
