import { describe, expect, it } from 'vitest'
import { type Definition, definitionOf, meaningOf, offeredValues, refusalOfKey, refusalOfValue } from './property-rules.js'

const definition = (part: Partial<Definition>): Definition => ({
  key: 'hw:x',
  group: 'CPU',
  title: 'X',
  description: 'An x.',
  valueType: 'STRING',
  enumValues: null,
  pattern: null,
  minimum: null,
  maximum: null,
  unit: null,
  defaultValue: null,
  parameters: [],
  requires: [],
  excludes: [],
  aliases: [],
  deprecationReason: null,
  ...part,
})

describe('the catalog of properties', () => {
  const plain = definition({ key: 'hw:cpu_max_sockets', aliases: ['hw:max_cpu_sockets'] })
  const varied = definition({
    key: 'hw:numa_cpus.{num}',
    parameters: [{ name: 'num', pattern: '\\d{1,3}', description: 'Number of the node.' }],
  })

  it('finds a key by its name, an older one, or its pattern', () => {
    expect(definitionOf([varied, plain], 'hw:max_cpu_sockets')).toBe(plain)
    expect(definitionOf([varied, plain], 'hw:numa_cpus.12')).toBe(varied)
    expect(definitionOf([varied, plain], 'hw:numa_cpus.x')).toBeUndefined()
    expect(definitionOf([varied, plain], 'hw:numa_cpusx1')).toBeUndefined()
  })

  it('asks for a value in place of a variable part', () => {
    expect(refusalOfKey(definitionOf([varied], varied.key), varied.key)).toMatch(/\{num\}.*Number of the node/)
    expect(refusalOfKey(varied, 'hw:numa_cpus.0')).toBeNull()
    expect(refusalOfKey(undefined, '')).not.toBeNull()
    expect(refusalOfKey(undefined, 'mine')).toBeNull()
  })

  it.each<[string, Partial<Definition>, string[], string[]]>([
    ['a choice, in any case', { valueType: 'ENUM', enumValues: [{ value: 'shared', description: '' }] }, ['shared', 'Shared'], ['share']],
    ['a truth', { valueType: 'BOOLEAN' }, ['true', 'No', '1'], ['perhaps']],
    [
      'a number',
      { valueType: 'INTEGER', minimum: '-1', maximum: '9223372036854775807' },
      ['-1', '9223372036854775807'],
      ['-2', '9223372036854775808', '1.5', 'x'],
    ],
    ['a pattern over the whole text', { valueType: 'CPU_SET', pattern: '\\d|\\d-\\d' }, ['1', '0-3'], ['1x', 'x1', '0-3,']],
    ['a pattern that only another engine reads', { pattern: '(?<' }, ['x'], []],
    ['any text', {}, ['x'.repeat(255)], ['', 'x'.repeat(256)]],
  ])('checks %s', (_name, part, good, bad) => {
    for (const value of good) expect(refusalOfValue(definition(part), value), value).toBeNull()
    for (const value of bad) expect(refusalOfValue(definition(part), value), value).not.toBeNull()
  })

  it('tells what is said of a key, and nothing else', () => {
    expect(meaningOf(definition({}))).toBe('An x.')
    expect(meaningOf(definition({ unit: 'KiB', defaultValue: '0', requires: ['a'], excludes: ['b'], deprecationReason: 'old.' }))).toBe(
      'An x. Unit: KiB. Default: 0. Needs also a. Not together with b. Deprecated: old.',
    )
  })

  it('offers the values there are', () => {
    expect(offeredValues(definition({ valueType: 'BOOLEAN' })).map(({ value }) => value)).toEqual(['true', 'false'])
    expect(offeredValues(definition({}))).toEqual([])
  })
})
