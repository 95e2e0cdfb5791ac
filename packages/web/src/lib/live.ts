/**
 * What makes the pages live: three streams over one WebSocket while somebody is signed in. Objects that come with a signal go into
 * the cache at once; pages that show lists hear of it and fetch again.
 */
import type { ApolloClient } from '@apollo/client'
import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { createClient } from 'graphql-ws'
import type { EventSubject, OperationChangedSubscription, ServerChangedSubscription } from '../generated/graphql.js'
import { eventsSubscription, operationChangedSubscription, serverChangedSubscription } from './live.documents.js'
import { type LiveStreamOptions, runLiveStream } from './live-stream.js'
import type { SessionStore, Viewer } from './session.js'

export type LiveSignal =
  | { topic: 'server'; change: ServerChangedSubscription['serverChanged'] }
  | { topic: 'operation'; operation: OperationChangedSubscription['operationChanged']['operation'] }
  | { topic: 'object'; subject: EventSubject; subjectId: string | null }
  /** Signals may have been missed: everything shown must be fetched again. */
  | { topic: 'gap' }

type OwnStream<T, V extends Record<string, unknown>> = Omit<LiveStreamOptions<T, V>, 'beforeReconnect'>

const watchedSubjects: EventSubject[] = ['IMAGE', 'FLAVOR', 'KEYPAIR', 'SERVICE']
const pongWithinMs = 5000

export class Live {
  readonly #session: SessionStore
  readonly #apollo: ApolloClient
  readonly #listeners = new Set<(signal: LiveSignal) => void>()
  readonly #statusListeners = new Set<() => void>()
  #connected = true
  #stop: AbortController | null = null
  /** Opens a stream over the connection of who is signed in. */
  #open: (<T, V extends Record<string, unknown>>(options: OwnStream<T, V>) => void) | null = null

  constructor(session: SessionStore, apollo: ApolloClient) {
    this.#session = session
    this.#apollo = apollo
  }

  listen(listener: (signal: LiveSignal) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly subscribeStatus = (listener: () => void): (() => void) => {
    this.#statusListeners.add(listener)
    return () => this.#statusListeners.delete(listener)
  }
  readonly connected = (): boolean => this.#connected

  start(viewer: Viewer): () => void {
    this.stop()
    const stop = new AbortController()
    this.#stop = stop
    let usedToken: string | null = null
    let admitted = false
    let pong: ReturnType<typeof setTimeout> | undefined
    const client = createClient({
      url: `${location.origin.replace(/^http/, 'ws')}/graphql`,
      // The streams reconnect themselves, each behind its own cursor.
      retryAttempts: 0,
      keepAlive: 10_000,
      connectionParams: async () => {
        admitted = false
        usedToken = await this.#session.token()
        return { accessToken: usedToken }
      },
      on: {
        connected: () => {
          admitted = true
          this.#setConnected(true)
        },
        closed: () => {
          clearTimeout(pong)
          if (!stop.signal.aborted) this.#setConnected(false)
        },
        ping: (received) => {
          if (!received) pong = setTimeout(() => client.terminate(), pongWithinMs)
        },
        pong: (received) => {
          if (received) clearTimeout(pong)
        },
      },
    })
    stop.signal.addEventListener('abort', () => void client.dispose())
    const beforeReconnect = async (): Promise<void> => {
      // A token that was refused at the door is of no use any more; one that merely ran out has a successor already.
      if (!admitted && usedToken !== null) await this.#session.tokenAfter(usedToken)
      // Where the login has ended under the page, the streams go on with the next one.
      await this.#session.token()
    }
    this.#open = (options) => {
      void runLiveStream(client, { ...options, beforeReconnect, signal: AbortSignal.any([options.signal, stop.signal]) })
    }
    const common = { onGap: () => this.#emit({ topic: 'gap' }), beforeReconnect, signal: stop.signal }
    const withTypeNames = <T, V>(document: TypedDocumentNode<T, V>): TypedDocumentNode<T, V> =>
      this.#apollo.cache.transformDocument(document) as TypedDocumentNode<T, V>
    const may = (rule: string): boolean => viewer.allowedRules.includes(rule)

    if (may('os_compute_api:servers:detail')) {
      void runLiveStream(client, {
        ...common,
        document: withTypeNames(serverChangedSubscription),
        variables: {},
        cursorOf: (data) => data.serverChanged.cursor,
        onData: (data) => {
          this.#remember(serverChangedSubscription, data)
          this.#emit({ topic: 'server', change: data.serverChanged })
        },
      })
    }
    if (may('os_compute_api:os-instance-actions:list')) {
      void runLiveStream(client, {
        ...common,
        document: withTypeNames(operationChangedSubscription),
        variables: {},
        cursorOf: (data) => data.operationChanged.cursor,
        onData: (data) => {
          this.#remember(operationChangedSubscription, data)
          this.#emit({ topic: 'operation', operation: data.operationChanged.operation })
        },
      })
    }
    if (may('cloud:events:read')) {
      void runLiveStream(client, {
        ...common,
        document: eventsSubscription,
        variables: { filter: { subjects: watchedSubjects, ...(may('cloud:events:all_projects') ? { allProjects: true } : {}) } },
        cursorOf: (data) => data.events.cursor,
        onData: ({ events }) => {
          if (events.__typename === 'EventGap') this.#emit({ topic: 'gap' })
          if (events.__typename === 'Event') this.#emit({ topic: 'object', subject: events.subject, subjectId: events.subjectId ?? null })
        },
      })
    }
    return () => {
      if (this.#stop === stop) this.stop()
    }
  }

  stop(): void {
    this.#stop?.abort()
    this.#stop = null
    this.#open = null
    this.#setConnected(true)
  }

  /** A stream for one page, until its signal aborts. */
  follow<T, V extends Record<string, unknown>>(options: OwnStream<T, V>): void {
    this.#open?.(options)
  }

  /** Puts the objects of a signal into the cache; the signal itself is of no use there. */
  #remember<T, V extends Record<string, unknown>>(document: TypedDocumentNode<T, V>, data: T): void {
    const { cache } = this.#apollo
    const query: TypedDocumentNode = cache.transformDocument(document)
    cache.batch({
      update: () => {
        cache.write({ query, dataId: 'ROOT_SUBSCRIPTION', result: data as Record<string, unknown>, variables: {} })
        cache.evict({ id: 'ROOT_SUBSCRIPTION' })
      },
    })
  }

  #emit(signal: LiveSignal): void {
    for (const listener of [...this.#listeners]) listener(signal)
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return
    this.#connected = connected
    for (const listener of [...this.#statusListeners]) listener()
  }
}
