/** Apollo Client with a normalised cache: an object that changes anywhere changes on every page that shows it. */
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client'
import { fetchWithSession } from './fetch-with-session.js'
import type { SessionStore } from './session.js'

export function createApollo(session: SessionStore): ApolloClient {
  return new ApolloClient({
    link: new HttpLink({ uri: '/graphql', fetch: fetchWithSession(session) }),
    cache: new InMemoryCache({
      typePolicies: {
        Server: { fields: { flavor: { merge: true } } },
        Operation: { fields: { schedulingSummary: { merge: true } } },
        // Key pairs are named per user; their number is no identity a client may rely on.
        Keypair: { keyFields: ['userId', 'name'] },
      },
    }),
    defaultOptions: { watchQuery: { fetchPolicy: 'cache-and-network', nextFetchPolicy: 'cache-first' } },
  })
}
