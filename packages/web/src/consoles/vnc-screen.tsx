/** The screen of a guest. Nothing of it reaches the page but pixels. */
import RFB from '@novnc/novnc'
import { Button, Switch, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { useEffect, useRef, useState } from 'react'
import { ConsoleMessage } from './console-message.js'
import { type ConnectConsole, type ConsoleTicket, useConsoleLink } from './use-console-link.js'
import { useFullScreen } from './use-full-screen.js'

export function VncScreen({ open }: { open: () => Promise<ConsoleTicket> }) {
  const frame = useRef<HTMLDivElement>(null)
  const target = useRef<HTMLDivElement>(null)
  const rfb = useRef<RFB | null>(null)
  const [viewOnly, setViewOnly] = useState(false)
  const [scale, setScale] = useState(true)
  const settings = useRef({ viewOnly, scale })
  const fullScreen = useFullScreen(frame)

  const connect: ConnectConsole = (url, protocols, events) => {
    if (target.current === null) return () => undefined
    const client = new RFB(target.current, url, { shared: true, wsProtocols: protocols })
    rfb.current = client
    client.background = '#000'
    client.viewOnly = settings.current.viewOnly
    client.scaleViewport = settings.current.scale
    let refusal: string | null = null
    let ended = false
    client.addEventListener('connect', () => events.connected())
    client.addEventListener('securityfailure', () => {
      refusal = 'The screen refused the connection.'
    })
    client.addEventListener('credentialsrequired', () => {
      refusal = 'The screen asks for a password of its own, which the dashboard does not have.'
      client.disconnect()
    })
    client.addEventListener('disconnect', ({ detail }) => {
      ended = true
      events.closed(refusal ?? (detail.clean ? 'The console was closed.' : 'The connection broke.'))
    })
    return () => {
      if (rfb.current === client) rfb.current = null
      if (!ended) client.disconnect()
    }
  }
  const { state, reconnect } = useConsoleLink(open, connect)

  useEffect(() => {
    settings.current = { viewOnly, scale }
    if (rfb.current === null) return
    rfb.current.viewOnly = viewOnly
    rfb.current.scaleViewport = scale
  }, [viewOnly, scale])
  const connected = state.phase === 'connected'

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
            <Button variant="secondary" onClick={reconnect}>
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
        <ConsoleMessage state={state} reconnect={reconnect} />
      </section>
    </>
  )
}
