import { Button } from '@patternfly/react-core'
import type { ConsoleState } from './use-console-link.js'

/** Over the screen while there is no connection. */
export function ConsoleMessage({ state, reconnect }: { state: ConsoleState; reconnect: () => void }) {
  return (
    <div role="status" className={state.phase === 'connected' ? '' : 'kn-console-message'}>
      {state.phase === 'connecting' && 'Connecting…'}
      {state.phase === 'waiting' && (
        <div>
          <p>{state.reason}</p>
          <p>Trying again in {state.seconds} s.</p>
          <Button onClick={reconnect}>Reconnect now</Button>
        </div>
      )}
      {state.phase === 'closed' && (
        <div>
          <p>{state.reason}</p>
          <Button onClick={reconnect}>Reconnect</Button>
        </div>
      )}
    </div>
  )
}
