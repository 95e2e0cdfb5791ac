/** The user's public keys. */
import { useMutation, useQuery } from '@apollo/client/react'
import { Button, ExpandableSection, PageSection } from '@patternfly/react-core'
import KeyIcon from '@patternfly/react-icons/dist/esm/icons/key-icon'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { PageTitle } from '../components/page-title.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { ErrorNotice, Loading, Nothing } from '../components/states.js'
import { Time } from '../components/time.js'
import { usePaging } from '../components/use-paging.js'
import { randomKey } from '../lib/keys.js'
import { showToast } from '../lib/toasts.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { ImportKeypairDialog } from './import-keypair-dialog.js'
import { deleteKeypairMutation, keypairsQuery } from './keypair.documents.js'

export function KeypairsPage() {
  const paging = usePaging()
  const [importing, setImporting] = useState(false)
  const [deleting, setDeleting] = useState<string | null>(null)
  const [remove] = useMutation(deleteKeypairMutation)
  const { data, previousData, error, refetch } = useQuery(keypairsQuery, { variables: { first: paging.perPage, after: paging.after } })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'KEYPAIR',
  )
  const keypairs = (data ?? previousData)?.keypairs
  const importButton = <Button onClick={() => setImporting(true)}>Import key pair</Button>
  return (
    <>
      <PageTitle title="Key pairs" actions={importButton} />
      <PageSection hasBodyWrapper={false} aria-label="List of key pairs">
        {keypairs === undefined ? (
          error === undefined ? (
            <Loading what="key pairs" />
          ) : (
            <ErrorNotice what="The key pairs" error={error} retry={() => void refetch()} />
          )
        ) : keypairs.nodes.length === 0 ? (
          <Nothing title="No key pairs yet" icon={KeyIcon}>
            Import a public key to sign in to your servers with the private one. Key pairs belong to you, in all projects.
          </Nothing>
        ) : (
          <>
            <Pager what="key pairs" paging={paging} total={keypairs.totalCount} endCursor={keypairs.pageInfo.endCursor} />
            <Table aria-label="Key pairs" variant="compact">
              <Thead>
                <Tr>
                  <Th>Name</Th>
                  <Th>Kind</Th>
                  <Th>Fingerprint</Th>
                  <Th>Created</Th>
                  <Th screenReaderText="Actions" />
                </Tr>
              </Thead>
              <Tbody>
                {keypairs.nodes.map((keypair) => (
                  <Tr key={keypair.name}>
                    <Td dataLabel="Name" className="kn-break">
                      {keypair.name}
                    </Td>
                    <Td dataLabel="Kind">{keypair.type === 'SSH' ? 'SSH' : 'X.509'}</Td>
                    <Td dataLabel="Fingerprint" className="kn-break">
                      <span className="kn-mono kn-small">{keypair.fingerprint}</span>
                      <ExpandableSection toggleText="Public key">
                        <pre className="kn-pre">{keypair.publicKey}</pre>
                      </ExpandableSection>
                    </Td>
                    <Td dataLabel="Created">
                      <Time value={keypair.createdAt} />
                    </Td>
                    <Td isActionCell>
                      <RowActions
                        label={`Actions for ${keypair.name}`}
                        actions={[{ label: 'Delete', onSelect: () => setDeleting(keypair.name), isDanger: true }]}
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
            showToast('success', `Key pair ${name} imported.`)
            void refetch()
          }}
        />
      )}
      {deleting !== null && (
        <ConfirmDialog
          title="Delete this key pair?"
          confirmLabel="Delete"
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await remove({ variables: { input: { name: deleting, idempotencyKey: randomKey() } } })
            showToast('success', `Key pair ${deleting} deleted.`)
            await refetch()
          }}
        >
          <p className="kn-break">{deleting} will be deleted. Servers that were given it keep their copy.</p>
        </ConfirmDialog>
      )}
    </>
  )
}
