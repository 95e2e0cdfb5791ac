/** Numbers in sentences, as the rules of a language have it. */

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }

/** Makes the counter of a language: `count(2, { one: 'server', other: 'servers' })` is "2 servers". */
export function counterOf(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language)
  const numbers = new Intl.NumberFormat(language)
  return (count, forms) => `${numbers.format(count)} ${forms[rules.select(count)] ?? forms.other}`
}
