/** The user's public keys. */
import { useQuery } from '@apollo/client/react'
import { Button, PageSection } from '@patternfly/react-core'
import KeyIcon from '@patternfly/react-icons/dist/esm/icons/key-icon'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { Link } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { ErrorNotice, Loading, Nothing } from '../components/states.js'
import { Time } from '../components/time.js'
import { usePaging } from '../components/use-paging.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { CreateKeypairDialog } from './create-keypair-dialog.js'
import { DeleteKeypairDialog } from './delete-keypair-dialog.js'
import { ImportKeypairDialog } from './import-keypair-dialog.js'
import { keypairsQuery } from './keypair.documents.js'
import { keypairPath } from './name-rule.js'
import { type NewKeypair, PrivateKeyDialog } from './private-key-dialog.js'

const words = text.keypairs

export function KeypairsPage() {
  const paging = usePaging()
  const mayCreate = useMay('os_compute_api:os-keypairs:create')
  const mayDelete = useMay('os_compute_api:os-keypairs:delete')
  const [creating, setCreating] = useState(false)
  const [created, setCreated] = useState<NewKeypair | null>(null)
  const [importing, setImporting] = useState(false)
  const [deleting, setDeleting] = useState<string | null>(null)
  const { data, previousData, error, refetch } = useQuery(keypairsQuery, { variables: { first: paging.perPage, after: paging.after } })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'KEYPAIR',
  )
  const keypairs = (data ?? previousData)?.keypairs
  const buttons = mayCreate ? (
    <>
      <Button onClick={() => setCreating(true)}>{words.generate.action}</Button>{' '}
      <Button variant="secondary" onClick={() => setImporting(true)}>
        {words.import.action}
      </Button>
    </>
  ) : undefined
  return (
    <>
      <PageTitle title={words.title} actions={buttons} />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        {keypairs === undefined ? (
          error === undefined ? (
            <Loading what={words.what} />
          ) : (
            <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : keypairs.nodes.length === 0 ? (
          <Nothing title={words.none} icon={KeyIcon}>
            {words.noneHint}
          </Nothing>
        ) : (
          <>
            <Pager what={words.what} paging={paging} total={keypairs.totalCount} endCursor={keypairs.pageInfo.endCursor} />
            <Table aria-label={words.title} variant="compact">
              <Thead>
                <Tr>
                  <Th>{words.name}</Th>
                  <Th>{words.kind}</Th>
                  <Th>{words.fingerprint}</Th>
                  <Th>{words.created}</Th>
                  <Th screenReaderText={words.actions} />
                </Tr>
              </Thead>
              <Tbody>
                {keypairs.nodes.map((keypair) => (
                  <Tr key={keypair.name}>
                    <Td dataLabel={words.name} className="kn-break">
                      <Link to={keypairPath(keypair.name)}>{keypair.name}</Link>
                    </Td>
                    <Td dataLabel={words.kind}>{words.kinds[keypair.type]}</Td>
                    <Td dataLabel={words.fingerprint} className="kn-break">
                      <span className="kn-mono kn-small">{keypair.fingerprint}</span>
                    </Td>
                    <Td dataLabel={words.created}>
                      <Time value={keypair.createdAt} />
                    </Td>
                    <Td isActionCell>
                      <RowActions
                        label={words.actionsFor(keypair.name)}
                        actions={[
                          {
                            label: words.delete.action,
                            onSelect: () => setDeleting(keypair.name),
                            disabledReason: mayDelete ? null : words.notAllowed,
                            isDanger: true,
                          },
                        ]}
                      />
                    </Td>
                  </Tr>
                ))}
              </Tbody>
            </Table>
          </>
        )}
      </PageSection>
      {importing && (
        <ImportKeypairDialog
          onClose={() => setImporting(false)}
          onImported={(name) => {
            showToast('success', words.import.done(name))
            void refetch()
          }}
        />
      )}
      {creating && (
        <CreateKeypairDialog
          onClose={() => setCreating(false)}
          onCreated={(keypair) => {
            setCreated(keypair)
            showToast('success', words.generate.done(keypair.name))
            void refetch()
          }}
        />
      )}
      {created !== null && <PrivateKeyDialog keypair={created} onClose={() => setCreated(null)} />}
      {deleting !== null && <DeleteKeypairDialog name={deleting} onClose={() => setDeleting(null)} onDeleted={() => refetch()} />}
    </>
  )
}
