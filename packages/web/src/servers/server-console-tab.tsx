import { Nothing } from '../components/states.js'
import { VncScreen } from '../consoles/vnc-screen.js'
import type { ServerDetails } from './server-page.js'
import { consoleRefusal, useOpenConsole } from './use-open-console.js'

export function ServerConsoleTab({ server }: { server: ServerDetails }) {
  const open = useOpenConsole(server.id, 'NOVNC')
  const refusal = consoleRefusal(server, 'NOVNC')
  if (refusal !== null) return <Nothing title="The screen is not available">{refusal}</Nothing>
  return <VncScreen open={open} />
}
