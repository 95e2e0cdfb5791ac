import { agentService } from '@kilonova/contract/rpc/agent'
import { BusUnavailableError } from '@kilonova/runtime/bus/bus'
import { InProcessBus } from '@kilonova/runtime/bus/in-process.bus'
import { createLogger } from '@kilonova/runtime/logger'
import { TransactionScopeError } from '@kilonova/runtime/transaction-scope'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Scratch, scratchDatabase, scratchDialects } from './scratch.testkit.js'

describe.each(scratchDialects)('a transaction on %s', (dialect) => {
  let one: Scratch
  let other: Scratch
  const bus = new InProcessBus(createLogger('silent'))
  beforeAll(async () => {
    one = await scratchDatabase(dialect)
    other = await scratchDatabase(dialect)
  })
  afterAll(async () => {
    await one?.drop()
    await other?.drop()
  })

  const write = (value: string) => one.database.transaction((trx) => trx.insertInto('settings').values({ name: 'n', value }).execute())
  const stored = async () => (await one.database.read.selectFrom('settings').select('value').execute()).map((row) => row.value)

  it('refuses a second database, a query beside it, a nested one, and the bus', async () => {
    const inside = (work: () => unknown) => expect(one.database.transaction(async () => work())).rejects.toThrow(TransactionScopeError)
    await inside(() => other.database.transaction(async () => {}))
    await inside(() => other.database.read)
    await inside(() => one.database.read)
    await inside(() => one.database.transaction(async () => {}))
    await inside(() => one.database.readClock())
    await inside(() => bus.call('compute.x', agentService.uptime, {}))
    await inside(() => bus.cast('compute.x', agentService.uptime, {}))
    // Outside, the same call only finds nobody there.
    await expect(bus.call('compute.x', agentService.uptime, {})).rejects.toThrow(BusUnavailableError)
  })

  it('leaves nothing behind when its work throws', async () => {
    const refused = one.database.transaction(async (trx) => {
      await trx.insertInto('settings').values({ name: 'lost', value: 'x' }).execute()
      throw new Error('no')
    })
    await expect(refused).rejects.toThrow('no')
    expect(await stored()).toEqual([])
    await write('kept')
    expect(await stored()).toEqual(['kept'])
  })

  it('runs beside others without losing a count', async () => {
    await one.database.transaction((trx) => trx.insertInto('settings').values({ name: 'count', value: '0' }).execute())
    const add = () =>
      one.database.transaction(async (trx) => {
        let query = trx.selectFrom('settings').select('value').where('name', '=', 'count')
        if (dialect === 'postgres') query = query.forUpdate()
        const { value } = await query.executeTakeFirstOrThrow()
        await trx
          .updateTable('settings')
          .set({ value: String(Number(value) + 1) })
          .where('name', '=', 'count')
          .execute()
      })
    await Promise.all(Array.from({ length: 50 }, add))
    expect(await stored()).toContain('50')
  })
})
