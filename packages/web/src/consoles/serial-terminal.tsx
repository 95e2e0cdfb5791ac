/**
 * A terminal on the guest's serial port. It begins with what was written before it was opened, and goes on after a break where it left
 * off: it counts the bytes it has shown, and the cloud says where each connection begins.
 */
import '@xterm/xterm/css/xterm.css'
import { Button, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import { useEffect, useRef } from 'react'
import { ConsoleMessage } from './console-message.js'
import type { ConsoleTicket, ConsoleMessage as LineMessage } from './console-socket.js'
import { type ConsoleEvents, useConsoleLink } from './use-console-link.js'
import { useFullScreen } from './use-full-screen.js'

export function SerialTerminal({ open, serverRuns = true }: { open: () => Promise<ConsoleTicket>; serverRuns?: boolean }) {
  const frame = useRef<HTMLDivElement>(null)
  const target = useRef<HTMLDivElement>(null)
  const terminal = useRef<Terminal | null>(null)
  const socket = useRef<WebSocket | null>(null)
  /** Offset in the guest's log of the next byte; null while it is not known. */
  const place = useRef<number | null>(null)
  const opened = useRef<(() => void) | null>(null)
  /** The first connection takes the focus, as the user has just asked for it; later ones come by themselves. */
  const hasFocused = useRef(false)
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
      place.current = null
      term.dispose()
    }
  }, [])

  const connect = (line: WebSocket, events: ConsoleEvents): (() => void) => {
    socket.current = line
    opened.current = events.opened
    const show = ({ data }: MessageEvent<ArrayBuffer>): void => {
      const bytes = new Uint8Array(data)
      if (place.current !== null) place.current += bytes.length
      terminal.current?.write(bytes)
    }
    line.addEventListener('message', show)
    return () => {
      line.removeEventListener('message', show)
      if (socket.current !== line) return
      socket.current = null
      opened.current = null
    }
  }
  const onMessage = (message: LineMessage): void => {
    if (message.type !== 'position') return
    const term = terminal.current
    const { offset, skippedBytes } = message
    const known = place.current
    place.current = offset
    // Without a common place the last output comes again with a new connection: what is shown of it must go.
    if (opened.current !== null && (known === null || offset === null || offset < known)) term?.reset()
    if (skippedBytes > 0) term?.write(`\r\n\u001b[7m[${skippedBytes} bytes of output were skipped]\u001b[0m\r\n`)
    opened.current?.()
    opened.current = null
  }
  const link = useConsoleLink({ open, serverRuns, connect, onMessage, from: () => place.current })
  const { phase } = link.state
  useEffect(() => {
    if (phase !== 'connected' || hasFocused.current) return
    hasFocused.current = true
    terminal.current?.focus()
  }, [phase])
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
            <Button variant="secondary" onClick={link.reconnect}>
              Reconnect
            </Button>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <section ref={frame} className="kn-console" aria-label="Serial console of the server">
        <div ref={target} className="kn-terminal" />
        <ConsoleMessage link={link} />
      </section>
    </>
  )
}
