/** The command beside a cloud: what it sets counts for the next request. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestCloud } from '../cloud/cloud.testkit.js'
import { OperatorError } from '../cloud/data-folder.js'
import { type LimitCommand, limits } from './limits.js'

describe('kilonova limits (C-UNL-1)', () => {
  let test: TestCloud
  beforeAll(async () => {
    test = await TestCloud.start({ config: { quota: { driver: 'nova.quota.UnifiedLimitsDriver' } }, hosts: 1 })
    writeFileSync(join(test.folder, 'kilonova.yaml'), 'quota:\n  driver: nova.quota.UnifiedLimitsDriver\n')
  })
  afterAll(() => test?.destroy())

  const run = async (command: LimitCommand, data = test.folder): Promise<string[]> => {
    const lines: string[] = []
    await limits({ data, db: null }, command, (line) => lines.push(line))
    return lines
  }

  it('registers limits, sets those of projects, lists and removes them while the cloud runs', async () => {
    const { client, projectId } = await test.user('member')
    const servers = async () => {
      const answer = await client.ask<{ limits: { items: { limit: number }[] } }>('{ limits { items { limit } } }')
      return answer.limits.items[0]?.limit
    }
    expect(await servers()).toBe(0)
    await run({ kind: 'set', name: 'servers', limit: 5, projectId: null })
    expect(await servers()).toBe(5)
    await run({ kind: 'set', name: 'servers', limit: -1, projectId })
    expect(await servers()).toBe(-1)
    expect(await run({ kind: 'list' })).toEqual(['servers\t5', `servers\t-1\tproject ${projectId}`])
    await run({ kind: 'set', name: 'servers', limit: null, projectId })
    expect(await servers()).toBe(5)
  })

  it('says in one sentence what is wrong', async () => {
    await expect(run({ kind: 'set', name: 'cores', limit: 1, projectId: null })).rejects.toThrow(OperatorError)
    await expect(run({ kind: 'list' }, '/nowhere/at/all')).rejects.toThrow('There is no cloud at /nowhere/at/all.')
    const folder = mkdtempSync(join(tmpdir(), 'kilonova-limits-'))
    await expect(run({ kind: 'list' }, folder)).rejects.toThrow('has never been started')
    rmSync(folder, { recursive: true, force: true })
  })

  it('says when another driver is in force', async () => {
    writeFileSync(join(test.folder, 'kilonova.yaml'), '')
    expect((await run({ kind: 'list' })).at(-1)).toBe(
      'Not in force: quota.driver is nova.quota.DbQuotaDriver, not nova.quota.UnifiedLimitsDriver.',
    )
  })
})
