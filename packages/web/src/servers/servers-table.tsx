/** The list of servers. Rows that have not changed are not drawn again, and of a thousand only those in sight are drawn at all. */

import LockIcon from '@patternfly/react-icons/dist/esm/icons/lock-icon'
import { Table, Tbody, Td, Th, Thead, type ThProps, Tr } from '@patternfly/react-table'
import { memo, useCallback, useEffect, useRef } from 'react'
import { Link } from 'react-router'
import { RowActions } from '../components/row-actions.js'
import { useVirtualRows } from '../components/use-virtual-rows.js'
import type { ServerSortKey } from '../generated/graphql.js'
import { text } from '../text/text.js'
import { columns, type ServerRow } from './servers-cells.js'
import type { ColumnKey } from './servers-columns.js'
import { type ServerSort, sortKeys } from './servers-view.js'
import { nameOf, type useServerActions } from './use-server-actions.js'

const words = text.servers

interface ServersTableProps {
  servers: readonly ServerRow[]
  shown: readonly ColumnKey[]
  sort: ServerSort
  onSort: (sort: ServerSort) => void
  selected: ReadonlySet<string>
  onSelected: (change: (before: ReadonlySet<string>) => ReadonlySet<string>) => void
  askActionsOf: ReturnType<typeof useServerActions>['askActionsOf']
}

export function ServersTable({ servers, shown, sort, onSort, selected, onSelected, askActionsOf }: ServersTableProps) {
  const { bodyRef, rows, roomAbovePx, roomBelowPx } = useVirtualRows(servers.length, (index) => servers[index]?.id ?? String(index))
  const sorted = (key: ServerSortKey | undefined): ThProps['sort'] =>
    key === undefined
      ? undefined
      : {
          columnIndex: sortKeys.indexOf(key),
          sortBy: { index: sortKeys.indexOf(sort.key), direction: sort.direction === 'ASC' ? 'asc' : 'desc' },
          onSort: (_event, _index, direction) => onSort({ key, direction: direction === 'asc' ? 'ASC' : 'DESC' }),
        }
  const latestActions = useRef(askActionsOf)
  useEffect(() => {
    latestActions.current = askActionsOf
  })
  const actions = useCallback((id: string) => latestActions.current(id), [])
  const select = useCallback(
    (id: string, isSelected: boolean) =>
      onSelected((before) => {
        const next = new Set(before)
        if (isSelected) next.add(id)
        else next.delete(id)
        return next
      }),
    [onSelected],
  )
  const isAllSelected = servers.length > 0 && servers.every((server) => selected.has(server.id))
  const room = (px: number) =>
    px > 0 && (
      <tr className="kn-room">
        <td colSpan={shown.length + 3} style={{ blockSize: px, padding: 0 }} />
      </tr>
    )
  const row = (index: number, measure?: (element: HTMLElement | null) => void) => {
    const server = servers[index]
    return (
      server !== undefined && (
        <ServerTableRow
          key={server.id}
          server={server}
          index={index}
          shown={shown}
          isSelected={selected.has(server.id)}
          select={select}
          actions={actions}
          measure={measure}
        />
      )
    )
  }
  return (
    <Table aria-label={words.tableLabel} variant="compact" {...(rows === null ? {} : { 'aria-rowcount': servers.length + 1 })}>
      <Thead>
        <Tr>
          <Th
            aria-label={words.selectAll}
            select={{
              isSelected: isAllSelected,
              onSelect: (_event, isSelected) => onSelected(() => new Set(isSelected ? servers.map((server) => server.id) : [])),
            }}
          />
          <Th sort={sorted('NAME')} modifier="nowrap" tooltip={null}>
            {words.columns.name}
          </Th>
          {shown.map((key) => (
            <Th key={key} sort={sorted(columns[key].sort)} modifier="nowrap" tooltip={null}>
              {columns[key].label}
            </Th>
          ))}
          <Th screenReaderText={words.columns.actions} />
        </Tr>
      </Thead>
      <Tbody innerRef={bodyRef}>
        {room(roomAbovePx)}
        {rows === null ? servers.map((_server, index) => row(index)) : rows.map(({ index, measure }) => row(index, measure))}
        {room(roomBelowPx)}
      </Tbody>
    </Table>
  )
}

interface ServerTableRowProps {
  server: ServerRow
  index: number
  shown: readonly ColumnKey[]
  isSelected: boolean
  select: (id: string, isSelected: boolean) => void
  actions: ServersTableProps['askActionsOf']
  measure: ((element: HTMLElement | null) => void) | undefined
}

const ServerTableRow = memo(function ServerTableRow({ server, index, shown, isSelected, select, actions, measure }: ServerTableRowProps) {
  const name = nameOf(server)
  return (
    <Tr {...(measure === undefined ? {} : { innerRef: measure, 'data-index': index, 'aria-rowindex': index + 2 })}>
      <Td select={{ rowIndex: index, isSelected, onSelect: (_event, next) => select(server.id, next) }} />
      <Td dataLabel={words.columns.name} className="kn-break">
        <Link to={`/servers/${server.id}`}>{name}</Link>
        {server.locked === true && !shown.includes('locked') && (
          <span role="img" aria-label={words.locked} title={words.locked} className="kn-muted">
            {' '}
            <LockIcon />
          </span>
        )}
      </Td>
      {shown.map((key) => (
        <Td key={key} dataLabel={columns[key].label} className={columns[key].isLong === true ? 'kn-break' : ''}>
          {columns[key].cell(server)}
        </Td>
      ))}
      <Td isActionCell>
        <RowActions label={words.actionsFor(name)} actions={() => actions(server.id)} />
      </Td>
    </Tr>
  )
})
