/** Filters of the server list, and actions on the selected rows. */
import {
  Button,
  MenuToggle,
  SearchInput,
  Select,
  SelectList,
  SelectOption,
  Toolbar,
  ToolbarContent,
  ToolbarFilter,
  ToolbarItem,
} from '@patternfly/react-core'
import { type ReactNode, useState } from 'react'
import { RowActions } from '../components/row-actions.js'
import type { ServerRowFragment, ServerStatus } from '../generated/graphql.js'
import { plural, words } from '../lib/format.js'
import { refusalOf, type useServerActions } from './use-server-actions.js'

const offeredStatuses: ServerStatus[] = ['ACTIVE', 'BUILD', 'SHUTOFF', 'ERROR', 'REBOOT', 'HARD_REBOOT', 'UNKNOWN']

interface ServersToolbarProps {
  search: string
  onSearch: (search: string) => void
  statuses: readonly ServerStatus[]
  onStatuses: (statuses: ServerStatus[]) => void
  selected: readonly ServerRowFragment[]
  actions: ReturnType<typeof useServerActions>
  pager: ReactNode
}

export function ServersToolbar({ search, onSearch, statuses, onStatuses, selected, actions, pager }: ServersToolbarProps) {
  const [open, setOpen] = useState(false)
  const toggle = (status: ServerStatus): void =>
    onStatuses(statuses.includes(status) ? statuses.filter((one) => one !== status) : [...statuses, status])

  const bulk = (['START', 'STOP'] as const).map((action) => {
    const able = selected.filter((server) => refusalOf(server, action) === null)
    return {
      label: action === 'START' ? 'Start' : 'Stop',
      disabledReason: able.length === 0 ? 'Not possible for any of the selected servers now.' : null,
      onSelect: () => {
        for (const server of able) void (action === 'START' ? actions.run.start(server) : actions.run.stop(server))
      },
    }
  })
  return (
    <Toolbar clearAllFilters={() => onStatuses([])} clearFiltersButtonText="Clear statuses" inset={{ default: 'insetNone' }}>
      <ToolbarContent>
        <ToolbarItem>
          <SearchInput
            aria-label="Search name, id or address"
            placeholder="Name, id or address"
            value={search}
            onChange={(_event, value) => onSearch(value)}
            onClear={() => onSearch('')}
          />
        </ToolbarItem>
        <ToolbarFilter
          categoryName="Status"
          labels={statuses.map((status) => ({ key: status, node: words(status) }))}
          deleteLabel={(_category, label) => toggle((typeof label === 'string' ? label : label.key) as ServerStatus)}
          deleteLabelGroup={() => onStatuses([])}
        >
          <Select
            isOpen={open}
            onOpenChange={setOpen}
            onSelect={(_event, value) => toggle(value as ServerStatus)}
            selected={statuses}
            toggle={(ref) => (
              <MenuToggle ref={ref} isExpanded={open} onClick={() => setOpen(!open)}>
                Status
              </MenuToggle>
            )}
          >
            <SelectList aria-label="Status">
              {offeredStatuses.map((status) => (
                <SelectOption key={status} value={status} hasCheckbox isSelected={statuses.includes(status)}>
                  {words(status)}
                </SelectOption>
              ))}
            </SelectList>
          </Select>
        </ToolbarFilter>
        {selected.length > 0 && (
          <>
            <ToolbarItem>
              <RowActions label="Actions for the selected servers" text={plural(selected.length, 'selected', 'selected')} actions={bulk} />
            </ToolbarItem>
            <ToolbarItem>
              <Button
                variant="danger"
                onClick={() => actions.askDelete(selected.filter((server) => refusalOf(server, 'DELETE') === null))}
                isDisabled={selected.every((server) => refusalOf(server, 'DELETE') !== null)}
              >
                Delete selected
              </Button>
            </ToolbarItem>
          </>
        )}
        <ToolbarItem variant="pagination">{pager}</ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  )
}
