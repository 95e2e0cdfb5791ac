/**
 * Sagas: every task of the conductor is a table of steps, each with its action and its undo. Before the pivot a failure unwinds what
 * was done; from the pivot on steps are repeated until they succeed. Every action and undo may run twice.
 */
import type { ErrorReport } from '@kilonova/contract/errors'
import type { WorkKey } from '@kilonova/contract/rpc/agent'
import type { Transaction } from 'kysely'
import type { z } from 'zod'
import type { OutboxEntry } from '../events/outbox.js'

export type SagaState = Record<string, unknown>

/** What a step is told about its saga. */
export interface SagaRun<State extends SagaState> {
  readonly sagaId: string
  readonly operationId: string
  readonly serverId: string
  readonly projectId: string | null
  readonly requestId: string | null
  /** 1 for the first host, 2 for the first alternate, … */
  readonly attempt: number
  readonly fence: number
  readonly state: State
}

/** Runs in the very transaction that records the progress. */
export type Commit<Schema> = (trx: Transaction<Schema>) => Promise<OutboxEntry[]>

export type StepOutcome<State extends SagaState, Schema> =
  | { kind: 'done'; patch?: Partial<State>; commit?: Commit<Schema> }
  /** An agent was asked; `send` is repeated until its report arrives or the deadline passes. */
  | { kind: 'wait'; send: (key: WorkKey) => Promise<void>; timeoutSeconds: number; commit?: Commit<Schema> }
  /** Not yet; look again. */
  | { kind: 'later'; afterMs: number }

export interface SagaStep<State extends SagaState, Schema> {
  readonly name: string
  /** Nova's event name under which users see the step in the operation; absent: not shown. */
  readonly event?: string
  /** Share of the whole operation that is done after this step, 0 to 100. */
  readonly progress?: number
  host?(state: State): string | null
  action(run: SagaRun<State>): Promise<StepOutcome<State, Schema>>
  undo?(run: SagaRun<State>): Promise<StepOutcome<State, Schema>>
  /** Turns an agent's result into state. */
  onReport?(run: SagaRun<State>, result: Record<string, unknown>): { patch?: Partial<State>; commit?: Commit<Schema> }
}

export interface SagaFailure extends ErrorReport {
  step: string
  /** False when another host would fail as well. */
  hostAtFault: boolean
}

/** What happens when everything is unwound: the saga ends, or begins again (the next alternate). */
export type AfterUnwind<State extends SagaState, Schema> =
  | { kind: 'end'; commit: Commit<Schema> }
  | { kind: 'again'; patch: Partial<State>; commit: Commit<Schema> }

export interface SagaDefinition<State extends SagaState, Schema> {
  readonly kind: string
  readonly state: z.ZodType<State>
  /** From this step on nothing is undone; null: there is no such step. */
  readonly pivot: string | null
  readonly steps: readonly SagaStep<State, Schema>[]
  /** Runs with the record of the last step. */
  finish(run: SagaRun<State>): Commit<Schema>
  /** Must be idempotent up to its commit. */
  unwound(run: SagaRun<State>, failure: SagaFailure, cancelled: boolean): Promise<AfterUnwind<State, Schema>>
}

/** A failure of an agent's work, thrown inside the engine. */
export class WorkFailedError extends Error {
  constructor(
    readonly report: ErrorReport,
    readonly hostAtFault: boolean,
  ) {
    super(report.message)
    this.name = 'WorkFailedError'
  }
}
