/** Roles of a user in projects, or of users in a project: what there is, and a form for more. */
import { useMutation, useQuery } from '@apollo/client/react'
import { Button } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { Link } from 'react-router'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { ErrorNotice, Loading, Nothing } from '../components/states.js'
import type { GrantsQuery } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { useMay, useSessionStore, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import { GrantForm } from './grant-form.js'
import { grantsQuery, revokeRoleMutation } from './identity.documents.js'

const words = text.identity.grants
type Grant = GrantsQuery['roleAssignments']['nodes'][number]

export interface GrantSubject {
  kind: 'user' | 'project'
  id: string
  name: string
}

export function Grants({ of, labelledBy }: { of: GrantSubject; labelledBy: string }) {
  const viewer = useViewer()
  const session = useSessionStore()
  const mayAdd = useMay('identity:create_grant')
  const mayRemove = useMay('identity:revoke_grant')
  const [removing, setRemoving] = useState<Grant | null>(null)
  const [revoke] = useMutation(revokeRoleMutation)
  const { data, error, refetch } = useQuery(grantsQuery, {
    variables: { filter: of.kind === 'user' ? { userId: of.id } : { projectId: of.id } },
    fetchPolicy: 'cache-and-network',
  })
  if (data === undefined) {
    return error === undefined ? (
      <Loading what={words.what} />
    ) : (
      <ErrorNotice what={words.notLoaded} error={error} retry={() => void refetch()} />
    )
  }
  const other = of.kind === 'user' ? 'project' : 'user'
  const { totalCount } = data.roleAssignments
  const grants = data.roleAssignments.nodes.toSorted(
    (a, b) => a[other].name.localeCompare(b[other].name) || a.role.id.localeCompare(b.role.id),
  )
  const onChanged = async (userId: string): Promise<void> => {
    // What the viewer may do, and where, is part of the login.
    if (userId === viewer.user.id) await session.refresh()
    await refetch()
  }
  return (
    <>
      {mayAdd && <GrantForm of={of} other={other} roles={data.roles} onAdded={onChanged} />}
      {grants.length === 0 ? (
        <Nothing title={words.none[other]}>{words.noneHint[other]}</Nothing>
      ) : (
        <Table aria-labelledby={labelledBy} variant="compact">
          <Thead>
            <Tr>
              <Th>{words[other]}</Th>
              <Th>{words.role}</Th>
              <Th screenReaderText={text.identity.columns.actions} />
            </Tr>
          </Thead>
          <Tbody>
            {grants.map((grant) => (
              <Tr key={`${grant[other].id} ${grant.role.id}`}>
                <Td dataLabel={words[other]} className="kn-break">
                  <Link to={`/admin/${other}s/${grant[other].id}`}>{grant[other].name}</Link>
                </Td>
                <Td dataLabel={words.role}>{grant.role.name}</Td>
                <Td isActionCell>
                  <Button
                    variant="link"
                    isDanger
                    isInline
                    isAriaDisabled={!mayRemove}
                    aria-label={words.removeLabel(grant.role.name, grant[other].name)}
                    onClick={() => {
                      if (mayRemove) setRemoving(grant)
                    }}
                  >
                    {words.remove}
                  </Button>
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
      {!mayRemove && grants.length > 0 && <p className="kn-muted kn-small">{words.mayNot}</p>}
      {totalCount > grants.length && <p className="kn-muted kn-small">{words.more(totalCount, grants.length)}</p>}
      {removing !== null && (
        <ConfirmDialog
          title={words.removeTitle}
          confirmLabel={words.remove}
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            const { user, project, role } = removing
            const input = { userId: user.id, projectId: project.id, roleId: role.id, idempotencyKey: randomKey() }
            await revoke({ variables: { input } })
            showToast('success', words.removed(role.name, user.name, project.name))
            await onChanged(user.id)
          }}
        >
          <p className="kn-break">{words.removeHint(removing.role.name, removing.user.name, removing.project.name)}</p>
        </ConfirmDialog>
      )}
    </>
  )
}
