/** Submits the launch form: one key for one wish, kept while nobody knows whether the wish was heard. */
import { useMutation } from '@apollo/client/react'
import { useRef } from 'react'
import type { CreateServerMutation } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { ProblemError, problemOf } from '../lib/problem.js'
import type { Draft } from './draft.js'
import { createServerMutation } from './launch.documents.js'
import { inputOf } from './launch-input.js'

export function useLaunch(): { launch: (draft: Draft) => Promise<CreateServerMutation['createServer']>; busy: boolean } {
  const [create, { loading }] = useMutation(createServerMutation)
  const unheard = useRef<{ wish: string; key: string } | null>(null)
  const launch = async (draft: Draft): Promise<CreateServerMutation['createServer']> => {
    const input = inputOf(draft)
    const wish = JSON.stringify(input)
    const key = unheard.current?.wish === wish ? unheard.current.key : randomKey()
    unheard.current = { wish, key }
    try {
      const { data } = await create({ variables: { input: { ...input, idempotencyKey: key } } })
      if (data === undefined) throw new ProblemError('The cloud gave no answer.', { code: 'UNREACHABLE' })
      unheard.current = null
      return data.createServer
    } catch (error) {
      // A refusal is an answer: the next attempt is a new wish.
      if (problemOf(error).code !== 'UNREACHABLE') unheard.current = null
      throw error
    }
  }
  return { launch, busy: loading }
}
