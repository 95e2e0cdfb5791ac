import { Table, Tbody, Td, Th, Thead, type ThProps, Tr } from '@patternfly/react-table'
import { Link } from 'react-router'
import { ServerStatusLabel } from '../components/labels.js'
import { RowActions } from '../components/row-actions.js'
import { Time } from '../components/time.js'
import type { ServerRowFragment, ServerSortKey, SortDirection } from '../generated/graphql.js'
import { formatMb } from '../lib/format.js'
import { nameOf, type useServerActions } from './use-server-actions.js'

export interface ServerSort {
  key: ServerSortKey
  direction: SortDirection
}

interface ServersTableProps {
  servers: readonly ServerRowFragment[]
  showHost: boolean
  sort: ServerSort
  onSort: (sort: ServerSort) => void
  selected: ReadonlySet<string>
  onSelected: (selected: ReadonlySet<string>) => void
  actions: ReturnType<typeof useServerActions>
}

export function ServersTable({ servers, showHost, sort, onSort, selected, onSelected, actions }: ServersTableProps) {
  const keys: ServerSortKey[] = ['NAME', 'VM_STATE', 'HOST', 'CREATED_AT']
  const sorted = (key: ServerSortKey): ThProps['sort'] => ({
    columnIndex: keys.indexOf(key),
    sortBy: { index: keys.indexOf(sort.key), direction: sort.direction === 'ASC' ? 'asc' : 'desc' },
    onSort: (_event, _index, direction) => onSort({ key, direction: direction === 'asc' ? 'ASC' : 'DESC' }),
  })
  const select = (id: string, isSelected: boolean): void => {
    const next = new Set(selected)
    if (isSelected) next.add(id)
    else next.delete(id)
    onSelected(next)
  }
  return (
    <Table aria-label="Servers" variant="compact">
      <Thead>
        <Tr>
          <Th
            aria-label="Select all servers"
            select={{
              isSelected: servers.length > 0 && servers.every((server) => selected.has(server.id)),
              onSelect: (_event, isSelected) => onSelected(new Set(isSelected ? servers.map((server) => server.id) : [])),
            }}
          />
          <Th sort={sorted('NAME')}>Name</Th>
          <Th sort={sorted('VM_STATE')}>Status</Th>
          <Th>Addresses</Th>
          <Th>Flavor</Th>
          {showHost && <Th sort={sorted('HOST')}>Host</Th>}
          <Th sort={sorted('CREATED_AT')}>Created</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      <Tbody>
        {servers.map((server, rowIndex) => (
          <Tr key={server.id}>
            <Td
              select={{
                rowIndex,
                isSelected: selected.has(server.id),
                onSelect: (_event, isSelected) => select(server.id, isSelected),
              }}
            />
            <Td dataLabel="Name" className="kn-break">
              <Link to={`/servers/${server.id}`}>{nameOf(server)}</Link>
            </Td>
            <Td dataLabel="Status">
              <ServerStatusLabel status={server.status} taskState={server.taskState} progress={server.progressPercent} />
            </Td>
            <Td dataLabel="Addresses">
              <div className="kn-cell-stack">
                {server.addresses.length === 0 && '—'}
                {server.addresses.map((address) => (
                  <div key={`${address.macAddress} ${address.address}`}>{address.address}</div>
                ))}
              </div>
            </Td>
            <Td dataLabel="Flavor">
              {server.flavor === null ? (
                '—'
              ) : (
                <div className="kn-cell-stack">
                  <div className="kn-break">{server.flavor.originalName}</div>
                  <div className="kn-muted kn-small">
                    {server.flavor.vcpus} vCPU, {formatMb(server.flavor.ramMb)}
                  </div>
                </div>
              )}
            </Td>
            {showHost && (
              <Td dataLabel="Host" className="kn-break">
                {server.host ?? '—'}
              </Td>
            )}
            <Td dataLabel="Created">
              <Time value={server.createdAt} />
            </Td>
            <Td isActionCell>
              <RowActions label={`Actions for ${nameOf(server)}`} actions={actions.actionsOf(server)} />
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  )
}
