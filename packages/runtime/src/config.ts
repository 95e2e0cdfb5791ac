/**
 * The one place that reads the environment and configuration files. Each package declares a zod schema of its option groups, with
 * Nova's names; the loader lays flags over environment over file over defaults and refuses what nobody declared, naming its line.
 */
import { existsSync, readFileSync } from 'node:fs'
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'

/** Groups of options: `{ libvirt: z.object({ virt_type: … }) }`. */
export type OptionGroups = Record<string, z.ZodObject>
export type ConfigOf<Groups extends OptionGroups> = { [G in keyof Groups]: z.infer<Groups[G]> }

/** A mistake of the operator; the message is the whole answer. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

const unknownOption = (file: string, line: number, what: string, known: readonly string[]): ConfigError => {
  return new ConfigError(`${file}:${line}: unknown ${what}. Known: ${[...known].sort().join(', ')}.`)
}

/** Reads and checks a configuration file; an absent file is an empty one. */
export function readConfigFile<Groups extends OptionGroups>(file: string, groups: Groups): ConfigOf<Groups> {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const [syntax] = document.errors
  if (syntax !== undefined) {
    throw new ConfigError(`${file}:${lines.linePos(syntax.pos[0]).line}: ${syntax.message.split('\n')[0]}`)
  }
  const lineOf = (node: unknown): number => {
    const start = isScalar(node) || isMap(node) ? node.range?.[0] : undefined
    return start === undefined ? 1 : lines.linePos(start).line
  }
  const root = document.contents
  if (root !== null && !isMap(root)) throw new ConfigError(`${file}:1: the file must hold groups of options`)
  const lineOfOption = new Map<string, number>()
  for (const groupPair of root?.items ?? []) {
    const group = String(isScalar(groupPair.key) ? groupPair.key.value : groupPair.key)
    const schema = groups[group]
    if (schema === undefined) throw unknownOption(file, lineOf(groupPair.key), `group "${group}"`, Object.keys(groups))
    if (groupPair.value === null || (isScalar(groupPair.value) && groupPair.value.value === null)) continue
    if (!isMap(groupPair.value)) throw new ConfigError(`${file}:${lineOf(groupPair.key)}: group "${group}" must hold options`)
    for (const pair of groupPair.value.items) {
      const option = String(isScalar(pair.key) ? pair.key.value : pair.key)
      if (!Object.hasOwn(schema.shape, option)) {
        throw unknownOption(file, lineOf(pair.key), `option "${option}" in group "${group}"`, Object.keys(schema.shape))
      }
      lineOfOption.set(`${group}.${option}`, lineOf(pair.key))
    }
  }
  const values = (document.toJS() ?? {}) as Record<string, Record<string, unknown> | null>
  const config: Record<string, unknown> = {}
  for (const [group, schema] of Object.entries(groups)) {
    const parsed = schema.safeParse(values[group] ?? {})
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      const option = String(issue?.path[0] ?? '')
      const line = lineOfOption.get(`${group}.${option}`) ?? 1
      throw new ConfigError(`${file}:${line}: [${group}] ${option}: ${issue?.message ?? 'invalid'}`)
    }
    config[group] = parsed.data
  }
  return config as ConfigOf<Groups>
}
