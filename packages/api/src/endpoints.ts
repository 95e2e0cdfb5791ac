/** Where hosts reach the image endpoint: as configured, or as an API process has told in the API database. */
import { CloudError } from '@kilonova/contract/errors'
import type { Database } from './db/database.js'
import type { ApiSchema } from './db/schemas.js'

const setting = 'internal_url'

export class Endpoints {
  readonly #api: Database<ApiSchema>
  readonly #configured: string | null

  constructor(api: Database<ApiSchema>, configured: string | null) {
    this.#api = api
    this.#configured = configured
  }

  /** Told by an API process once it listens. */
  async publish(url: string): Promise<void> {
    const value = this.#configured ?? url
    await this.#api.transaction(async (trx) => {
      await trx
        .insertInto('settings')
        .values({ name: setting, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute()
    })
  }

  /** Without a slash at its end. Throws UNAVAILABLE while no API process has ever started. */
  async internalUrl(): Promise<string> {
    if (this.#configured !== null) return this.#configured.replace(/\/$/, '')
    const row = await this.#api.read.selectFrom('settings').select('value').where('name', '=', setting).executeTakeFirst()
    if (row === undefined) throw new CloudError('UNAVAILABLE', 'No API process has told its address yet.')
    return row.value
  }
}
