/** Projects an image is shared with, for its owner; the own answer, for whom it is shared with. */
import { useMutation, useQuery } from '@apollo/client/react'
import { Alert, AlertActionLink, Button, PageSection, Title } from '@patternfly/react-core'
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table'
import { useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { FormDialog } from '../components/form-dialog.js'
import { ProjectField, useNamedProject } from '../components/project-field.js'
import { Time } from '../components/time.js'
import { randomKey } from '../lib/keys.js'
import { problemOf } from '../lib/problem.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import type { ImageDetails } from './edit-image-dialog.js'
import { addImageMemberMutation, answerImageMembershipMutation, imageOffersQuery, removeImageMemberMutation } from './image.documents.js'
import { imageName } from './image-name.js'

const words = text.images.members

/** As many images of one name as are looked through. */
const lookedThrough = 100

/** What is shared with the viewer's project, with its answer; nothing for others. Whom else it is shared with is the owner's to see. */
export function ImageOffer({ image }: { image: ImageDetails }) {
  const { project } = useViewer()
  const mayAnswer = useMay('image:modify_member')
  const [answer, { loading }] = useMutation(answerImageMembershipMutation)
  const isOffered = image.projectId !== project?.id && (image.visibility === 'SHARED' || image.visibility === 'COMMUNITY')
  const { data, refetch } = useQuery(imageOffersQuery, {
    skip: !isOffered,
    variables: { first: lookedThrough, name: image.name },
    fetchPolicy: 'cache-and-network',
  })
  useLiveRefetch(
    async () => (isOffered ? refetch() : undefined),
    (signal) => signal.topic === 'object' && signal.subject === 'IMAGE' && signal.subjectId === image.id,
  )
  const isAmong = (list: { nodes: { id: string }[] } | undefined): boolean => list?.nodes.some(({ id }) => id === image.id) === true
  const status = isAmong(data?.pending) ? 'PENDING' : isAmong(data?.accepted) ? 'ACCEPTED' : isAmong(data?.rejected) ? 'REJECTED' : null
  if (!isOffered || status === null) return null
  const say = async (said: 'ACCEPTED' | 'REJECTED'): Promise<void> => {
    try {
      await answer({ variables: { input: { imageId: image.id, status: said, idempotencyKey: randomKey() } } })
      showToast('success', words.answered[said])
      await refetch()
    } catch (failure) {
      showToast('danger', words.notAnswered, problemOf(failure).message)
    }
  }
  return (
    <Alert
      isInline
      component="h2"
      variant={status === 'PENDING' ? 'info' : 'custom'}
      className="kn-gap-above"
      title={image.project === null ? words.offered : words.offeredBy(image.project.name)}
      actionLinks={
        mayAnswer ? (
          <>
            {status !== 'ACCEPTED' && (
              <AlertActionLink onClick={() => void say('ACCEPTED')} isDisabled={loading}>
                {words.accept}
              </AlertActionLink>
            )}
            {status !== 'REJECTED' && (
              <AlertActionLink onClick={() => void say('REJECTED')} isDisabled={loading}>
                {words.reject}
              </AlertActionLink>
            )}
          </>
        ) : undefined
      }
    >
      {status === 'PENDING' ? words.pending : status === 'ACCEPTED' ? words.accepted : words.rejected}
    </Alert>
  )
}

function AddMemberDialog({ image, onClose }: { image: ImageDetails; onClose: () => void }) {
  const [typed, setTyped] = useState('')
  const namedProject = useNamedProject()
  const [add] = useMutation(addImageMemberMutation)
  return (
    <FormDialog<'project'>
      title={words.addTitle(imageName(image))}
      submitLabel={words.add}
      cancelLabel={text.images.cancel}
      check={(): { project?: string } => (typed.trim() === '' ? { project: text.properties.projectField.missing } : {})}
      fieldFor={(path) => (path === 'input.projectId' ? 'project' : null)}
      onSubmit={async () => {
        const project = await namedProject(typed)
        await add({ variables: { input: { imageId: image.id, projectId: project.id, idempotencyKey: randomKey() } } })
        showToast('success', words.added(project.name))
      }}
      onClose={onClose}
    >
      {(errors) => <ProjectField id="image-project" value={typed} onChange={setTyped} error={errors.project} />}
    </FormDialog>
  )
}

/** @param refused why the viewer may not share this image; null: it may */
export function ImageMembers({ image, refused }: { image: ImageDetails; refused: (allowed: boolean) => string | null }) {
  const mayAdd = refused(useMay('image:add_member')) === null
  const mayRemove = refused(useMay('image:delete_member')) === null
  const [adding, setAdding] = useState(false)
  const [removing, setRemoving] = useState<{ id: string; name: string } | null>(null)
  const [remove] = useMutation(removeImageMemberMutation)
  const members = image.members ?? []
  if (image.members === null || refused(true) !== null) return null
  return (
    <PageSection hasBodyWrapper={false} aria-labelledby="image-members">
      <Title headingLevel="h2" size="lg" id="image-members" className="kn-gap-below">
        {words.title}
      </Title>
      {members.length > 0 ? (
        <Table aria-label={words.list} variant="compact">
          <Thead>
            <Tr>
              <Th>{words.project}</Th>
              <Th>{words.status}</Th>
              <Th>{words.since}</Th>
              <Th screenReaderText={text.images.actions} />
            </Tr>
          </Thead>
          <Tbody>
            {members.map(({ projectId, project, status, createdAt }) => (
              <Tr key={projectId}>
                <Td dataLabel={words.project} className="kn-break">
                  {project?.name}
                  <div className="kn-muted kn-small kn-mono">{projectId}</div>
                </Td>
                <Td dataLabel={words.status}>{words.statuses[status]}</Td>
                <Td dataLabel={words.since}>
                  <Time value={createdAt} />
                </Td>
                <Td isActionCell>
                  {mayRemove && (
                    <Button
                      variant="link"
                      isInline
                      aria-label={words.removeMember(project?.name ?? projectId)}
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
      ) : (
        image.visibility === 'SHARED' && <p className="kn-muted">{words.none}</p>
      )}
      {image.visibility !== 'SHARED' ? (
        <p className="kn-muted">{words.onlyShared}</p>
      ) : (
        mayAdd && (
          <Button variant="secondary" className="kn-gap-above" onClick={() => setAdding(true)}>
            {words.add}
          </Button>
        )
      )}
      {adding && <AddMemberDialog image={image} onClose={() => setAdding(false)} />}
      {removing !== null && (
        <ConfirmDialog
          title={words.removeTitle}
          confirmLabel={words.remove}
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            await remove({ variables: { input: { imageId: image.id, projectId: removing.id, idempotencyKey: randomKey() } } })
            showToast('success', words.removed(removing.name))
          }}
        >
          <p className="kn-break">{words.removeHint(imageName(image), removing.name)}</p>
        </ConfirmDialog>
      )}
    </PageSection>
  )
}
