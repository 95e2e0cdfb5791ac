/** What the inputs of the identity mutations may hold. */
import { description, printable, name as validName } from '@kilonova/contract/inputs'
import { z } from 'zod'

export const password = z.string().min(8, 'A password has at least 8 characters.').max(1024, 'A password has at most 1024 characters.')
const optionalText = z.string().max(65535, 'A description has at most 65535 characters.').nullish()
const email = z.email('That is not an e-mail address.').max(255).nullish()
const tags = z
  .array(printable('A tag', 1, 255))
  .max(80, 'A project has at most 80 tags.')
  .nullish()
const enabled = z.boolean().nullish()
const key = z.string().nullish()
const generation = z.number().int().nullish()

export const createProjectInput = z.object({ name: validName, description: optionalText, tags, enabled, idempotencyKey: key })
export const updateProjectInput = z.object({
  projectId: z.string(),
  name: validName.nullish(),
  description: optionalText,
  tags,
  enabled,
  expectedGeneration: generation,
  idempotencyKey: key,
})
export const createUserInput = z.object({
  name: validName,
  password: password.nullish(),
  email,
  description: optionalText,
  defaultProjectId: z.string().nullish(),
  enabled,
  idempotencyKey: key,
})
export const updateUserInput = z.object({
  userId: z.string(),
  name: validName.nullish(),
  password: password.nullish(),
  email,
  description: optionalText,
  defaultProjectId: z.string().nullish(),
  enabled,
  expectedGeneration: generation,
  idempotencyKey: key,
})
export const grantInput = z.object({ userId: z.string(), projectId: z.string(), roleId: z.string(), idempotencyKey: key })
export const createCredentialInput = z.object({
  name: validName,
  description: description.nullish(),
  roleIds: z.array(z.string()).min(1, 'A credential needs a role; leave the roles out for all of them.').nullish(),
  allowedRules: z.array(z.string()).max(500, 'At most 500 rules can be named.').nullish(),
  expiresAt: z.number().nullish(),
  idempotencyKey: key,
})
