/** From the form to the mutation's input: what can be checked here is checked here, the server has the last word. */
import { filledRows } from '../components/key-value-rows.js'
import type { CreateServerInput } from '../generated/graphql.js'
import type { FormErrors } from '../lib/problem.js'
import { text } from '../text/text.js'
import type { Draft, DraftField } from './draft.js'

const words = text.launch.wrong

export const userDataLimit = 65_535
export const countLimit = 1000

export function encodedUserData({ userData }: Draft): string {
  if (userData.kind === 'file') return userData.base64
  return userData.text === '' ? '' : toBase64(new TextEncoder().encode(userData.text))
}

export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(binary)
}

export const tagsOf = (draft: Draft): string[] => [
  ...new Set(
    draft.tags
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
]

export const countOf = (draft: Draft): number => (/^\d{1,4}$/.test(draft.count) ? Number(draft.count) : 0)

export function namePreview(draft: Draft): string | null {
  const count = countOf(draft)
  if (count < 2 || draft.name.trim() === '') return null
  return count === 2 ? `${draft.name.trim()}-1, ${draft.name.trim()}-2` : `${draft.name.trim()}-1 … ${draft.name.trim()}-${count}`
}

export function checkDraft(draft: Draft): FormErrors<DraftField>['fields'] {
  const found: FormErrors<DraftField>['fields'] = {}
  const name = draft.name.trim()
  if (name === '') found.name = words.nameMissing
  else if (name.length > 255) found.name = words.nameLong
  else if (/\p{Cc}/u.test(name)) found.name = words.nameOdd
  if (draft.description.length > 255) found.description = words.descriptionLong
  const count = countOf(draft)
  if (count < 1 || count > countLimit) found.count = words.count(countLimit)
  if (draft.imageId === null) found.imageId = words.imageMissing
  if (draft.flavorId === null) found.flavorId = words.flavorMissing
  if (draft.networkMode === 'LIST' && draft.networkIds.length === 0) found.networks = words.networkMissing
  if (encodedUserData(draft).length > userDataLimit) found.userData = words.userDataLong(userDataLimit)
  const metadata = filledRows(draft.metadata)
  if (metadata.some(({ key }) => !/^[a-zA-Z0-9\-_:. ]{1,255}$/.test(key))) {
    found.metadata = words.metadataKey
  } else if (new Set(metadata.map(({ key }) => key)).size < metadata.length) found.metadata = words.metadataTwice
  const tags = tagsOf(draft)
  if (tags.length > 50) found.tags = words.tagsMany
  else if (tags.some((tag) => tag.length > 60 || tag.includes('/'))) found.tags = words.tagOdd
  return found
}

export function inputOf(draft: Draft): Omit<CreateServerInput, 'idempotencyKey'> {
  const count = countOf(draft)
  const userData = encodedUserData(draft)
  const metadata = filledRows(draft.metadata)
  const tags = tagsOf(draft)
  return {
    name: draft.name.trim(),
    ...(draft.description === '' ? {} : { description: draft.description }),
    imageId: draft.imageId,
    flavorId: draft.flavorId ?? '',
    networks:
      draft.networkMode === 'LIST'
        ? { mode: 'LIST', list: draft.networkIds.map((networkId) => ({ networkId })) }
        : { mode: draft.networkMode },
    ...(draft.keyNames.length === 0 ? {} : { keyNames: draft.keyNames }),
    ...(userData === '' ? {} : { userData }),
    ...(draft.configDrive ? { configDrive: true } : {}),
    ...(metadata.length === 0 ? {} : { metadata }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(draft.zone.trim() === '' ? {} : { availabilityZone: draft.zone.trim() }),
    minCount: count,
    maxCount: count,
  }
}

const places: Record<string, DraftField> = {
  name: 'name',
  description: 'description',
  minCount: 'count',
  maxCount: 'count',
  imageId: 'imageId',
  flavorId: 'flavorId',
  networks: 'networks',
  keyNames: 'keyNames',
  userData: 'userData',
  configDrive: 'userData',
  availabilityZone: 'zone',
  metadata: 'metadata',
  tags: 'tags',
}

/** `input.keyNames.0` belongs beside the key pairs. */
export const fieldFor = (path: string): DraftField | null => places[path.split('.')[1] ?? ''] ?? null
