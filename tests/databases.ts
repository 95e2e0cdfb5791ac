/** A PostgreSQL and a Redis for all unit tests, when they are installed. */
import { OwnPostgres, OwnRedis, postgresInstalled, redisInstalled } from '../packages/runtime/src/database-servers.testkit.js'

export default async function setup(): Promise<() => Promise<void>> {
  const stops: (() => unknown)[] = []
  if (postgresInstalled) {
    const postgres = await OwnPostgres.start()
    process.env.KILONOVA_TEST_POSTGRES = postgres.url()
    stops.push(() => postgres.remove())
  }
  if (redisInstalled) {
    const redis = await OwnRedis.start()
    process.env.KILONOVA_TEST_REDIS = redis.url
    stops.push(() => redis.remove())
  }
  return async () => {
    for (const stop of stops.reverse()) await stop()
  }
}
