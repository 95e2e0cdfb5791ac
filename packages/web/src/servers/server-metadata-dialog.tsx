/** Changes all metadata of a server at once; a change that somebody else made meanwhile is not overwritten unseen. */
import { useMutation } from '@apollo/client/react'
import { useState } from 'react'
import { FormDialog } from '../components/form-dialog.js'
import { filledRows, type KeyValueRow, KeyValueRows, newRow } from '../components/key-value-rows.js'
import { ErrorNotice, Loading } from '../components/states.js'
import { randomKey } from '../lib/keys.js'
import { ProblemError, problemOf } from '../lib/problem.js'
import { text } from '../text/text.js'
import { replaceServerMetadataMutation } from './server-actions.documents.js'
import { useEditableServer } from './use-editable-server.js'
import { type ActableServer, nameOf } from './use-server-actions.js'

const words = text.servers.metadata

export function ServerMetadataDialog({ server, close }: { server: ActableServer; close: () => void }) {
  const loaded = useEditableServer(server.id)
  const [replace] = useMutation(replaceServerMetadataMutation)
  /** What was typed, and the server's generation it was begun on. */
  const [draft, setDraft] = useState<{ rows: KeyValueRow[]; generation: number } | null>(null)
  const shown =
    draft ??
    (loaded.server === null
      ? null
      : { rows: loaded.server.metadata.map(({ key, value }) => newRow(key, value)), generation: loaded.server.generation })
  if (draft === null && shown !== null) setDraft(shown)

  const submit = async (): Promise<void> => {
    if (shown === null) return
    const metadata = filledRows(shown.rows)
    try {
      await replace({
        variables: { input: { serverId: server.id, metadata, expectedGeneration: shown.generation, idempotencyKey: randomKey() } },
      })
    } catch (error) {
      if (problemOf(error).code !== 'CONFLICT') throw error
      const now = await loaded.refetch()
      if (now !== null) setDraft({ rows: shown.rows, generation: now.generation })
      throw new ProblemError(words.changed, { code: 'CONFLICT' })
    }
  }
  return (
    <FormDialog<'metadata'>
      title={words.title(nameOf(server))}
      submitLabel={text.servers.save}
      cancelLabel={text.servers.cancel}
      check={(): { metadata?: string } => {
        const keys = filledRows(shown?.rows ?? []).map(({ key }) => key)
        const twice = keys.find((key, index) => keys.indexOf(key) !== index)
        return twice === undefined ? {} : { metadata: words.twice(twice) }
      }}
      fieldFor={(path) => (path.includes('metadata') ? 'metadata' : null)}
      onSubmit={submit}
      onClose={close}
    >
      {(errors) =>
        shown === null ? (
          loaded.error === undefined ? (
            <Loading what={text.servers.columns.metadata} />
          ) : (
            <ErrorNotice what={text.servers.columns.metadata} error={loaded.error} />
          )
        ) : (
          <KeyValueRows
            id="server-metadata"
            noun={words.item}
            rows={shown.rows}
            onChange={(rows) => setDraft({ ...shown, rows })}
            error={errors.metadata}
            help={words.help}
          />
        )
      }
    </FormDialog>
  )
}
