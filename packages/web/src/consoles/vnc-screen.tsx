/** The screen of a guest. Nothing of it reaches the page but pixels. */
import RFB from '@novnc/novnc'
import { Button, Switch, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { useEffect, useRef, useState } from 'react'
import { ConsoleMessage } from './console-message.js'
import type { ConsoleTicket } from './console-socket.js'
import { type ConsoleEvents, useConsoleLink } from './use-console-link.js'
import { useFullScreen } from './use-full-screen.js'

export function VncScreen({ open, serverRuns = true }: { open: () => Promise<ConsoleTicket>; serverRuns?: boolean }) {
  const frame = useRef<HTMLDivElement>(null)
  const target = useRef<HTMLDivElement>(null)
  const rfb = useRef<RFB | null>(null)
  const [viewOnly, setViewOnly] = useState(false)
  const [scale, setScale] = useState(true)
  const settings = useRef({ viewOnly, scale })
  const hadFocus = useRef(false)
  const fullScreen = useFullScreen(frame)

  const connect = (line: WebSocket, events: ConsoleEvents): (() => void) => {
    if (target.current === null) return () => undefined
    const rememberFocus = (): void => {
      hadFocus.current = target.current?.contains(document.activeElement) ?? false
    }
    // Before the client hears of it and takes its picture away.
    line.addEventListener('close', rememberFocus)
    const client = new RFB(target.current, line, { shared: true })
    rfb.current = client
    client.background = '#000'
    client.viewOnly = settings.current.viewOnly
    client.scaleViewport = settings.current.scale
    let ended = false
    client.addEventListener('connect', () => {
      events.opened()
      // The picture that had the focus is gone; where the user has gone on to since, it stays.
      if (hadFocus.current && document.activeElement === document.body) client.focus()
    })
    client.addEventListener('securityfailure', () => events.unusable('The screen refused the connection.'))
    client.addEventListener('credentialsrequired', () =>
      events.unusable('The screen asks for a password of its own, which the dashboard does not have.'),
    )
    client.addEventListener('disconnect', () => {
      ended = true
    })
    return () => {
      if (rfb.current === client) rfb.current = null
      if (ended) return
      rememberFocus()
      client.disconnect()
    }
  }
  const link = useConsoleLink({ open, serverRuns, connect })

  useEffect(() => {
    settings.current = { viewOnly, scale }
    if (rfb.current === null) return
    rfb.current.viewOnly = viewOnly
    rfb.current.scaleViewport = scale
  }, [viewOnly, scale])
  const connected = link.state.phase === 'connected'

  return (
    <>
      <Toolbar inset={{ default: 'insetNone' }}>
        <ToolbarContent>
          <ToolbarItem>
            <Button variant="secondary" isDisabled={!connected || viewOnly} onClick={() => rfb.current?.sendCtrlAltDel()}>
              Send Ctrl-Alt-Del
            </Button>
          </ToolbarItem>
          <ToolbarItem>
            <Button variant="secondary" isDisabled={!connected} onClick={fullScreen.toggle}>
              Full screen
            </Button>
          </ToolbarItem>
          <ToolbarItem>
            <Button variant="secondary" onClick={link.reconnect}>
              Reconnect
            </Button>
          </ToolbarItem>
          <ToolbarItem alignSelf="center">
            <Switch id="vnc-scale" label="Fit to window" isChecked={scale} onChange={(_event, checked) => setScale(checked)} />
          </ToolbarItem>
          <ToolbarItem alignSelf="center">
            <Switch id="vnc-view-only" label="View only" isChecked={viewOnly} onChange={(_event, checked) => setViewOnly(checked)} />
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <section ref={frame} className="kn-console" aria-label="Screen of the server">
        <div ref={target} style={{ width: '100%', height: '100%' }} />
        <ConsoleMessage link={link} />
      </section>
    </>
  )
}
