/** A terminal on the guest's serial port. */
import '@xterm/xterm/css/xterm.css'
import { Button, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import { useEffect, useRef } from 'react'
import { ConsoleMessage } from './console-message.js'
import { type ConnectConsole, type ConsoleTicket, useConsoleLink } from './use-console-link.js'
import { useFullScreen } from './use-full-screen.js'

export function SerialTerminal({ open }: { open: () => Promise<ConsoleTicket> }) {
  const frame = useRef<HTMLDivElement>(null)
  const target = useRef<HTMLDivElement>(null)
  const terminal = useRef<Terminal | null>(null)
  const socket = useRef<WebSocket | null>(null)
  const fullScreen = useFullScreen(frame)

  useEffect(() => {
    if (target.current === null) return
    const term = new Terminal({
      cursorBlink: true,
      convertEol: false,
      scrollback: 5000,
      fontSize: 14,
      fontFamily: '"Red Hat Mono", "DejaVu Sans Mono", monospace',
      screenReaderMode: true,
      theme: { background: '#000000' },
    })
    const fit = new FitAddon()
    term.loadAddon(fit)
    term.open(target.current)
    fit.fit()
    const encoder = new TextEncoder()
    const send = (bytes: Uint8Array<ArrayBuffer>): void => {
      if (socket.current?.readyState === WebSocket.OPEN) socket.current.send(bytes)
    }
    term.onData((text) => send(encoder.encode(text)))
    term.onBinary((text) => send(Uint8Array.from(text, (char) => char.charCodeAt(0) & 255)))
    const observer = new ResizeObserver(() => fit.fit())
    observer.observe(target.current)
    terminal.current = term
    return () => {
      observer.disconnect()
      terminal.current = null
      term.dispose()
    }
  }, [])

  const connect: ConnectConsole = (url, protocols, events) => {
    const connection = new WebSocket(url, protocols)
    connection.binaryType = 'arraybuffer'
    socket.current = connection
    connection.addEventListener('open', () => {
      events.connected()
      terminal.current?.focus()
    })
    connection.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | string>) => {
      terminal.current?.write(typeof data === 'string' ? data : new Uint8Array(data))
    })
    connection.addEventListener('close', ({ reason }) => events.closed(reason === '' ? 'The connection broke.' : reason))
    return () => {
      if (socket.current === connection) socket.current = null
      connection.close()
    }
  }
  const { state, reconnect } = useConsoleLink(open, connect)
  return (
    <>
      <Toolbar inset={{ default: 'insetNone' }}>
        <ToolbarContent>
          <ToolbarItem>
            <Button variant="secondary" onClick={() => terminal.current?.clear()}>
              Clear
            </Button>
          </ToolbarItem>
          <ToolbarItem>
            <Button variant="secondary" onClick={fullScreen.toggle}>
              Full screen
            </Button>
          </ToolbarItem>
          <ToolbarItem>
            <Button variant="secondary" onClick={reconnect}>
              Reconnect
            </Button>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <section ref={frame} className="kn-console" aria-label="Serial console of the server">
        <div ref={target} className="kn-terminal" />
        <ConsoleMessage state={state} reconnect={reconnect} />
      </section>
    </>
  )
}
