import { useQuery } from '@apollo/client/react'
import { OperationCard } from '../activity/operation-card.js'
import { ErrorNotice, Forbidden, Loading, Nothing } from '../components/states.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { serverOperationsQuery } from './server.documents.js'

export function ServerActivityTab({ serverId }: { serverId: string }) {
  const may = useMay('os_compute_api:os-instance-actions:list')
  const { data, error, refetch } = useQuery(serverOperationsQuery, { variables: { serverId, first: 100 }, skip: !may })
  // Operations already shown change through the cache; a new one needs the list again.
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'operation' && signal.operation.serverId === serverId,
  )
  if (!may) return <Forbidden />
  if (data === undefined) {
    return error === undefined ? (
      <Loading what="the activity" />
    ) : (
      <ErrorNotice what="The activity" error={error} retry={() => void refetch()} />
    )
  }
  if (data.operations.nodes.length === 0)
    return <Nothing title="Nothing has happened yet">What is done to this server shows up here.</Nothing>
  return (
    <>
      {data.operations.nodes.map((operation) => (
        <OperationCard key={operation.id} operation={operation} showTarget={false} />
      ))}
    </>
  )
}
