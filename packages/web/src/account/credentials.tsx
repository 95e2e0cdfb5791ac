/** Application credentials of the signed-in user. */
import { useMutation, useQuery } from '@apollo/client/react'
import { Button, Flex, FlexItem, Label, Title } from '@patternfly/react-core'
import KeyIcon from '@patternfly/react-icons/dist/esm/icons/key-icon'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { Pager } from '../components/pager.js'
import { RowActions } from '../components/row-actions.js'
import { ErrorNotice, Loading, Nothing } from '../components/states.js'
import { Time } from '../components/time.js'
import { usePaging } from '../components/use-paging.js'
import { randomKey } from '../lib/keys.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { credentialsQuery, deleteCredentialMutation } from './account.documents.js'
import { CreateCredentialDialog, type MadeCredential } from './create-credential-dialog.js'
import { CredentialSecretDialog } from './credential-secret-dialog.js'

const words = text.identity.credentials
const { columns } = text.identity

export function Credentials() {
  const { project } = useViewer()
  const may = useMay('identity:create_application_credential')
  const paging = usePaging()
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState<MadeCredential | null>(null)
  const [deleting, setDeleting] = useState<{ id: string; name: string } | null>(null)
  const [remove] = useMutation(deleteCredentialMutation)
  const { data, previousData, error, refetch } = useQuery(credentialsQuery, {
    variables: { first: paging.perPage, after: paging.after },
    fetchPolicy: 'cache-and-network',
  })
  const credentials = (data ?? previousData)?.applicationCredentials
  const refusal = project === null ? words.needsProject : may ? null : words.mayNotCreate
  return (
    <>
      <Flex justifyContent={{ default: 'justifyContentSpaceBetween' }}>
        <FlexItem>
          <Title headingLevel="h2" size="lg" id="credentials-title">
            {words.title}
          </Title>
          <p className="kn-muted">{words.about}</p>
        </FlexItem>
        <FlexItem>
          <Button
            isAriaDisabled={refusal !== null}
            aria-describedby={refusal === null ? undefined : 'no-credentials'}
            onClick={() => {
              if (refusal === null) setCreating(true)
            }}
          >
            {words.create}
          </Button>
          {refusal !== null && (
            <p className="kn-muted kn-small" id="no-credentials">
              {refusal}
            </p>
          )}
        </FlexItem>
      </Flex>
      {credentials === undefined ? (
        error === undefined ? (
          <Loading what={words.what} />
        ) : (
          <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
        )
      ) : credentials.totalCount === 0 ? (
        <Nothing title={words.none} headingLevel="h2" icon={KeyIcon}>
          {words.noneHint}
        </Nothing>
      ) : (
        <>
          <Pager what={words.what} paging={paging} total={credentials.totalCount} endCursor={credentials.pageInfo.endCursor} />
          <Table aria-labelledby="credentials-title" variant="compact">
            <Thead>
              <Tr>
                <Th>{columns.name}</Th>
                <Th>{words.project}</Th>
                <Th>{words.roles}</Th>
                <Th>{words.expires}</Th>
                <Th>{words.lastUsed}</Th>
                <Th screenReaderText={columns.actions} />
              </Tr>
            </Thead>
            <Tbody>
              {credentials.nodes.map((credential) => (
                <Tr key={credential.id}>
                  <Td dataLabel={columns.name} className="kn-break">
                    {credential.name}
                    {credential.description !== null && <div className="kn-muted kn-small">{credential.description}</div>}
                    <div className="kn-muted kn-small kn-mono">{credential.id}</div>
                  </Td>
                  <Td dataLabel={words.project} className="kn-break">
                    {credential.project?.name ?? credential.projectId}
                  </Td>
                  <Td dataLabel={words.roles}>{credential.roles.map((role) => role.name).join(', ')}</Td>
                  <Td dataLabel={words.expires}>
                    {credential.expiresAt === null ? words.never : <Time value={credential.expiresAt} />}
                    {credential.expiresAt !== null && Date.parse(credential.expiresAt) <= Date.now() && (
                      <>
                        {' '}
                        <Label isCompact status="warning">
                          {words.expired}
                        </Label>
                      </>
                    )}
                  </Td>
                  <Td dataLabel={words.lastUsed}>
                    {credential.lastUsedAt === null ? words.neverUsed : <Time value={credential.lastUsedAt} />}
                  </Td>
                  <Td isActionCell>
                    <RowActions
                      label={text.identity.actionsFor(credential.name)}
                      actions={[{ label: text.identity.delete, onSelect: () => setDeleting(credential), isDanger: true }]}
                    />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        </>
      )}
      {creating && (
        <CreateCredentialDialog
          onClose={() => setCreating(false)}
          onMade={(credential) => {
            setMade(credential)
            void refetch()
          }}
        />
      )}
      {made !== null && <CredentialSecretDialog made={made} onClose={() => setMade(null)} />}
      {deleting !== null && (
        <ConfirmDialog
          title={words.deleteTitle}
          confirmLabel={text.identity.delete}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await remove({ variables: { input: { applicationCredentialId: deleting.id, idempotencyKey: randomKey() } } })
            showToast('success', words.deleted(deleting.name))
            await refetch()
          }}
        >
          <p className="kn-break">{words.deleteHint(deleting.name)}</p>
        </ConfirmDialog>
      )}
    </>
  )
}
