/** How a process hands a saga to whichever conductor runs it: the row is the order, the notice only saves the conductor's next look. */
import { type SagaNotice, sagaNotice, sagaTopic } from '@kilonova/contract/rpc/notices'
import type { MessageBus, Subscription } from '@kilonova/runtime/bus/bus'
import { openTransaction } from '@kilonova/runtime/transaction-scope'
import type { Transaction } from 'kysely'
import type { Database } from '../db/database.js'
import type { SagaEngine } from './saga-engine.js'
import { type NewSaga, SagaStore } from './saga-store.js'

export class SagaQueue<Schema> {
  readonly #bus: MessageBus
  readonly #topic: string
  readonly #store: SagaStore<Schema>

  /** @param name `api`, or the id of the cell whose database this is. */
  constructor(options: { database: Database<Schema>; name: string; bus: MessageBus }) {
    this.#bus = options.bus
    this.#topic = sagaTopic(options.name)
    this.#store = new SagaStore(options.database, '')
  }

  /** Writes a saga in the caller's transaction and tells of it once that has committed. False: it was there already. */
  async begin(trx: Transaction<Schema>, saga: NewSaga): Promise<boolean> {
    const inserted = await this.#store.insert(trx, saga)
    if (inserted) openTransaction()?.afterCommit.push(() => this.wake(saga.id))
    return inserted
  }

  /** A saga may run now. Never waits, never fails. */
  wake(sagaId: string): void {
    void this.#bus.fanout(this.#topic, { sagaId } satisfies SagaNotice)
  }

  /** Lets an engine in this process hear what is told here or elsewhere. */
  async feed(engine: SagaEngine<Schema>): Promise<Subscription> {
    return this.#bus.listen(this.#topic, (message) => engine.poke(sagaNotice.parse(message).sagaId))
  }
}
