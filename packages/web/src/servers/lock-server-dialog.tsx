import { useMutation } from '@apollo/client/react'
import { useState } from 'react'
import { TextField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import { randomKey } from '../lib/keys.js'
import { text } from '../text/text.js'
import { lockServerMutation } from './server-actions.documents.js'
import { type ActableServer, nameOf } from './use-server-actions.js'

const words = text.servers.lock

export function LockServerDialog({ server, close }: { server: ActableServer; close: () => void }) {
  const [lock] = useMutation(lockServerMutation)
  const [reason, setReason] = useState('')
  return (
    <FormDialog<'reason'>
      title={words.title(nameOf(server))}
      submitLabel={words.submit}
      cancelLabel={text.servers.cancel}
      fieldFor={(path) => (path.endsWith('reason') ? 'reason' : null)}
      onSubmit={async () => {
        const given = reason.trim()
        await lock({
          variables: { input: { serverId: server.id, ...(given === '' ? {} : { reason: given }), idempotencyKey: randomKey() } },
        })
      }}
      onClose={close}
    >
      {(errors) => (
        <>
          <p>{words.why}</p>
          <TextField
            id="lock-reason"
            label={words.reason}
            value={reason}
            onChange={setReason}
            error={errors.reason}
            help={words.reasonHelp}
          />
        </>
      )}
    </FormDialog>
  )
}
