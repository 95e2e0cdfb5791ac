/** The access list of a private flavor. */
import { useMutation } from '@apollo/client/react'
import { Button, PageSection, Title } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { FormDialog } from '../components/form-dialog.js'
import { ProjectField, useNamedProject } from '../components/project-field.js'
import { randomKey } from '../lib/keys.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'
import type { FlavorDetails } from './create-flavor-dialog.js'
import { addFlavorAccessMutation, removeFlavorAccessMutation } from './flavor.documents.js'

const words = text.flavors.access

function AddProjectDialog({ flavor, onClose }: { flavor: FlavorDetails; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const namedProject = useNamedProject()
  const [add] = useMutation(addFlavorAccessMutation)
  return (
    <FormDialog<'project'>
      title={words.addTitle(flavor.name)}
      submitLabel={words.add}
      cancelLabel={text.flavors.cancel}
      check={(): { project?: string } => (typed.trim() === '' ? { project: text.properties.projectField.missing } : {})}
      fieldFor={(path) => (path === 'input.projectId' ? 'project' : null)}
      onSubmit={async () => {
        const project = await namedProject(typed)
        await add({ variables: { input: { flavorId: flavor.id, projectId: project.id, idempotencyKey: randomKey() } } })
        showToast('success', words.added(project.name))
      }}
      onClose={onClose}
    >
      {(errors) => <ProjectField id="flavor-project" value={typed} onChange={setTyped} error={errors.project} />}
    </FormDialog>
  )
}

export function FlavorAccess({ flavor }: { flavor: FlavorDetails }) {
  const mayAdd = useMay('os_compute_api:os-flavor-access:add_tenant_access')
  const mayRemove = useMay('os_compute_api:os-flavor-access:remove_tenant_access')
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<{ id: string; name: string } | null>(null)
  const [remove] = useMutation(removeFlavorAccessMutation)
  if (flavor.access === null && !flavor.isPublic) return null
  const list = flavor.access ?? []
  return (
    <PageSection hasBodyWrapper={false} aria-labelledby="flavor-access">
      <Title headingLevel="h2" size="lg" id="flavor-access" className="kn-gap-below">
        {words.title}
      </Title>
      {flavor.isPublic ? (
        <p className="kn-muted">{words.everybody}</p>
      ) : (
        <>
          {list.length === 0 ? (
            <p className="kn-muted">{words.nobody}</p>
          ) : (
            <Table aria-label={words.list} variant="compact">
              <Thead>
                <Tr>
                  <Th>{words.project}</Th>
                  <Th>{words.projectId}</Th>
                  <Th screenReaderText={text.flavors.actions} />
                </Tr>
              </Thead>
              <Tbody>
                {list.map(({ projectId, project }) => (
                  <Tr key={projectId}>
                    <Td dataLabel={words.project} className="kn-break">
                      {project?.name ?? words.unknownProject}
                    </Td>
                    <Td dataLabel={words.projectId} className="kn-mono kn-break">
                      {projectId}
                    </Td>
                    <Td isActionCell>
                      {mayRemove && (
                        <Button
                          variant="link"
                          isInline
                          aria-label={words.removeFrom(project?.name ?? projectId)}
                          onClick={() => setRemoving({ id: projectId, name: project?.name ?? projectId })}
                        >
                          {words.remove}
                        </Button>
                      )}
                    </Td>
                  </Tr>
                ))}
              </Tbody>
            </Table>
          )}
          {mayAdd && (
            <Button variant="secondary" className="kn-gap-above" onClick={() => setAdding(true)}>
              {words.add}
            </Button>
          )}
        </>
      )}
      {adding && <AddProjectDialog flavor={flavor} onClose={() => setAdding(false)} />}
      {removing !== null && (
        <ConfirmDialog
          title={words.removeTitle}
          confirmLabel={words.remove}
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            await remove({ variables: { input: { flavorId: flavor.id, projectId: removing.id, idempotencyKey: randomKey() } } })
            showToast('success', words.removed(removing.name))
          }}
        >
          <p className="kn-break">{words.removeHint(flavor.name, removing.name)}</p>
        </ConfirmDialog>
      )}
    </PageSection>
  )
}
