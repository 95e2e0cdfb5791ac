/** Starts the dashboard: session, data, live streams, pages. */
import '@patternfly/react-core/dist/styles/base.css'
import './app.css'
import { ApolloProvider } from '@apollo/client/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router/dom'
import { createApollo } from './lib/apollo.js'
import { Live } from './lib/live.js'
import { SessionStore } from './lib/session.js'
import { SessionContext } from './lib/session-context.js'
import { followSystemTheme } from './lib/theme.js'
import { LiveContext } from './lib/use-live.js'
import { router } from './routes.js'

followSystemTheme()
const session = new SessionStore()
const apollo = createApollo(session)
const live = new Live(session, apollo)
void session.resume()

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no root element')
createRoot(root).render(
  <StrictMode>
    <SessionContext value={session}>
      <ApolloProvider client={apollo}>
        <LiveContext value={live}>
          <RouterProvider router={router} />
        </LiveContext>
      </ApolloProvider>
    </SessionContext>
  </StrictMode>,
)
