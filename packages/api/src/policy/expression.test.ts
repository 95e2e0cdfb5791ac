import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileExpression, type PolicySubject, PolicySyntaxError, type PolicyTarget, type Predicate } from './expression.js'

const member: PolicySubject = { roles: ['member', 'reader'], projectId: 'p1', userId: 'u1' }
const admin: PolicySubject = { roles: ['admin', 'member', 'reader'], projectId: 'p1', userId: 'u2' }
const noRules = (name: string): Predicate => {
  throw new Error(`no rule ${name}`)
}
const holds = (expression: string, subject = member, target: PolicyTarget = { project_id: 'p1', user_id: 'u1' }, rules = noRules) =>
  compileExpression(expression)(subject, target, rules)

describe('D-POL-5 policy expressions', () => {
  it.each([
    ['', true],
    ['@', true],
    ['!', false],
    ['role:member', true],
    ['role:MEMBER', true],
    ['role:admin', false],
    ['not role:admin', true],
    ['not not role:member', true],
    ['project_id:%(project_id)s', true],
    ['tenant:%(project_id)s', true],
    ['project_id:p2', false],
    ['user_id:%(user_id)s', true],
    ['is_admin:True', false],
    ['is_admin:False', true],
    // `and` binds closer than `or`.
    ['role:member or role:admin and !', true],
    ['(role:member or role:admin) and !', false],
    ['not (role:admin or role:nobody)', true],
    ['role:member and project_id:%(project_id)s and not user_id:u9', true],
    ['  role:member   AND   @  ', true],
  ])('%s is %s for a member', (expression, expected) => {
    expect(holds(expression)).toBe(expected)
  })

  it('compares with the target, not with the caller', () => {
    const expression = 'role:reader and project_id:%(project_id)s'
    expect(holds(expression, member, { project_id: 'p2' })).toBe(false)
    expect(holds(expression, member, { project_id: null })).toBe(false)
    expect(holds(expression, member, {})).toBe(false)
    expect(holds(expression, { ...member, projectId: null }, { project_id: null })).toBe(false)
    expect(holds('is_admin:True', admin)).toBe(true)
  })

  it('follows rules by name', () => {
    const rules = (name: string): Predicate =>
      compileExpression({ owner: 'user_id:%(user_id)s', deputy: 'rule:owner or role:admin' }[name] ?? '!')
    expect(holds('rule:deputy', member, { user_id: 'u1' }, rules)).toBe(true)
    expect(holds('rule:deputy', member, { user_id: 'u9' }, rules)).toBe(false)
    expect(holds('rule:deputy', admin, { user_id: 'u9' }, rules)).toBe(true)
    expect(holds('rule:unknown', admin, {}, rules)).toBe(false)
  })

  it.each(['role:a and', '(role:a', 'role:a)', 'role:a role:b', 'nonsense', ':x', 'or role:a', 'not', 'http://somewhere/'])(
    'refuses %s and says so',
    (expression) => {
      expect(() => compileExpression(expression)).toThrow(PolicySyntaxError)
    },
  )

  it('agrees with a plain evaluation of any tree', () => {
    type Tree = { text: string; value: boolean }
    const leaf = fc.constantFrom<Tree>(
      { text: '@', value: true },
      { text: '!', value: false },
      { text: 'role:member', value: true },
      { text: 'role:admin', value: false },
      { text: 'project_id:%(project_id)s', value: true },
    )
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        leaf,
        tie('tree').map((inner) => ({ text: `not (${inner.text})`, value: !inner.value })),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ({ text: `(${a.text}) and (${b.text})`, value: a.value && b.value })),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ({ text: `((${a.text}) or (${b.text}))`, value: a.value || b.value })),
      ),
    }))
    fc.assert(fc.property(tree, ({ text, value }) => holds(text) === value))
  })
})
