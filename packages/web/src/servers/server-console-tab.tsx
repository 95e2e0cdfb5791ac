import { useState } from 'react'
import { Nothing } from '../components/states.js'
import { VncScreen } from '../consoles/vnc-screen.js'
import type { ServerDetails } from './server-page.js'
import { consoleRefusal, serverRuns, useOpenConsole } from './use-open-console.js'

export function ServerConsoleTab({ server }: { server: ServerDetails }) {
  const open = useOpenConsole(server.id, 'NOVNC')
  const refusal = consoleRefusal(server, 'NOVNC')
  const [wasOpen, setWasOpen] = useState(false)
  if (refusal === null && !wasOpen) setWasOpen(true)
  // Once open it stays, and says itself why it ended: what it shows can be read on.
  if (refusal !== null && !wasOpen) return <Nothing title="The screen is not available">{refusal}</Nothing>
  return <VncScreen open={open} serverRuns={serverRuns(server)} />
}
