/**
 * A console by link, as `createConsole` hands it out. The ticket stands behind the `#`, which browsers never send; it opens one
 * connection and is taken out of the address at once. Without a ticket, a signed-in user is led to the server's page.
 */
import { PageSection } from '@patternfly/react-core'
import { lazy, Suspense, useEffect, useState } from 'react'
import { Link, Navigate, useParams } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { Loading, Nothing } from '../components/states.js'
import { ProblemError } from '../lib/problem.js'

const VncScreen = lazy(async () => ({ default: (await import('./vnc-screen.js')).VncScreen }))
const SerialTerminal = lazy(async () => ({ default: (await import('./serial-terminal.js')).SerialTerminal }))

export function ConsolePage() {
  const { serverId = '', kind = '' } = useParams()
  const [ticket] = useState(() => {
    let token = new URLSearchParams(location.hash.slice(1)).get('token')
    const given = token !== null
    const open = async () => {
      if (token === null)
        throw new ProblemError('The link has been used. Open the console from the server’s page, or ask for a new link.', { code: 'GONE' })
      const used = token
      token = null
      return { webSocketUrl: `/console/ws/${kind}`, token: used }
    }
    return { given, open }
  })
  useEffect(() => {
    if (location.hash !== '') history.replaceState(history.state, '', location.pathname)
  }, [])
  if (kind !== 'vnc' && kind !== 'serial') {
    return (
      <main>
        <Nothing title="There is no such console" action={<Link to="/servers">Go to the servers</Link>} />
      </main>
    )
  }
  if (!ticket.given) return <Navigate to={`/servers/${serverId}/${kind === 'vnc' ? 'console' : 'serial'}`} replace />
  return (
    <main className="kn-console-page">
      <PageTitle title={kind === 'vnc' ? 'Screen' : 'Serial console'} />
      <PageSection hasBodyWrapper={false} aria-label="Console">
        <Suspense fallback={<Loading what="the console" />}>
          {kind === 'vnc' ? <VncScreen open={ticket.open} /> : <SerialTerminal open={ticket.open} />}
        </Suspense>
      </PageSection>
    </main>
  )
}
