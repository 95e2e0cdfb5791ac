/** The part of noVNC this dashboard uses; its own types describe another module path. */
declare module '@novnc/novnc' {
  interface RfbEvents {
    connect: CustomEvent<Record<string, never>>
    disconnect: CustomEvent<{ clean: boolean }>
    securityfailure: CustomEvent<{ status: number; reason?: string }>
    credentialsrequired: CustomEvent<{ types: string[] }>
  }
  export default class RFB extends EventTarget {
    constructor(target: Element, channel: WebSocket, options?: { shared?: boolean })
    viewOnly: boolean
    scaleViewport: boolean
    clipViewport: boolean
    background: string
    focusOnClick: boolean
    disconnect(): void
    sendCtrlAltDel(): void
    focus(): void
    blur(): void
    addEventListener<E extends keyof RfbEvents>(type: E, listener: (event: RfbEvents[E]) => void): void
  }
}
