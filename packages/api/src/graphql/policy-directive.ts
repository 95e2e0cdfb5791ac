/** `@policy` on the schema: shown to clients, and enforced on fields and input fields where services cannot see what was selected. */
import type { PolicyRuleName } from '@kilonova/contract/policy-rules'
import { Directive, Extensions } from 'type-graphql'

export interface FieldPolicy {
  rule: PolicyRuleName
  onDeny: 'ERROR' | 'HIDE'
}

/** Guards a field. HIDE: null without error for those who fail the rule. */
export function Policy(rule: PolicyRuleName, onDeny: 'ERROR' | 'HIDE' = 'ERROR') {
  const policy: FieldPolicy = { rule, onDeny }
  const directive = Directive(onDeny === 'HIDE' ? `@policy(rule: "${rule}", onDeny: HIDE)` : `@policy(rule: "${rule}")`)
  const extension = Extensions({ [`policy:${rule}`]: policy })
  return ((target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const apply = (decorator: unknown): void =>
      (decorator as (t: object, k?: string | symbol, d?: PropertyDescriptor) => void)(target, key, descriptor)
    apply(directive)
    apply(extension)
  }) as PropertyDecorator & MethodDecorator
}

/** The policies of a field or input field, from its extensions. */
export const policiesOf = (extensions: Readonly<Record<string, unknown>> | undefined): FieldPolicy[] =>
  Object.entries(extensions ?? {})
    .filter(([name]) => name.startsWith('policy:'))
    .map(([, policy]) => policy as FieldPolicy)
