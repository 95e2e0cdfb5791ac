/** Hears every command that a Redis is sent, and reads all it holds: for proofs of what must never be there. */
import { createClient } from 'redis'

const connect = async (url: string) => {
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  return client
}

export class RedisEar {
  /** Commands with their arguments, as Redis tells them. */
  heard = ''
  readonly #monitor: Awaited<ReturnType<typeof connect>>
  readonly #client: Awaited<ReturnType<typeof connect>>

  private constructor(monitor: Awaited<ReturnType<typeof connect>>, client: Awaited<ReturnType<typeof connect>>) {
    this.#monitor = monitor
    this.#client = client
  }

  static async open(url: string): Promise<RedisEar> {
    const ear = new RedisEar(await connect(url), await connect(url))
    await ear.#monitor.monitor((command) => {
      ear.heard += `${String(command)}\n`
    })
    return ear
  }

  /** Every key with what it holds now. */
  async contents(): Promise<string> {
    const client = this.#client
    const values = await Promise.all(
      (await client.keys('*')).map(async (key) => {
        const type = await client.type(key)
        if (type === 'stream') return [key, await client.xRange(key, '-', '+')]
        if (type === 'zset') return [key, await client.zRange(key, 0, -1)]
        if (type === 'none') return [key]
        throw new Error(`the bus keeps no ${type}`)
      }),
    )
    return JSON.stringify(values)
  }

  close(): void {
    this.#monitor.destroy()
    this.#client.destroy()
  }
}
