/** The password of a new server, handed over by the launch page and gone once closed or left. */
import { Alert, AlertActionCloseButton, ClipboardCopy } from '@patternfly/react-core'
import { useState } from 'react'
import { takeLaunched } from './launched.js'

export function AdminPasswordNotice({ serverId }: { serverId: string }) {
  const [launched, setLaunched] = useState(() => takeLaunched(serverId))
  if (launched === null) return null
  return (
    <Alert
      component="p"
      isInline
      variant="info"
      className="kn-gap-above"
      title={launched.count === 1 ? 'Administrator password of this server' : `Administrator password of these ${launched.count} servers`}
      actionClose={<AlertActionCloseButton title="Administrator password" onClose={() => setLaunched(null)} />}
    >
      <p>It is shown only now. Keep it if the image uses it.</p>
      <ClipboardCopy isReadOnly hoverTip="Copy" clickTip="Copied" textAriaLabel="Administrator password">
        {launched.adminPassword}
      </ClipboardCopy>
    </Alert>
  )
}
