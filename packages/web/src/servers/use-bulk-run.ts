/** Runs one action on many servers and follows each of them to its end. */
import { useApolloClient } from '@apollo/client/react'
import { useState } from 'react'
import type { BulkProgressQuery, BulkServerActionInput } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { problemOf } from '../lib/problem.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { bulkProgressQuery, bulkServerActionMutation } from './server-actions.documents.js'

/** As many servers as the API takes at once. */
const atOnce = 250

export type ItemOutcome =
  | { state: 'waiting' }
  /** `UNHEARD`: nobody knows whether the cloud has heard of it. */
  | { state: 'refused' | 'failed' | 'unheard'; reason: string }
  | { state: 'running'; progressPercent: number }
  /** Taken on; its end cannot be followed by this viewer. */
  | { state: 'accepted' }
  | { state: 'done' }

export const isOver = ({ state }: ItemOutcome): boolean => state !== 'waiting' && state !== 'running'
export const isBad = ({ state }: ItemOutcome): boolean => state === 'refused' || state === 'failed' || state === 'unheard'

type Child = NonNullable<BulkProgressQuery['operation']>['children']['nodes'][number]

function outcomeOf({ state, progressPercent, error }: Child): ItemOutcome {
  switch (state) {
    case 'SUCCEEDED':
      return { state: 'done' }
    case 'FAILED':
    case 'CANCELLED':
      return { state: 'failed', reason: error?.message ?? '' }
    case 'QUEUED':
    case 'RUNNING':
      return { state: 'running', progressPercent }
  }
}

export type BulkWish = Omit<BulkServerActionInput, 'serverIds' | 'idempotencyKey'>

export function useBulkRun() {
  const apollo = useApolloClient()
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, ItemOutcome>>(new Map())
  const [followed, setFollowed] = useState<readonly string[]>([])
  const note = (changes: Iterable<[string, ItemOutcome]>): void => setOutcomes((before) => new Map([...before, ...changes]))

  const look = async (operationIds: readonly string[]): Promise<void> => {
    for (const id of operationIds) {
      try {
        const { data } = await apollo.query({ query: bulkProgressQuery, variables: { id, first: atOnce }, fetchPolicy: 'network-only' })
        note(
          (data?.operation?.children.nodes ?? []).flatMap((child) => (child.serverId === null ? [] : [[child.serverId, outcomeOf(child)]])),
        )
      } catch (error) {
        if (problemOf(error).code !== 'FORBIDDEN') throw error
        setOutcomes(
          (before) => new Map([...before].map(([key, outcome]) => [key, outcome.state === 'running' ? { state: 'accepted' } : outcome])),
        )
      }
    }
  }

  const isRunning = [...outcomes.values()].some((outcome) => !isOver(outcome))
  useLiveRefetch(
    () => look(followed),
    (signal) => isRunning && signal.topic === 'operation',
  )

  const run = async (wish: BulkWish, serverIds: readonly string[]): Promise<void> => {
    note(serverIds.map((id) => [id, { state: 'waiting' }]))
    for (let from = 0; from < serverIds.length; from += atOnce) {
      const chunk = serverIds.slice(from, from + atOnce)
      try {
        const { data } = await apollo.mutate({
          mutation: bulkServerActionMutation,
          variables: { input: { ...wish, serverIds: chunk, idempotencyKey: randomKey() } },
        })
        const results = data?.bulkServerAction.results ?? []
        note(
          results.map(({ serverId, accepted, error, operation }): [string, ItemOutcome] => [
            serverId,
            !accepted
              ? { state: 'refused', reason: error?.message ?? '' }
              : operation === null
                ? { state: 'done' }
                : { state: 'running', progressPercent: 0 },
          ]),
        )
        const parent = data?.bulkServerAction.operation.id
        if (parent !== undefined && results.some(({ operation }) => operation !== null)) {
          setFollowed((before) => [...before, parent])
          // What ended before anybody followed it has sent its last signal.
          await look([parent]).catch(() => undefined)
        }
      } catch (error) {
        const { code, message } = problemOf(error)
        note(chunk.map((id) => [id, { state: code === 'UNREACHABLE' ? 'unheard' : 'refused', reason: message }]))
      }
    }
  }
  return { outcomes, run }
}
