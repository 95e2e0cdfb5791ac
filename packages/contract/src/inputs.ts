/** Input types shared by every mutation (A-GEN-7). */
import { z } from 'zod'

const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u

export const printable = (label: string, min: number, max: number) =>
  z
    .string()
    .min(min, `${label} must have ${min === 1 ? 'at least one character' : `at least ${min} characters`}.`)
    .max(max, `${label} may have at most ${max} characters.`)
    .refine((value) => !controlCharacters.test(value), `${label} may hold printable characters only.`)
    .refine((value) => value === value.trim(), `${label} must not begin or end with a blank.`)

export const name = printable('A name', 1, 255)
export const description = z
  .string()
  .max(255, 'A description may have at most 255 characters.')
  .refine((value) => !/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f]/u.test(value), 'A description may hold printable characters only.')
export const hostname = z
  .string()
  .regex(
    /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])$/,
    'A host name has 2 to 63 letters, digits and hyphens, and begins and ends with a letter or digit.',
  )
export const metadataKey = z
  .string()
  .regex(/^[a-zA-Z0-9\-_:. ]{1,255}$/, 'A metadata key has 1 to 255 letters, digits, - _ : . and blanks.')
export const metadataValue = z.string().max(255, 'A metadata value may have at most 255 characters.')
export const tag = z.string().regex(/^[^/,]{1,60}$/u, 'A tag has 1 to 60 characters without slash and comma.')
export const keypairName = z
  .string()
  .regex(/^[a-zA-Z0-9 _\-@.]{1,255}$/, 'A key pair name has 1 to 255 letters, digits, blanks, and _ - @ dot.')
export const uuid = z.uuid()
export const INT32_MAX = 2147483647
