/** Tells `run.ts` what became of each test. A test that passed only when repeated is flaky. */
import { writeFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

export default class OutcomeReporter implements Reporter {
  readonly #outcome = {
    passed: [] as string[],
    failed: [] as string[],
    skipped: [] as string[],
    flaky: [] as string[],
    reasons: {} as Record<string, string>,
  }

  onTestCaseResult(test: TestCase): void {
    const { state } = test.result()
    const name = `${test.module.relativeModuleId} > ${test.fullName}`
    if (state !== 'pending') this.#outcome[state].push(name)
    const [error] = test.result().errors ?? []
    if (error !== undefined) this.#outcome.reasons[name] = stripVTControlCharacters(error.stack ?? error.message)
    if (test.diagnostic()?.flaky === true) this.#outcome.flaky.push(name)
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      if (module.errors().length > 0) this.#outcome.failed.push(`${module.relativeModuleId} could not be loaded`)
    }
    const file = process.env.KILONOVA_TEST_OUTCOME
    if (file !== undefined) writeFileSync(file, JSON.stringify(this.#outcome))
  }
}
