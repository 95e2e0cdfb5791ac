/** Rule expressions in the style of oslo.policy (D-POL-5): `and`, `or`, `not`, parentheses, `rule:`, `role:`, `@`, `!` and attribute checks. */

export interface PolicySubject {
  roles: readonly string[]
  projectId: string | null
  userId: string
}
export type PolicyTarget = Readonly<Record<string, string | null | undefined>>
export type Predicate = (subject: PolicySubject, target: PolicyTarget, rules: (name: string) => Predicate) => boolean

export class PolicySyntaxError extends Error {
  override name = 'PolicySyntaxError'
}

const tokenPattern = /\s*(\(|\)|"[^"]*"|'[^']*'|[^\s()]+(?:\([a-z_]+\)s)?)/gy

/** Splits an expression; `project_id:%(project_id)s` stays one token although it holds parentheses. */
function tokenize(expression: string): string[] {
  const tokens: string[] = []
  tokenPattern.lastIndex = 0
  while (tokenPattern.lastIndex < expression.trimEnd().length) {
    const match = tokenPattern.exec(expression)
    if (match?.[1] === undefined) throw new PolicySyntaxError(`cannot read policy expression "${expression}"`)
    tokens.push(match[1])
  }
  return tokens
}

function check(token: string): Predicate {
  if (token === '@') return () => true
  if (token === '!') return () => false
  const colon = token.indexOf(':')
  if (colon < 1) throw new PolicySyntaxError(`"${token}" is not a policy check`)
  const kind = token.slice(0, colon)
  const match = token.slice(colon + 1)
  if (kind === 'rule') return (subject, target, rules) => rules(match)(subject, target, rules)
  if (kind === 'role') return (subject) => subject.roles.some((role) => role.toLowerCase() === match.toLowerCase())
  if (kind === 'is_admin') return (subject) => String(subject.roles.includes('admin')) === match.toLowerCase()
  const attribute = /^%\(([a-z_]+)\)s$/.exec(match)?.[1]
  const wanted = (target: PolicyTarget): string | null | undefined => (attribute === undefined ? match : target[attribute])
  if (kind === 'project_id' || kind === 'tenant') {
    return (subject, target) => subject.projectId !== null && wanted(target) === subject.projectId
  }
  if (kind === 'user_id') return (subject, target) => wanted(target) === subject.userId
  throw new PolicySyntaxError(`unknown kind of policy check "${kind}"`)
}

/** Names of the rules that an expression refers to. */
export const rulesIn = (expression: string): string[] =>
  tokenize(expression).flatMap((token) => (token.startsWith('rule:') ? [token.slice('rule:'.length)] : []))

/** Compiles an expression once; errors name what cannot be read. */
export function compileExpression(expression: string): Predicate {
  const tokens = tokenize(expression)
  if (tokens.length === 0) return () => true
  let at = 0
  const word = (): string => (tokens[at] ?? '').toLowerCase()

  const unary = (): Predicate => {
    const token = tokens[at]
    if (token === undefined) throw new PolicySyntaxError(`policy expression "${expression}" ends too early`)
    at++
    if (token.toLowerCase() === 'not') {
      const inner = unary()
      return (subject, target, rules) => !inner(subject, target, rules)
    }
    if (token === '(') {
      const inner = disjunction()
      if (tokens[at] !== ')') throw new PolicySyntaxError(`a parenthesis is not closed in "${expression}"`)
      at++
      return inner
    }
    return check(token)
  }
  const conjunction = (): Predicate => {
    const parts = [unary()]
    while (word() === 'and') {
      at++
      parts.push(unary())
    }
    return (subject, target, rules) => parts.every((part) => part(subject, target, rules))
  }
  const disjunction = (): Predicate => {
    const parts = [conjunction()]
    while (word() === 'or') {
      at++
      parts.push(conjunction())
    }
    return (subject, target, rules) => parts.some((part) => part(subject, target, rules))
  }
  const whole = disjunction()
  if (at !== tokens.length) throw new PolicySyntaxError(`"${tokens[at]}" is not expected in policy expression "${expression}"`)
  return whole
}
