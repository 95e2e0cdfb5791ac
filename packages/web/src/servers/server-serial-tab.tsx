import { Nothing } from '../components/states.js'
import { SerialTerminal } from '../consoles/serial-terminal.js'
import type { ServerDetails } from './server-page.js'
import { consoleRefusal, useOpenConsole } from './use-open-console.js'

export function ServerSerialTab({ server }: { server: ServerDetails }) {
  const open = useOpenConsole(server.id, 'SERIAL')
  const refusal = consoleRefusal(server, 'SERIAL')
  if (refusal !== null) return <Nothing title="The serial console is not available">{refusal}</Nothing>
  return <SerialTerminal open={open} />
}
