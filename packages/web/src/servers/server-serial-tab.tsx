import { useState } from 'react'
import { Nothing } from '../components/states.js'
import { SerialTerminal } from '../consoles/serial-terminal.js'
import type { ServerDetails } from './server-page.js'
import { consoleRefusal, serverRuns, useOpenConsole } from './use-open-console.js'

export function ServerSerialTab({ server }: { server: ServerDetails }) {
  const open = useOpenConsole(server.id, 'SERIAL')
  const refusal = consoleRefusal(server, 'SERIAL')
  const [wasOpen, setWasOpen] = useState(false)
  if (refusal === null && !wasOpen) setWasOpen(true)
  // Once open it stays, and says itself why it ended: what it shows can be read on.
  if (refusal !== null && !wasOpen) return <Nothing title="The serial console is not available">{refusal}</Nothing>
  return <SerialTerminal open={open} serverRuns={serverRuns(server)} />
}
