/** The frame around every page of a signed-in user, and the gate before it. */
import { useApolloClient } from '@apollo/client/react'
import { Button, Page, SkipToContent } from '@patternfly/react-core'
import { Suspense, useContext, useEffect, useRef } from 'react'
import { Navigate, Outlet, useLocation } from 'react-router'
import { Loading, Nothing } from '../components/states.js'
import { Toaster } from '../components/toaster.js'
import type { Viewer } from '../lib/session.js'
import { useSession, useSessionStore, ViewerContext } from '../lib/session-context.js'
import { LiveContext } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { CommandPalette } from './command-palette.js'
import { ShellMasthead } from './shell-masthead.js'
import { ShellSidebar } from './shell-sidebar.js'
import './shell.css'
import { SignInAgainDialog } from './sign-in-again-dialog.js'

export function Shell() {
  const session = useSession()
  const store = useSessionStore()
  const { pathname, search } = useLocation()
  switch (session.phase) {
    case 'starting':
      return (
        <main>
          <Loading what={text.shell.dashboard} />
        </main>
      )
    case 'unreachable':
      return (
        <main>
          <Nothing title={text.shell.unreachable} action={<Button onClick={() => void store.resume()}>{text.shell.tryAgain}</Button>}>
            {session.message}
          </Nothing>
        </main>
      )
    case 'signed-out': {
      const next = `${pathname}${search}`
      return <Navigate to={next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`} replace />
    }
    case 'signed-in':
    case 'expired':
      return (
        <SignedIn
          viewer={session.viewer}
          ended={session.phase === 'expired'}
          key={`${session.viewer.user.id} ${session.viewer.project?.id}`}
        />
      )
  }
}

/** Lives as long as one user works in one project: nothing cached is shown to the next. */
function SignedIn({ viewer, ended }: { viewer: Viewer; ended: boolean }) {
  const apollo = useApolloClient()
  const live = useContext(LiveContext)
  const first = useRef(viewer)
  useEffect(() => {
    const stop = live?.start(first.current)
    return () => {
      stop?.()
      void apollo.clearStore()
    }
  }, [live, apollo])
  return (
    <ViewerContext value={viewer}>
      <Page
        masthead={<ShellMasthead />}
        sidebar={<ShellSidebar />}
        skipToContent={<SkipToContent href="#main">{text.shell.skipToContent}</SkipToContent>}
        isManagedSidebar
        mainContainerId="main"
        mainAriaLabel={text.shell.content}
      >
        <Suspense fallback={<Loading what={text.shell.page} />}>
          <Outlet />
        </Suspense>
      </Page>
      <Toaster />
      <CommandPalette />
      {ended && <SignInAgainDialog />}
    </ViewerContext>
  )
}
