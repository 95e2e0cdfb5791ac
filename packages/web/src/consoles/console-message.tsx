import { Button } from '@patternfly/react-core'
import type { ConsoleLink } from './use-console-link.js'

/**
 * Says over the console how its connection is. It stays in the page, so that it is read out when it changes; it never takes the focus.
 * What the console showed last can be read on while it comes back.
 */
export function ConsoleMessage({ link: { state, reconnect } }: { link: ConsoleLink }) {
  const comesBack = state.phase === 'waiting' || (state.phase === 'connecting' && state.breaks > 0)
  const isFirst = state.phase === 'connecting' && !comesBack
  const shape = state.phase === 'connected' ? '' : isFirst ? 'kn-console-message' : 'kn-console-note'
  return (
    <div className={shape}>
      <div role="status" aria-label="Connection">
        {comesBack && (
          <p>
            <strong>Reconnecting…</strong> {state.reason}
          </p>
        )}
        {isFirst && <p>Connecting…</p>}
        {state.phase === 'connected' && <span className="pf-v6-screen-reader">Connected.</span>}
        {state.phase === 'off' && (
          <p>
            <strong>{state.reason ?? 'The server does not run.'}</strong> The console comes back when the server runs again.
          </p>
        )}
        {state.phase === 'ended' && <p>{state.reason}</p>}
      </div>
      {state.phase === 'waiting' && (
        <Button variant="secondary" size="sm" onClick={reconnect}>
          Reconnect now
        </Button>
      )}
      {state.phase === 'ended' && (
        <Button size="sm" onClick={reconnect}>
          Open again
        </Button>
      )}
    </div>
  )
}
