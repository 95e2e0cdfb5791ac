/** Cells: where each is, one open database per cell, and questions put to all of them at once (A-CELL-6, 25, 36). */
import { CloudError } from '@kilonova/contract/errors'
import type { Logger } from '@kilonova/runtime/logger'
import type { Metrics } from '@kilonova/runtime/observability/metrics'
import { Database, type Row } from '../db/database.js'
import type { ApiSchema, CellSchema } from '../db/schemas.js'

export const cell0Id = '00000000-0000-0000-0000-000000000000'

export type CellDatabase = Database<CellSchema>
export type CellMapping = Row<ApiSchema, 'cell_mappings'>

export interface Cell {
  readonly id: string
  readonly database: CellDatabase
}

/** What the cells answered; a cell that did not is named, never its error. */
export interface CellAnswers<T> {
  readonly answers: { cell: Cell; value: T }[]
  readonly missing: string[]
}

export class CellsService {
  readonly #api: Database<ApiSchema>
  readonly #log: Logger
  readonly #metrics: Metrics | undefined
  readonly #timeoutMs: number
  readonly #open = new Map<string, Cell>()
  #mappings: CellMapping[] | undefined

  constructor(options: { api: Database<ApiSchema>; timeoutSeconds: number; log: Logger; metrics?: Metrics }) {
    this.#api = options.api
    this.#log = options.log
    this.#metrics = options.metrics
    this.#timeoutMs = options.timeoutSeconds * 1000
  }

  /** Mappings are read once and kept; `refresh` reads them again (A-CELL-27). */
  async mappings(): Promise<CellMapping[]> {
    this.#mappings ??= await this.#api.read.selectFrom('cell_mappings').selectAll().orderBy('uuid').execute()
    return this.#mappings
  }

  refresh(): void {
    this.#mappings = undefined
  }

  /** Uses a database that is already open, as the composition root has in one process. */
  adopt(cell: Cell): void {
    this.#open.set(cell.id, cell)
  }

  async all(): Promise<Cell[]> {
    return (await this.mappings()).map((mapping) => this.#cellOf(mapping))
  }

  /** Cells with hosts: all but cell0. */
  async withHosts(): Promise<Cell[]> {
    return (await this.all()).filter((cell) => cell.id !== cell0Id)
  }

  async get(cellId: string): Promise<Cell> {
    const mapping = (await this.mappings()).find((candidate) => candidate.uuid === cellId)
    if (mapping === undefined) throw new CloudError('INTERNAL', 'An unexpected error happened.', { cause: new Error(`no cell ${cellId}`) })
    return this.#cellOf(mapping)
  }

  /** Asks cells in parallel; those that fail or stay silent are left out and named. */
  async scatter<T>(cells: readonly Cell[], ask: (cell: Cell) => Promise<T>): Promise<CellAnswers<T>> {
    const answers: { cell: Cell; value: T }[] = []
    const missing: string[] = []
    await Promise.all(
      cells.map(async (cell) => {
        let timer: NodeJS.Timeout | undefined
        try {
          const silence = new Promise<never>((_, reject) => {
            timer = setTimeout(() => reject(new Error(`cell ${cell.id} did not answer`)), this.#timeoutMs)
          })
          answers.push({ cell, value: await Promise.race([ask(cell), silence]) })
        } catch (error) {
          if (error instanceof CloudError) throw error
          this.#log.error({ err: error, cell: cell.id }, 'a cell does not answer')
          missing.push(cell.id)
        } finally {
          clearTimeout(timer)
        }
      }),
    )
    return { answers, missing }
  }

  async close(): Promise<void> {
    for (const cell of this.#open.values()) await cell.database.close()
    this.#open.clear()
  }

  #cellOf(mapping: CellMapping): Cell {
    const open = this.#open.get(mapping.uuid)
    if (open !== undefined) return open
    const metrics = this.#metrics
    const name = mapping.uuid === cell0Id ? 'cell0' : (mapping.name ?? mapping.uuid)
    const cell: Cell = {
      id: mapping.uuid,
      database: new Database<CellSchema>({
        url: mapping.database_connection,
        name,
        log: this.#log,
        ...(metrics === undefined ? {} : { metrics }),
      }),
    }
    this.#open.set(mapping.uuid, cell)
    return cell
  }
}
