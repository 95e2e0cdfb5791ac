/** Tells `tests/run.ts` what became of each browser test. */
import { writeFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import type { FullConfig, Reporter, Suite } from '@playwright/test/reporter'

const states = { expected: 'passed', unexpected: 'failed', skipped: 'skipped', flaky: 'passed' } as const

export default class OutcomeReporter implements Reporter {
  #suite: Suite | undefined

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#suite = suite
  }

  onEnd(): void {
    const outcome = {
      passed: [] as string[],
      failed: [] as string[],
      skipped: [] as string[],
      flaky: [] as string[],
      reasons: {} as Record<string, string>,
    }
    for (const test of this.#suite?.allTests() ?? []) {
      const name = `e2e > ${test.titlePath().filter(Boolean).join(' > ')}`
      outcome[states[test.outcome()]].push(name)
      if (test.outcome() === 'flaky') outcome.flaky.push(name)
      const [error] = test.results.flatMap((result) => result.errors)
      if (error !== undefined) outcome.reasons[name] = stripVTControlCharacters(`${error.message ?? ''}\n${error.snippet ?? ''}`)
    }
    const file = process.env.KILONOVA_TEST_OUTCOME
    if (file !== undefined) writeFileSync(file, JSON.stringify(outcome))
  }
}
