/** Chooses the columns of a list. */
import { Button, MenuFooter, MenuToggle, Select, SelectList, SelectOption } from '@patternfly/react-core'
import { useState } from 'react'
import { text } from '../text/text.js'

interface ColumnChooserProps<Key extends string> {
  columns: readonly { key: Key; label: string }[]
  chosen: readonly Key[]
  onChange: (chosen: Key[]) => void
  onReset: () => void
}

export function ColumnChooser<Key extends string>({ columns, chosen, onChange, onReset }: ColumnChooserProps<Key>) {
  const [open, setOpen] = useState(false)
  return (
    <Select
      isOpen={open}
      onOpenChange={setOpen}
      isScrollable
      selected={chosen}
      onSelect={(_event, value) =>
        onChange(columns.map(({ key }) => key).filter((key) => (key === value ? !chosen.includes(key) : chosen.includes(key))))
      }
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
          {text.servers.columnsMenu}
        </MenuToggle>
      )}
    >
      <SelectList aria-label={text.servers.columnsMenu}>
        {columns.map(({ key, label }) => (
          <SelectOption key={key} value={key} hasCheckbox isSelected={chosen.includes(key)}>
            {label}
          </SelectOption>
        ))}
      </SelectList>
      <MenuFooter>
        <Button variant="link" isInline onClick={onReset}>
          {text.servers.columnsReset}
        </Button>
      </MenuFooter>
    </Select>
  )
}
