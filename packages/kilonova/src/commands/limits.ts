/** `kilonova limits`: the unified limits of the identity service, which count with `quota.driver` set to the unified driver. */
import { existsSync } from 'node:fs'
import { Database } from '@kilonova/api/db/database'
import type { ApiSchema } from '@kilonova/api/db/schemas'
import { LimitError, setProjectLimit, setRegisteredLimit, unifiedLimits } from '@kilonova/api/manage/unified-limits'
import { createLogger } from '@kilonova/runtime/logger'
import { readCloudConfig } from '../cloud/cloud-config.js'
import { DataFolder, OperatorError } from '../cloud/data-folder.js'
import { deploymentOf } from '../cloud/deployment.js'

export interface LimitFlags {
  data: string
  db: string | null
}

export type LimitCommand =
  | { kind: 'list' }
  /** Null: no longer registered, or back to the registered limit. No project: the registered limit. */
  | { kind: 'set'; name: string; limit: number | null; projectId: string | null }

/** Works beside a running cloud: limits are read anew for every request. */
export async function limits(flags: LimitFlags, command: LimitCommand, say: (line: string) => void): Promise<void> {
  if (!existsSync(flags.data)) throw new OperatorError(`There is no cloud at ${flags.data}.`)
  const data = DataFolder.open(flags.data)
  const config = readCloudConfig(data.file('kilonova.yaml'))
  const { apiUrl } = deploymentOf({ roles: [], name: 'limits', db: flags.db, bus: null }, config, data).databases
  if (apiUrl.startsWith('sqlite://') && !existsSync(apiUrl.slice('sqlite://'.length))) {
    throw new OperatorError(`The cloud at ${data.path} has never been started.`)
  }
  const api = new Database<ApiSchema>({ url: apiUrl, name: 'api', log: createLogger('warn', process.stderr) })
  try {
    if (command.kind === 'list') await list(api, say)
    else if (command.projectId === null) await setRegisteredLimit(api, command.name, command.limit)
    else await setProjectLimit(api, command.projectId, command.name, command.limit)
    if (config.quota.driver !== 'nova.quota.UnifiedLimitsDriver') {
      say(`Not in force: quota.driver is ${config.quota.driver}, not nova.quota.UnifiedLimitsDriver.`)
    }
  } catch (error) {
    throw error instanceof LimitError ? new OperatorError(error.message) : error
  } finally {
    await api.close()
  }
}

async function list(api: Database<ApiSchema>, say: (line: string) => void): Promise<void> {
  const { registered, projects } = await unifiedLimits(api)
  for (const { name, limit } of registered) say(`${name}\t${limit}`)
  for (const { projectId, name, limit } of projects) say(`${name}\t${limit}\tproject ${projectId}`)
}
