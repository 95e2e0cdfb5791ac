/** The only place that decides "may". Rules have Nova's names and new defaults; the operator's file lies on top. */
import { readFileSync, statSync } from 'node:fs'
import { CloudError } from '@kilonova/contract/errors'
import { type PolicyRuleName, policyRules } from '@kilonova/contract/policy-rules'
import type { Logger } from '@kilonova/runtime/logger'
import { parse } from 'yaml'
import { z } from 'zod'
import { type Caller } from '../caller.js'
import { compileExpression, type PolicySubject, PolicySyntaxError, type PolicyTarget, type Predicate } from './expression.js'

export type { PolicyTarget } from './expression.js'

const policyFile = z.record(z.string(), z.string()).nullable()
const recheckFileMs = 1000

export class Policy {
  #checks = new Map<string, string>()
  #predicates = new Map<string, Predicate>()
  readonly #file: string | null
  readonly #log: Logger
  #fileStamp = ''
  #nextLook = 0

  /** `file`: YAML of rule name to expression, read again when it changes; a broken file is refused at start and ignored later. */
  constructor(file: string | null, log: Logger) {
    this.#file = file
    this.#log = log
    this.#load(file === null ? {} : this.#readFile(file))
  }

  /** Whether the caller passes the rule for the target; without target it is the caller's own project and user. */
  allows(rule: PolicyRuleName, caller: Caller, target?: PolicyTarget): boolean {
    this.#reloadIfChanged()
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

  #load(overrides: Record<string, string>): void {
    const checks = new Map<string, string>(Object.entries(policyRules).map(([name, rule]) => [name, rule.check]))
    for (const [name, expression] of Object.entries(overrides)) {
      if (!checks.has(name)) this.#log.warn({ rule: name }, 'the policy file names a rule that does not exist')
      checks.set(name, expression)
    }
    const predicates = new Map<string, Predicate>()
    for (const [name, expression] of checks) predicates.set(name, compileExpression(expression))
    this.#checks = checks
    this.#predicates = predicates
  }

  #readFile(file: string): Record<string, string> {
    const stat = statSync(file)
    this.#fileStamp = `${stat.mtimeMs}:${stat.size}`
    const parsed = policyFile.safeParse(parse(readFileSync(file, 'utf8')))
    if (!parsed.success) throw new PolicySyntaxError(`${file} must be a mapping of rule names to expressions`)
    return parsed.data ?? {}
  }

  #reloadIfChanged(): void {
    if (this.#file === null) return
    const now = performance.now()
    if (now < this.#nextLook) return
    this.#nextLook = now + recheckFileMs
    try {
      const stat = statSync(this.#file)
      if (`${stat.mtimeMs}:${stat.size}` === this.#fileStamp) return
      this.#load(this.#readFile(this.#file))
      this.#log.info({ file: this.#file }, 'policy file read again')
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
