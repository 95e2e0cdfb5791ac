/** Tells the operator what happens, step by step, with durations. */
export class Steps {
  readonly #print: (line: string) => void

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  say(line: string): void {
    this.#print(line)
  }

  async run<T>(what: string, work: () => Promise<T>): Promise<T> {
    const begun = performance.now()
    const result = await work()
    this.#print(`  ${what.padEnd(44, '.')} ${((performance.now() - begun) / 1000).toFixed(1)} s`)
    return result
  }
}
