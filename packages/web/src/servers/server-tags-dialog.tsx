/** Changes all tags of a server at once; a change that somebody else made meanwhile is not overwritten unseen. */
import { useMutation } from '@apollo/client/react'
import { useState } from 'react'
import { TextField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import { ErrorNotice, Loading } from '../components/states.js'
import { randomKey } from '../lib/keys.js'
import { ProblemError, problemOf } from '../lib/problem.js'
import { text } from '../text/text.js'
import { replaceServerTagsMutation } from './server-actions.documents.js'
import { tagsOf } from './tags-of.js'
import { useEditableServer } from './use-editable-server.js'
import { type ActableServer, nameOf } from './use-server-actions.js'

const words = text.servers.tags

export function ServerTagsDialog({ server, close }: { server: ActableServer; close: () => void }) {
  const loaded = useEditableServer(server.id)
  const [replace] = useMutation(replaceServerTagsMutation)
  /** What was typed, and the server's generation it was begun on. */
  const [draft, setDraft] = useState<{ tags: string; generation: number } | null>(null)
  const shown = draft ?? (loaded.server === null ? null : { tags: loaded.server.tags.join(', '), generation: loaded.server.generation })
  if (draft === null && shown !== null) setDraft(shown)

  const submit = async (): Promise<void> => {
    if (shown === null) return
    try {
      await replace({
        variables: {
          input: { serverId: server.id, tags: tagsOf(shown.tags), expectedGeneration: shown.generation, idempotencyKey: randomKey() },
        },
      })
    } catch (error) {
      if (problemOf(error).code !== 'CONFLICT') throw error
      const now = await loaded.refetch()
      if (now !== null) setDraft({ tags: shown.tags, generation: now.generation })
      throw new ProblemError(text.servers.metadata.changed, { code: 'CONFLICT' })
    }
  }
  return (
    <FormDialog<'tags'>
      title={words.title(nameOf(server))}
      submitLabel={text.servers.save}
      cancelLabel={text.servers.cancel}
      fieldFor={(path) => (path.includes('tags') ? 'tags' : null)}
      onSubmit={submit}
      onClose={close}
    >
      {(errors) =>
        shown === null ? (
          loaded.error === undefined ? (
            <Loading what={words.tags} />
          ) : (
            <ErrorNotice what={words.tags} error={loaded.error} />
          )
        ) : (
          <TextField
            id="server-tags"
            label={words.tags}
            value={shown.tags}
            onChange={(tags) => setDraft({ ...shown, tags })}
            error={errors.tags}
            help={words.help}
          />
        )
      }
    </FormDialog>
  )
}
