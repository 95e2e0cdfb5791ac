/**
 * The agent's journal: what it was asked to do, written to disk before it acts. A repeat is answered with the recorded result; work
 * with a lower fence, or work that was since undone, is refused. One small file per server.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkKey } from '@kilonova/contract/rpc/agent'
import { type WorkOutcome, workOutcome } from '@kilonova/contract/rpc/conductor'
import { z } from 'zod'

const entry = z.object({
  sagaId: z.string(),
  step: z.string(),
  direction: z.enum(['forward', 'backward']),
  attempt: z.number(),
  outcome: workOutcome.nullable(),
  /** The conductor has heard of the failure: if it asks once more, it wants another try. */
  failureHeard: z.boolean().default(false),
})
type Entry = z.infer<typeof entry>
const page = z.object({ fence: z.number(), entries: z.array(entry) })
type Page = z.infer<typeof page>

export type Admission =
  /** New, or begun by a run that has died: do it. */
  | { kind: 'act' }
  /** Done before: this was the result. */
  | { kind: 'repeat'; outcome: WorkOutcome }
  /** Overtaken by later work on this server. */
  | { kind: 'refuse'; reason: string }

const keptEntries = 20

export class Journal {
  readonly #folder: string
  readonly #pages = new Map<string, Page>()

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /** Records that the work begins, unless it must not. */
  admit(key: WorkKey): Admission {
    const current = this.#read(key.serverId)
    if (key.fence < current.fence) return { kind: 'refuse', reason: `fence ${key.fence} is behind ${current.fence}` }
    const known = current.entries.find((candidate) => sameWork(candidate, key))
    if (known?.outcome != null && !known.failureHeard) return { kind: 'repeat', outcome: known.outcome }
    const undone = current.entries.some(
      (candidate) => candidate.sagaId === key.sagaId && candidate.direction === 'backward' && candidate.attempt >= key.attempt,
    )
    if (key.direction === 'forward' && undone) return { kind: 'refuse', reason: 'this attempt was undone' }
    if (known === undefined || known.failureHeard || key.fence > current.fence) {
      const begun: Entry = { ...identityOf(key), outcome: null, failureHeard: false }
      const entries = [...current.entries.filter((candidate) => !sameWork(candidate, key)), begun].slice(-keptEntries)
      this.#write(key.serverId, { fence: key.fence, entries })
    }
    return { kind: 'act' }
  }

  record(key: WorkKey, outcome: WorkOutcome): void {
    const current = this.#read(key.serverId)
    const entries = current.entries.map((candidate) => (sameWork(candidate, key) ? { ...candidate, outcome } : candidate))
    this.#write(key.serverId, { ...current, entries })
  }

  /** The conductor has acknowledged an outcome. A failure is then no answer any more: steps that must succeed are asked for again. */
  heard(key: WorkKey): void {
    const current = this.#read(key.serverId)
    if (!current.entries.some((candidate) => sameWork(candidate, key) && candidate.outcome?.kind === 'failed')) return
    const entries = current.entries.map((candidate) => (sameWork(candidate, key) ? { ...candidate, failureHeard: true } : candidate))
    this.#write(key.serverId, { ...current, entries })
  }

  /** Forgets servers that have not been touched for long and are not on this host. */
  async prune(present: ReadonlySet<string>, olderThanMs: number, nowMs: number): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const serverId = name.replace(/\.json$/, '')
      if (present.has(serverId)) continue
      const { mtimeMs } = await stat(join(this.#folder, name))
      if (nowMs - mtimeMs < olderThanMs) continue
      rmSync(join(this.#folder, name), { force: true })
      this.#pages.delete(serverId)
    }
  }

  #read(serverId: string): Page {
    const cached = this.#pages.get(serverId)
    if (cached !== undefined) return cached
    try {
      return page.parse(JSON.parse(readFileSync(this.#fileOf(serverId), 'utf8')))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return { fence: 0, entries: [] }
    }
  }

  #write(serverId: string, next: Page): void {
    const file = this.#fileOf(serverId)
    // Renamed into place: a crash leaves the old page or the new one, never half of one.
    writeFileSync(`${file}.new`, JSON.stringify(next), { mode: 0o600 })
    renameSync(`${file}.new`, file)
    this.#pages.set(serverId, next)
    if (this.#pages.size > 5000) this.#pages.delete(this.#pages.keys().next().value ?? '')
  }

  #fileOf(serverId: string): string {
    if (!/^[0-9a-f-]{36}$/.test(serverId)) throw new Error('a server id is a UUID')
    return join(this.#folder, `${serverId}.json`)
  }
}

const identityOf = (key: WorkKey): Omit<Entry, 'outcome' | 'failureHeard'> => ({
  sagaId: key.sagaId,
  step: key.step,
  direction: key.direction,
  attempt: key.attempt,
})

const sameWork = (candidate: Entry, key: WorkKey): boolean =>
  candidate.sagaId === key.sagaId &&
  candidate.step === key.step &&
  candidate.direction === key.direction &&
  candidate.attempt === key.attempt
