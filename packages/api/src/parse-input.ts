/** Checks a mutation's input against the rules of its values; the error names every field at fault. */
import { CloudError } from '@kilonova/contract/errors'
import type { z } from 'zod'

export function parseInput<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const fields = [...new Set(parsed.error.issues.map((issue) => ['input', ...issue.path].join('.')))]
  const [first] = parsed.error.issues
  throw new CloudError('BAD_USER_INPUT', first?.message ?? 'Invalid input.', { exception: 'ValidationError', fields })
}
