/** Knows whether a database transaction is open in the current asynchronous call tree. */
import { AsyncLocalStorage } from 'node:async_hooks'

export interface OpenTransaction {
  readonly database: string
  /** Run once after a successful commit. */
  readonly afterCommit: (() => void)[]
}

const scope = new AsyncLocalStorage<OpenTransaction | undefined>()

/** A bus, driver, file or second database inside a transaction: with SQLite it hangs, with PostgreSQL it holds locks. */
export class TransactionScopeError extends Error {
  override name = 'TransactionScopeError'
}

export const openTransaction = (): OpenTransaction | undefined => scope.getStore()

export function runInTransactionScope<T>(transaction: OpenTransaction, work: () => Promise<T>): Promise<T> {
  return scope.run(transaction, work)
}

/** For work that is started from inside a transaction but does not belong to it. */
export function leaveTransactionScope<T>(work: () => T): T {
  return scope.run(undefined, work)
}

export function assertNoTransaction(what: string): void {
  const open = scope.getStore()
  if (open !== undefined) {
    throw new TransactionScopeError(`${what} inside an open transaction of ${open.database}`)
  }
}
