/** The operator's policy file: YAML of rule name to expression (D-POL-5). Every mistake is refused with file and line. */
import { readFileSync, statSync } from 'node:fs'
import { policyRules } from '@kilonova/contract/policy-rules'
import { ConfigError } from '@kilonova/runtime/config'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { compileExpression, PolicySyntaxError, rulesIn } from './expression.js'

/** Tells whether a file has changed. */
export function stampOf(file: string): string {
  const { mtimeMs, size, ino } = statSync(file)
  return `${mtimeMs}:${size}:${ino}`
}

/** Reads and checks a policy file; answers expressions by rule name. Throws ConfigError. */
export function readPolicyFile(file: string): Map<string, string> {
  if (file.endsWith('.json'))
    throw new ConfigError(`${file}: policy files are YAML; JSON is refused. Rename it to .yaml after converting it.`)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`The policy file ${file} cannot be read: ${(error as Error).message}`)
  }
  return parsePolicyFile(file, text)
}

export function parsePolicyFile(file: string, text: string): Map<string, string> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [syntax] = document.errors
  if (syntax !== undefined) throw at(file, lines.linePos(syntax.pos[0]).line, syntax.message.split('\n')[0] ?? '')
  const root = document.contents
  if (root === null || (isScalar(root) && root.value === null)) return new Map()
  if (!isMap(root)) throw at(file, 1, 'the file must be a mapping of rule names to expressions')
  const overrides = new Map<string, string>()
  const lineOfRule = new Map<string, number>()
  for (const { key, value } of root.items) {
    const line = isScalar(key) && key.range != null ? lines.linePos(key.range[0]).line : 1
    if (!isScalar(key) || typeof key.value !== 'string') throw at(file, line, 'a rule name must be text')
    const name = key.value
    // Names without a colon are helpers of the operator's own, for use as `rule:name`.
    if (name.includes(':') && !Object.hasOwn(policyRules, name)) throw at(file, line, `unknown rule "${name}"${hint(name)}`)
    if (!isScalar(value) || typeof value.value !== 'string') throw at(file, line, `the expression of "${name}" must be text in quotes`)
    try {
      compileExpression(value.value)
    } catch (error) {
      if (error instanceof PolicySyntaxError) throw at(file, line, `rule "${name}": ${error.message}`)
      throw error
    }
    overrides.set(name, value.value)
    lineOfRule.set(name, line)
  }
  refuseBadReferences(file, overrides, lineOfRule)
  return overrides
}

/** Rules that refer to no rule, or to themselves. */
function refuseBadReferences(file: string, overrides: ReadonlyMap<string, string>, lineOfRule: ReadonlyMap<string, number>): void {
  const defaults = new Map<string, string>(Object.entries(policyRules).map(([name, rule]) => [name, rule.check]))
  const expressionOf = (name: string): string | undefined => overrides.get(name) ?? defaults.get(name)
  for (const name of overrides.keys()) {
    const line = lineOfRule.get(name) ?? 1
    const walk = (current: string, path: readonly string[]): void => {
      const expression = expressionOf(current)
      if (expression === undefined) throw at(file, line, `rule "${name}" refers to "rule:${current}", which does not exist`)
      if (path.includes(current)) throw at(file, line, `rule "${name}" refers to itself: ${[...path, current].join(' -> ')}`)
      for (const next of rulesIn(expression)) walk(next, [...path, current])
    }
    walk(name, [])
  }
}

const at = (file: string, line: number, what: string): ConfigError => new ConfigError(`${file}:${line}: ${what}`)

/** The known rule that resembles the name most, when one does. */
function hint(name: string): string {
  const [prefix = ''] = name.split(/:(?=[^:]*$)/)
  const near = Object.keys(policyRules).filter((known) => known.includes(':') && known.startsWith(`${prefix}:`))
  return near.length === 0 ? '' : `; rules that begin alike: ${near.slice(0, 8).join(', ')}`
}
