/** Extra specs or image properties as they are, each with what it means. */
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { text } from '../text/text.js'
import { type Definition, definitionOf } from './property-rules.js'

const words = text.properties

interface PropertyTableProps {
  label: string
  items: readonly { key: string; value: string }[]
  definitions: readonly Definition[]
}

export function PropertyTable({ label, items, definitions }: PropertyTableProps) {
  return (
    <Table aria-label={label} variant="compact">
      <Thead>
        <Tr>
          <Th>{words.keyColumn}</Th>
          <Th>{words.valueColumn}</Th>
          <Th>{words.meaning}</Th>
        </Tr>
      </Thead>
      <Tbody>
        {items.map(({ key, value }) => (
          <Tr key={key}>
            <Td dataLabel={words.keyColumn} className="kn-mono kn-break">
              {key}
            </Td>
            <Td dataLabel={words.valueColumn} className="kn-mono kn-break">
              {value}
            </Td>
            <Td dataLabel={words.meaning} className="kn-muted">
              {definitionOf(definitions, key)?.title ?? '—'}
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  )
}
