/** Disables a host, with a reason for the other administrators. */
import { useState } from 'react'
import { TextField } from '../components/fields.js'
import { FormDialog } from '../components/form-dialog.js'
import { text } from '../text/text.js'

const words = text.hosts.services

interface DisableServiceDialogProps {
  host: string
  disable: (reason: string | null) => Promise<void>
  onClose: () => void
}

export function DisableServiceDialog({ host, disable, onClose }: DisableServiceDialogProps) {
  const [reason, setReason] = useState('')
  return (
    <FormDialog<'reason'>
      title={words.disableTitle(host)}
      submitLabel={words.disable}
      cancelLabel={text.hosts.cancel}
      fieldFor={(path) => (path.endsWith('disabledReason') ? 'reason' : null)}
      onSubmit={() => disable(reason.trim() === '' ? null : reason.trim())}
      onClose={onClose}
    >
      {(errors) => (
        <>
          <p>{words.disableHint}</p>
          <TextField
            id="disable-reason"
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
