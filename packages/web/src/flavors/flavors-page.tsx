/** Flavors: the sizes servers come in. */
import { useMutation, useQuery } from '@apollo/client/react'
import { Button, Label, LabelGroup, PageSection, SearchInput, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, type ThProps, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { ErrorNotice, Loading, Nothing, NothingMatches } from '../components/states.js'
import { usePaging } from '../components/use-paging.js'
import type { FlavorFieldsFragment, FlavorSortKey, SortDirection } from '../generated/graphql.js'
import { formatMb } from '../lib/format.js'
import { randomKey } from '../lib/keys.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { useDebounced } from '../lib/use-debounced.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { deleteFlavorMutation, flavorsQuery } from './flavor.documents.js'
import { CreateFlavorDialog, ExtraSpecsDialog } from './flavor-dialogs.js'

const sortKeys: FlavorSortKey[] = ['NAME', 'VCPUS', 'RAM_MB', 'DISK_GB']

export function FlavorsPage() {
  const mayCreate = useMay('os_compute_api:os-flavor-manage:create')
  const mayDelete = useMay('os_compute_api:os-flavor-manage:delete')
  const mayEditSpecs = useMay('os_compute_api:os-flavor-extra-specs:update')
  const maySeeAll = useMay('os_compute_api:os-flavor-access')
  const paging = usePaging()
  const [search, setSearch] = useState('')
  const [sort, setSort] = useState<{ key: FlavorSortKey; direction: SortDirection }>({ key: 'RAM_MB', direction: 'ASC' })
  const [creating, setCreating] = useState(false)
  const [editing, setEditing] = useState<FlavorFieldsFragment | null>(null)
  const [deleting, setDeleting] = useState<FlavorFieldsFragment | null>(null)
  const [remove] = useMutation(deleteFlavorMutation)
  const wanted = useDebounced(search.trim())
  const { data, previousData, error, refetch } = useQuery(flavorsQuery, {
    variables: {
      first: paging.perPage,
      after: paging.after,
      filter: { ...(wanted === '' ? {} : { search: wanted }), ...(maySeeAll ? { allFlavors: true } : {}) },
      orderBy: [sort],
    },
  })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'FLAVOR',
  )
  const flavors = (data ?? previousData)?.flavors
  const sorted = (key: FlavorSortKey): ThProps['sort'] => ({
    columnIndex: sortKeys.indexOf(key),
    sortBy: { index: sortKeys.indexOf(sort.key), direction: sort.direction === 'ASC' ? 'asc' : 'desc' },
    onSort: (_event, _index, direction) => {
      setSort({ key, direction: direction === 'asc' ? 'ASC' : 'DESC' })
      paging.reset()
    },
  })
  const notAllowed = 'Your roles do not allow it.'
  return (
    <>
      <PageTitle title="Flavors" actions={mayCreate ? <Button onClick={() => setCreating(true)}>Create flavor</Button> : undefined} />
      <PageSection hasBodyWrapper={false} aria-label="List of flavors">
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
            <ToolbarItem>
              <SearchInput
                aria-label="Search name or id"
                placeholder="Name or id"
                value={search}
                onChange={(_event, value) => {
                  setSearch(value)
                  paging.reset()
                }}
                onClear={() => setSearch('')}
              />
            </ToolbarItem>
            <ToolbarItem variant="pagination">
              <Pager what="flavors" paging={paging} total={flavors?.totalCount ?? 0} endCursor={flavors?.pageInfo.endCursor ?? null} />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {flavors === undefined ? (
          error === undefined ? (
            <Loading what="flavors" />
          ) : (
            <ErrorNotice what="The flavors" error={error} retry={() => void refetch()} />
          )
        ) : flavors.nodes.length === 0 && wanted !== '' ? (
          <NothingMatches what="flavors" clear={() => setSearch('')} />
        ) : flavors.nodes.length === 0 ? (
          <Nothing title="No flavors">An administrator makes the sizes servers come in.</Nothing>
        ) : (
          <Table aria-label="Flavors" variant="compact">
            <Thead>
              <Tr>
                <Th sort={sorted('NAME')}>Name</Th>
                <Th sort={sorted('VCPUS')}>vCPUs</Th>
                <Th sort={sorted('RAM_MB')}>Memory</Th>
                <Th sort={sorted('DISK_GB')}>Root disk</Th>
                <Th>Ephemeral</Th>
                <Th>Swap</Th>
                <Th>Extra specs</Th>
                <Th screenReaderText="Actions" />
              </Tr>
            </Thead>
            <Tbody>
              {flavors.nodes.map((flavor) => (
                <Tr key={flavor.id}>
                  <Td dataLabel="Name" className="kn-break">
                    {flavor.name} {!flavor.isPublic && <Label isCompact>Private</Label>}{' '}
                    {flavor.disabled && (
                      <Label isCompact status="warning">
                        Disabled
                      </Label>
                    )}
                    <div className="kn-muted kn-small">
                      {flavor.id}
                      {flavor.description !== null && `: ${flavor.description}`}
                    </div>
                  </Td>
                  <Td dataLabel="vCPUs">{flavor.vcpus}</Td>
                  <Td dataLabel="Memory">{formatMb(flavor.ramMb)}</Td>
                  <Td dataLabel="Root disk">{flavor.diskGb === 0 ? 'Of the image' : `${flavor.diskGb} GB`}</Td>
                  <Td dataLabel="Ephemeral">{flavor.ephemeralGb === 0 ? '—' : `${flavor.ephemeralGb} GB`}</Td>
                  <Td dataLabel="Swap">{flavor.swapMb === 0 ? '—' : formatMb(flavor.swapMb)}</Td>
                  <Td dataLabel="Extra specs" className="kn-break">
                    {flavor.extraSpecs === null || flavor.extraSpecs.length === 0 ? (
                      '—'
                    ) : (
                      <LabelGroup aria-label={`Extra specs of ${flavor.name}`} numLabels={5}>
                        {flavor.extraSpecs.map(({ key, value }) => (
                          <Label key={key} isCompact>
                            {key} = {value}
                          </Label>
                        ))}
                      </LabelGroup>
                    )}
                  </Td>
                  <Td isActionCell>
                    <RowActions
                      label={`Actions for ${flavor.name}`}
                      actions={[
                        { label: 'Edit extra specs', onSelect: () => setEditing(flavor), disabledReason: mayEditSpecs ? null : notAllowed },
                        {
                          label: 'Delete',
                          onSelect: () => setDeleting(flavor),
                          disabledReason: mayDelete ? null : notAllowed,
                          isDanger: true,
                        },
                      ]}
                    />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
      {creating && (
        <CreateFlavorDialog
          onClose={() => setCreating(false)}
          onCreated={(name) => {
            showToast('success', `Flavor ${name} created.`)
            void refetch()
          }}
        />
      )}
      {editing !== null && <ExtraSpecsDialog flavor={editing} onClose={() => setEditing(null)} />}
      {deleting !== null && (
        <ConfirmDialog
          title="Delete this flavor?"
          confirmLabel="Delete"
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await remove({ variables: { input: { flavorId: deleting.id, idempotencyKey: randomKey() } } })
            showToast('success', `Flavor ${deleting.name} deleted.`)
            await refetch()
          }}
        >
          <p className="kn-break">{deleting.name} will be gone for new servers. Servers made with it keep their size.</p>
        </ConfirmDialog>
      )}
    </>
  )
}
