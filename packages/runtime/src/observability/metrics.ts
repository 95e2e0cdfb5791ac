/**
 * The metrics of one process, in the form Prometheus reads. Whoever measures something declares it here by name; declaring it twice
 * gives the same metric. Labels take few values that the code names: never ids, names of users' things or texts.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Seconds; from a statement of a database to a request of a user. */
export const quickBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
/** Seconds; work that may take minutes. */
export const slowBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

const collectorPatienceMs = 2000

export class Metrics {
  readonly #registry = new Registry()
  readonly #collectors = new Set<() => void | Promise<void>>()
  #scrape: Promise<string> | undefined

  /** Memory, CPU time, garbage collection and the lag of the event loop of this process. */
  observeProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  counter<L extends string>(name: string, help: string, labels: readonly L[] = []): Counter<L> {
    const known = this.#registry.getSingleMetric(name)
    return known instanceof Counter ? known : new Counter({ name, help, labelNames: labels, registers: [this.#registry] })
  }

  histogram<L extends string>(name: string, help: string, labels: readonly L[] = [], buckets = quickBuckets): Histogram<L> {
    const known = this.#registry.getSingleMetric(name)
    return known instanceof Histogram ? known : new Histogram({ name, help, labelNames: labels, buckets, registers: [this.#registry] })
  }

  gauge<L extends string>(name: string, help: string, labels: readonly L[] = []): Gauge<L> {
    const known = this.#registry.getSingleMetric(name)
    return known instanceof Gauge ? known : new Gauge({ name, help, labelNames: labels, registers: [this.#registry] })
  }

  /** Runs before metrics are read, for what is counted only when somebody asks. Answers how to end that. */
  onScrape(collect: () => void | Promise<void>): () => void {
    this.#collectors.add(collect)
    return () => this.#collectors.delete(collect)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** Everything. What cannot be collected in time is absent, not an error: the rest is wanted most when something is away. */
  text(): Promise<string> {
    // Readers at the same time share one look.
    this.#scrape ??= this.#collect().finally(() => {
      this.#scrape = undefined
    })
    return this.#scrape
  }

  async #collect(): Promise<string> {
    await Promise.all([...this.#collectors].map((collect) => withinPatience(async () => collect())))
    return this.#registry.metrics()
  }
}

async function withinPatience(collect: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, collectorPatienceMs)
  })
  await Promise.race([collect().catch(() => {}), late])
  clearTimeout(timer)
}

/** Seconds since a moment of `performance.now()`. */
export const secondsSince = (begun: number): number => (performance.now() - begun) / 1000
