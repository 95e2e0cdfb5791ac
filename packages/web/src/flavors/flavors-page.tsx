/** Flavors: the sizes servers come in. */
import { useQuery } from '@apollo/client/react'
import { Button, Label, LabelGroup, PageSection, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, type ThProps, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { Link } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { SettlingSearch } from '../components/settling-search.js'
import { ErrorNotice, Loading, Nothing, NothingMatches } from '../components/states.js'
import { useUrlFilters } from '../components/use-url-filters.js'
import type { FlavorSortKey, SortDirection } from '../generated/graphql.js'
import { formatMb } from '../lib/format.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { CreateFlavorDialog } from './create-flavor-dialog.js'
import { flavorsQuery } from './flavor.documents.js'
import { flavorPath } from './flavor-path.js'
import { useFlavorActions } from './use-flavor-actions.js'

const words = text.flavors

const sortKeys: FlavorSortKey[] = ['NAME', 'VCPUS', 'RAM_MB', 'DISK_GB']

export function FlavorsPage() {
  const mayCreate = useMay('os_compute_api:os-flavor-manage:create')
  const maySeeAll = useMay('os_compute_api:os-flavor-access')
  const { values, change, clear, paging } = useUrlFilters(['search'])
  const wanted = values.search
  const [sort, setSort] = useState<{ key: FlavorSortKey; direction: SortDirection }>({ key: 'RAM_MB', direction: 'ASC' })
  const [creating, setCreating] = useState(false)
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
  const created = ({ name }: { name: string }): void => {
    showToast('success', words.create.created(name))
    void refetch()
  }
  const { actionsOf, dialog } = useFlavorActions({ onDeleted: () => refetch(), onCreated: created })
  const flavors = (data ?? previousData)?.flavors
  const sorted = (key: FlavorSortKey): ThProps['sort'] => ({
    columnIndex: sortKeys.indexOf(key),
    sortBy: { index: sortKeys.indexOf(sort.key), direction: sort.direction === 'ASC' ? 'asc' : 'desc' },
    onSort: (_event, _index, direction) => {
      setSort({ key, direction: direction === 'asc' ? 'ASC' : 'DESC' })
      paging.reset()
    },
  })
  return (
    <>
      <PageTitle
        title={words.title}
        actions={mayCreate ? <Button onClick={() => setCreating(true)}>{words.create.action}</Button> : undefined}
      />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        <Toolbar inset={{ default: 'insetNone' }}>
          <ToolbarContent>
            <ToolbarItem>
              <SettlingSearch
                label={words.search}
                placeholder={words.searchHint}
                value={wanted}
                onChange={(search) => change({ search }, 'typing')}
              />
            </ToolbarItem>
            <ToolbarItem variant="pagination">
              <Pager what={words.what} paging={paging} total={flavors?.totalCount ?? 0} endCursor={flavors?.pageInfo.endCursor ?? null} />
            </ToolbarItem>
          </ToolbarContent>
        </Toolbar>
        {flavors === undefined ? (
          error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : flavors.nodes.length === 0 && wanted !== '' ? (
          <NothingMatches what={words.what} clear={clear} />
        ) : flavors.nodes.length === 0 ? (
          <Nothing title={words.none}>{words.noneHint}</Nothing>
        ) : (
          <Table aria-label={words.title} variant="compact">
            <Thead>
              <Tr>
                <Th sort={sorted('NAME')}>{words.columns.name}</Th>
                <Th sort={sorted('VCPUS')}>{words.columns.vcpus}</Th>
                <Th sort={sorted('RAM_MB')}>{words.columns.memory}</Th>
                <Th sort={sorted('DISK_GB')}>{words.columns.rootDisk}</Th>
                <Th>{words.columns.ephemeral}</Th>
                <Th>{words.columns.swap}</Th>
                <Th>{words.columns.extraSpecs}</Th>
                <Th screenReaderText={words.actions} />
              </Tr>
            </Thead>
            <Tbody>
              {flavors.nodes.map((flavor) => (
                <Tr key={flavor.id}>
                  <Td dataLabel={words.columns.name} className="kn-break">
                    <Link to={flavorPath(flavor.id)}>{flavor.name}</Link> {!flavor.isPublic && <Label isCompact>{words.private}</Label>}{' '}
                    {flavor.disabled && (
                      <Label isCompact status="warning">
                        {words.disabled}
                      </Label>
                    )}
                    <div className="kn-muted kn-small">
                      {flavor.id}
                      {flavor.description !== null && `: ${flavor.description}`}
                    </div>
                  </Td>
                  <Td dataLabel={words.columns.vcpus}>{flavor.vcpus}</Td>
                  <Td dataLabel={words.columns.memory}>{formatMb(flavor.ramMb)}</Td>
                  <Td dataLabel={words.columns.rootDisk}>{flavor.diskGb === 0 ? words.ofTheImage : words.gigabytes(flavor.diskGb)}</Td>
                  <Td dataLabel={words.columns.ephemeral}>
                    {flavor.ephemeralGb === 0 ? words.nothing : words.gigabytes(flavor.ephemeralGb)}
                  </Td>
                  <Td dataLabel={words.columns.swap}>{flavor.swapMb === 0 ? words.nothing : formatMb(flavor.swapMb)}</Td>
                  <Td dataLabel={words.columns.extraSpecs} className="kn-break">
                    {flavor.extraSpecs === null || flavor.extraSpecs.length === 0 ? (
                      words.nothing
                    ) : (
                      <LabelGroup aria-label={words.specsOf(flavor.name)} numLabels={5}>
                        {flavor.extraSpecs.map(({ key, value }) => (
                          <Label key={key} isCompact>
                            {key} = {value}
                          </Label>
                        ))}
                      </LabelGroup>
                    )}
                  </Td>
                  <Td isActionCell>
                    <RowActions label={words.actionsFor(flavor.name)} actions={actionsOf(flavor)} />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </PageSection>
      {creating && <CreateFlavorDialog from={null} onClose={() => setCreating(false)} onCreated={created} />}
      {dialog}
    </>
  )
}
