/** The only place that decides "may". Rules have Nova's names and new defaults; the operator's file lies on top. */
import { CloudError } from '@kilonova/contract/errors'
import { type PolicyRuleName, policyRules } from '@kilonova/contract/policy-rules'
import type { Logger } from '@kilonova/runtime/logger'
import type { Caller } from '../caller.js'
import { compileExpression, type PolicySubject, type PolicyTarget, type Predicate } from './expression.js'
import { readPolicyFile, stampOf } from './policy-file.js'

export type { PolicyTarget } from './expression.js'

const recheckFileMs = 1000

export class Policy {
  #checks = new Map<string, string>()
  #predicates = new Map<string, Predicate>()
  readonly #file: string | null
  readonly #log: Logger
  #fileStamp = ''
  #nextLook = 0
  readonly #listeners = new Set<() => void>()

  /** `file`: YAML of rule name to expression, read again when it changes; a broken file is refused at start and ignored later. */
  constructor(file: string | null, log: Logger) {
    this.#file = file
    this.#log = log
    this.#load(file === null ? new Map() : this.#readFile(file))
  }

  /** Called when the rules in force have changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /** Looks whether the file has changed; otherwise that is done when a rule is asked for. */
  refresh(): void {
    this.#reloadIfChanged()
  }

  /** Whether the caller passes the rule for the target; without target it is the caller's own project and user. */
  allows(rule: PolicyRuleName, caller: Caller, target?: PolicyTarget): boolean {
    this.#reloadIfChanged()
    if (caller.limitedTo != null && !caller.limitedTo.includes(rule)) return false
    const subject: PolicySubject = { roles: caller.roles, projectId: caller.projectId, userId: caller.userId }
    const about = target ?? { project_id: caller.projectId, user_id: caller.userId }
    return this.#predicate(rule)(subject, about, (name) => this.#predicate(name))
  }

  /** Throws FORBIDDEN, naming the rule. */
  enforce(rule: PolicyRuleName, caller: Caller, target?: PolicyTarget): void {
    if (!this.allows(rule, caller, target)) throw forbidden(rule)
  }

  /** Rules that pass when no particular object is looked at. */
  allowedRules(caller: Caller): string[] {
    return (Object.keys(policyRules) as PolicyRuleName[]).filter((rule) => rule.includes(':') && this.allows(rule, caller))
  }

  #predicate(name: string): Predicate {
    const found = this.#predicates.get(name)
    // An unknown rule denies, as in oslo.policy.
    return found ?? (() => false)
  }

  #load(overrides: ReadonlyMap<string, string>): void {
    const checks = new Map<string, string>(Object.entries(policyRules).map(([name, rule]) => [name, rule.check]))
    for (const [name, expression] of overrides) checks.set(name, expression)
    const predicates = new Map<string, Predicate>()
    for (const [name, expression] of checks) predicates.set(name, compileExpression(expression))
    this.#checks = checks
    this.#predicates = predicates
  }

  #readFile(file: string): Map<string, string> {
    this.#fileStamp = stampOf(file)
    return readPolicyFile(file)
  }

  #reloadIfChanged(): void {
    if (this.#file === null) return
    const now = performance.now()
    if (now < this.#nextLook) return
    this.#nextLook = now + recheckFileMs
    try {
      if (stampOf(this.#file) === this.#fileStamp) return
      this.#load(this.#readFile(this.#file))
      this.#log.info({ file: this.#file }, 'policy file read again')
      for (const listener of this.#listeners) listener()
    } catch (error) {
      this.#log.error({ err: error, file: this.#file }, 'policy file cannot be read; the rules in force stay')
    }
  }

  /** Expression in force, for explanations. */
  expressionOf(rule: PolicyRuleName): string {
    return this.#checks.get(rule) ?? '!'
  }
}

export const forbidden = (rule: string): CloudError =>
  new CloudError('FORBIDDEN', `Policy doesn't allow ${rule} to be performed.`, { exception: 'PolicyNotAuthorized' })
