/** Filters of the server list, its columns, and actions on the selected rows. */
import { MenuToggle, Select, SelectList, SelectOption, Toolbar, ToolbarContent, ToolbarFilter, ToolbarItem } from '@patternfly/react-core'
import { type ReactNode, useState } from 'react'
import { ColumnChooser } from '../components/column-chooser.js'
import { SavedViewsMenu } from '../components/saved-views-menu.js'
import { SettlingSearch } from '../components/settling-search.js'
import type { ServerStatus } from '../generated/graphql.js'
import { words as inWords } from '../lib/format.js'
import { text } from '../text/text.js'
import { columns } from './servers-cells.js'
import type { ColumnKey } from './servers-columns.js'
import { offeredStatuses, type ServersView, savableView, usualView } from './servers-view.js'

const words = text.servers

interface ServersToolbarProps {
  view: ServersView
  change: (part: Partial<ServersView>, kind?: 'step' | 'typing') => void
  show: (query: string) => void
  /** Columns that this viewer may see. */
  offered: readonly ColumnKey[]
  shown: readonly ColumnKey[]
  bulk: ReactNode
  pager: ReactNode
}

export function ServersToolbar({ view, change, show, offered, shown, bulk, pager }: ServersToolbarProps) {
  const { statuses, locked } = view
  const toggle = (status: ServerStatus): void =>
    change({ statuses: statuses.includes(status) ? statuses.filter((one) => one !== status) : [...statuses, status] })
  const lockLabels = locked === null ? [] : [locked ? words.isLocked.yes : words.isLocked.no]
  return (
    <Toolbar
      clearAllFilters={() => change({ statuses: [], locked: null, tag: '', search: '' })}
      clearFiltersButtonText={words.filters.clear}
      numberOfFiltersText={words.filters.applied}
      inset={{ default: 'insetNone' }}
    >
      <ToolbarContent>
        <ToolbarItem>
          <SettlingSearch
            label={words.filters.search}
            placeholder={words.filters.searchHint}
            value={view.search}
            onChange={(search) => change({ search }, 'typing')}
          />
        </ToolbarItem>
        <ToolbarFilter
          categoryName={words.filters.status}
          labels={statuses.map((status) => ({ key: status, node: inWords(status) }))}
          deleteLabel={(_category, label) => {
            const found = statuses.find((status) => status === (typeof label === 'string' ? label : label.key))
            if (found !== undefined) toggle(found)
          }}
          deleteLabelGroup={() => change({ statuses: [] })}
        >
          <Choice
            label={words.filters.status}
            options={offeredStatuses.map((status) => ({ value: status, label: inWords(status), isChosen: statuses.includes(status) }))}
            onToggle={toggle}
          />
        </ToolbarFilter>
        <ToolbarFilter categoryName={words.filters.lock} labels={lockLabels} deleteLabel={() => change({ locked: null })}>
          <Choice
            label={words.filters.lock}
            options={[
              { value: 'yes', label: words.isLocked.yes, isChosen: locked === true },
              { value: 'no', label: words.isLocked.no, isChosen: locked === false },
            ]}
            onToggle={(value) => change({ locked: (value === 'yes') === locked ? null : value === 'yes' })}
          />
        </ToolbarFilter>
        <ToolbarItem>
          <SettlingSearch
            label={words.filters.tag}
            placeholder={words.filters.anyTag}
            value={view.tag}
            onChange={(tag) => change({ tag }, 'typing')}
            isNarrow
          />
        </ToolbarItem>
        <ToolbarItem>
          <SavedViewsMenu list="servers" current={savableView(view)} onShow={show} />
        </ToolbarItem>
        <ToolbarItem>
          <ColumnChooser
            columns={offered.map((key) => ({ key, label: columns[key].label }))}
            chosen={shown}
            onChange={(chosen) => change({ columns: chosen, page: view.page, after: view.after })}
            onReset={() => change({ columns: usualView.columns, page: view.page, after: view.after })}
          />
        </ToolbarItem>
        {bulk}
        <ToolbarItem variant="pagination">{pager}</ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  )
}

interface ChoiceProps<Value extends string> {
  label: string
  options: readonly { value: Value; label: string; isChosen: boolean }[]
  onToggle: (value: Value) => void
}

function Choice<Value extends string>({ label, options, onToggle }: ChoiceProps<Value>) {
  const [open, setOpen] = useState(false)
  return (
    <Select
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={(_event, chosen) => {
        const option = options.find(({ value }) => value === chosen)
        if (option !== undefined) onToggle(option.value)
      }}
      selected={options.filter(({ isChosen }) => isChosen).map(({ value }) => value)}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
          {label}
        </MenuToggle>
      )}
    >
      <SelectList aria-label={label}>
        {options.map((option) => (
          <SelectOption key={option.value} value={option.value} hasCheckbox isSelected={option.isChosen}>
            {option.label}
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  )
}
