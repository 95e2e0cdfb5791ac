import { ConfigError } from '@kilonova/runtime/config'
import { describe, expect, it } from 'vitest'
import { parsePolicyFile, readPolicyFile } from './policy-file.js'

const parse = (text: string): Record<string, string> => Object.fromEntries(parsePolicyFile('policy.yaml', text))

describe('D-POL-5 a policy file', () => {
  it('overrides rules, and may bring helpers of its own', () => {
    const text = '# ours\n"operators": "role:operator or role:admin"\n"image:add_image": "rule:operators and project_id:%(project_id)s"\n'
    expect(parse(text)).toEqual({
      operators: 'role:operator or role:admin',
      'image:add_image': 'rule:operators and project_id:%(project_id)s',
    })
    expect(parse('')).toEqual({})
    expect(parse('# nothing yet\n')).toEqual({})
  })

  it.each([
    ['a rule that does not exist', '"image:add_image": "@"\n"image:add_imgae": "@"\n', 'policy.yaml:2: unknown rule "image:add_imgae"'],
    ['an expression that cannot be read', '\n"image:add_image": "role:a or"\n', 'policy.yaml:2: rule "image:add_image": policy expression'],
    ['a check of an unknown kind', '"image:add_image": "http://example/allow"\n', 'policy.yaml:1: rule "image:add_image": unknown kind'],
    ['an open parenthesis', '"image:add_image": "(role:a or role:b"\n', 'policy.yaml:1: rule "image:add_image": a parenthesis'],
    ['an expression that is no text', '"image:add_image": [admin]\n', 'policy.yaml:1: the expression of "image:add_image" must be text'],
    [
      'a reference to no rule',
      '"image:add_image": "rule:admin_required"\n',
      'policy.yaml:1: rule "image:add_image" refers to "rule:admin_required"',
    ],
    ['rules that refer to each other', '"a": "rule:b"\n"b": "not rule:a"\n', 'policy.yaml:1: rule "a" refers to itself: a -> b -> a'],
    ['a rule given twice', '"image:add_image": "@"\n"image:add_image": "!"\n', 'policy.yaml:2: Map keys must be unique'],
    ['a list', '- "image:add_image"\n', 'policy.yaml:1: the file must be a mapping'],
  ])('is refused with file and line for %s', (_what, text, message) => {
    expect(() => parse(text)).toThrow(ConfigError)
    expect(() => parse(text)).toThrow(message)
  })

  it('must not be JSON and must be there', () => {
    expect(() => readPolicyFile('/etc/policy.json')).toThrow('JSON is refused')
    expect(() => readPolicyFile('/nowhere/policy.yaml')).toThrow('The policy file /nowhere/policy.yaml cannot be read')
  })
})
