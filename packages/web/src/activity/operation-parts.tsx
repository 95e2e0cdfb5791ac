/** The parts of an operation on many things, fetched when they are unfolded and live from then on. */
import { useQuery } from '@apollo/client/react'
import { ExpandableSection } from '@patternfly/react-core'
import { type ReactNode, useState } from 'react'
import { ErrorNotice, Loading } from '../components/states.js'
import type { OperationFieldsFragment } from '../generated/graphql.js'
import { words as inWords } from '../lib/format.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { operationPartsQuery } from './operation.documents.js'

const words = text.activity
const mostShown = 100

interface OperationPartsProps {
  operation: OperationFieldsFragment
  show: (part: OperationFieldsFragment) => ReactNode
}

export function OperationParts({ operation, show }: OperationPartsProps) {
  const [open, setOpen] = useState(false)
  return (
    <ExpandableSection
      toggleText={words.parts}
      toggleAriaLabel={words.partsOf(inWords(operation.kind))}
      isExpanded={open}
      onToggle={(_event, expanded) => setOpen(expanded)}
      className="kn-gap-above"
    >
      {open && <Parts operation={operation} show={show} />}
    </ExpandableSection>
  )
}

function Parts({ operation, show }: OperationPartsProps) {
  const { data, error, refetch } = useQuery(operationPartsQuery, {
    variables: { id: operation.id, first: mostShown },
    fetchPolicy: 'cache-and-network',
  })
  // Parts already shown change through the cache; a new one needs the list again.
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'operation',
  )
  const parts = data?.operation?.children
  if (parts === undefined) {
    return error === undefined ? (
      <Loading what={words.loading} />
    ) : (
      <ErrorNotice what={words.partsNotLoaded} error={error} retry={() => void refetch()} />
    )
  }
  return (
    <>
      {parts.totalCount > parts.nodes.length && (
        <p className="kn-muted kn-small">{words.partsShown(parts.nodes.length, parts.totalCount)}</p>
      )}
      {parts.nodes.map(show)}
    </>
  )
}
