/** The parts of a server that dialogs change, read anew when one opens: a row of a list does not hold them. */
import { useQuery } from '@apollo/client/react'
import { editableServerQuery } from './server-actions.documents.js'

export function useEditableServer(id: string) {
  const { data, error, refetch } = useQuery(editableServerQuery, {
    variables: { id },
    fetchPolicy: 'network-only',
    nextFetchPolicy: 'cache-only',
  })
  return { server: data?.server ?? null, error, refetch: async () => (await refetch()).data?.server ?? null }
}
