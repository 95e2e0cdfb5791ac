/** Rows of extra specs or image properties: known keys and values are offered and explained, others can be typed as well. */
import { Button, TextInput } from '@patternfly/react-core'
import PlusCircleIcon from '@patternfly/react-icons/dist/esm/icons/plus-circle-icon'
import TrashIcon from '@patternfly/react-icons/dist/esm/icons/trash-icon'
import { FieldMessage } from '../components/fields.js'
import { type KeyValueRow, newRow } from '../components/key-value-rows.js'
import { text } from '../text/text.js'
import { type Definition, definitionOf, meaningOf, offeredValues, refusalOfKey, refusalOfValue } from './property-rules.js'

const words = text.properties

export interface RowFault {
  at: 'key' | 'value'
  message: string
}
/** What is wrong, by row. */
export type RowFaults = ReadonlyMap<number, RowFault>

const isFilled = ({ key, value }: KeyValueRow): boolean => key !== '' || value !== ''
/** Rows with something in them; blanks around a key are nobody's intent. */
export const typedRows = (rows: readonly KeyValueRow[]): KeyValueRow[] =>
  rows.map((row) => ({ ...row, key: row.key.trim() })).filter(isFilled)

/** What is wrong with the rows, as far as the catalog tells. */
export function faultsOf(rows: readonly KeyValueRow[], definitions: readonly Definition[]): RowFaults {
  const faults = new Map<number, RowFault>()
  const seen = new Set<string>()
  for (const { id, key, value } of typedRows(rows)) {
    const definition = definitionOf(definitions, key)
    const wrongKey = seen.has(key) ? words.twice(key) : refusalOfKey(definition, key)
    seen.add(key)
    const wrongValue = definition === undefined ? null : refusalOfValue(definition, value)
    if (wrongKey !== null) faults.set(id, { at: 'key', message: wrongKey })
    else if (wrongValue !== null) faults.set(id, { at: 'value', message: wrongValue })
  }
  return faults
}

/** The row that the cloud names by its place in the list that was sent, for example `input.extraSpecs.2.value`; null: none. */
export function faultAt(paths: readonly string[], field: string, sent: readonly KeyValueRow[], message: string): RowFaults | null {
  for (const path of paths) {
    const [, index, half] = new RegExp(`^input\\.${field}\\.(\\d+)(?:\\.(key|value))?$`).exec(path) ?? []
    const row = sent[Number(index ?? -1)]
    if (row !== undefined) return new Map([[row.id, { at: half === 'value' ? 'value' : 'key', message }]])
  }
  return null
}

interface PropertyRowsProps {
  id: string
  /** For example "Extra spec". */
  noun: string
  rows: readonly KeyValueRow[]
  onChange: (rows: KeyValueRow[]) => void
  definitions: readonly Definition[]
  faults: RowFaults
}

export function PropertyRows({ id, noun, rows, onChange, definitions, faults }: PropertyRowsProps) {
  const taken = new Set(rows.map((row) => row.key))
  return (
    <div>
      <datalist id={`${id}-keys`}>
        {definitions
          .filter(({ key }) => !taken.has(key))
          .map(({ key, title }) => (
            <option key={key} value={key}>
              {title}
            </option>
          ))}
      </datalist>
      {rows.map((row, index) => (
        <OneRow
          key={row.id}
          id={`${id}-${row.id}`}
          keysId={`${id}-keys`}
          noun={noun}
          number={index + 1}
          row={row}
          definition={definitionOf(definitions, row.key.trim())}
          knowsKeys={definitions.length > 0}
          fault={faults.get(row.id)}
          onChange={(part) => onChange(rows.map((other) => (other.id === row.id ? { ...other, ...part } : other)))}
          onRemove={() => onChange(rows.filter((other) => other.id !== row.id))}
        />
      ))}
      <Button variant="link" isInline icon={<PlusCircleIcon />} onClick={() => onChange([...rows, newRow()])}>
        {words.add(noun)}
      </Button>
    </div>
  )
}

interface OneRowProps {
  id: string
  keysId: string
  noun: string
  number: number
  row: KeyValueRow
  definition: Definition | undefined
  knowsKeys: boolean
  fault: RowFault | undefined
  onChange: (part: Partial<KeyValueRow>) => void
  onRemove: () => void
}

function OneRow({ id, keysId, noun, number, row, definition, knowsKeys, fault, onChange, onRemove }: OneRowProps) {
  const values = definition === undefined ? [] : offeredValues(definition)
  const help = definition !== undefined ? meaningOf(definition) : row.key.trim() !== '' && knowsKeys ? words.unknown : undefined
  const described = fault === undefined && help === undefined ? {} : { 'aria-describedby': `${id}-message` }
  const validated = (at: RowFault['at']) => (fault?.at === at ? 'error' : 'default')
  return (
    <div className="kn-gap-below">
      <div className="kn-key-value">
        <TextInput
          id={id}
          aria-label={words.key(noun, number)}
          placeholder={words.keyHint}
          list={keysId}
          autoComplete="off"
          spellCheck={false}
          value={row.key}
          validated={validated('key')}
          {...described}
          onChange={(_event, key) => onChange({ key })}
        />
        <TextInput
          id={`${id}-value`}
          aria-label={words.value(noun, number)}
          placeholder={definition?.defaultValue ?? words.valueHint}
          {...(values.length === 0 ? {} : { list: `${id}-values` })}
          autoComplete="off"
          spellCheck={false}
          value={row.value}
          validated={validated('value')}
          {...described}
          onChange={(_event, value) => onChange({ value })}
        />
        <Button variant="plain" icon={<TrashIcon />} aria-label={words.remove(noun, number)} onClick={onRemove} />
      </div>
      {values.length > 0 && (
        <datalist id={`${id}-values`}>
          {values.map(({ value, description }) => (
            <option key={value} value={value}>
              {description}
            </option>
          ))}
        </datalist>
      )}
      <FieldMessage id={id} error={fault?.message} help={help} />
    </div>
  )
}
