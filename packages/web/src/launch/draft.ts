/** What the launch form holds, kept for this tab until the server exists, so that nothing typed is lost to a reload or a sign-in. */
import { type KeyValueRow, newRow } from '../components/key-value-rows.js'

export interface Draft {
  name: string
  description: string
  count: string
  imageId: string | null
  flavorId: string | null
  networkMode: 'AUTO' | 'LIST' | 'NONE'
  networkIds: string[]
  keyNames: string[]
  configDrive: boolean
  userData: { kind: 'text'; text: string } | { kind: 'file'; name: string; base64: string }
  zone: string
  metadata: KeyValueRow[]
  tags: string
}

export type DraftField =
  | 'name'
  | 'description'
  | 'count'
  | 'imageId'
  | 'flavorId'
  | 'networks'
  | 'keyNames'
  | 'userData'
  | 'zone'
  | 'metadata'
  | 'tags'

export const emptyDraft = (): Draft => ({
  name: '',
  description: '',
  count: '1',
  imageId: null,
  flavorId: null,
  networkMode: 'AUTO',
  networkIds: [],
  keyNames: [],
  configDrive: false,
  userData: { kind: 'text', text: '' },
  zone: '',
  metadata: [],
  tags: '',
})

const prefix = 'kilonova.launch.'

export function readDraft(owner: string): Draft {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(prefix + owner) ?? 'null')
    if (typeof stored !== 'object' || stored === null) return emptyDraft()
    const draft = { ...emptyDraft(), ...stored } as Draft
    // Row numbers are this page load's own.
    return { ...draft, metadata: draft.metadata.map(({ key, value }) => newRow(key, value)) }
  } catch {
    return emptyDraft()
  }
}

export function keepDraft(owner: string, draft: Draft): void {
  try {
    sessionStorage.setItem(prefix + owner, JSON.stringify(draft))
  } catch {
    // Storage that is full or switched off costs only this convenience.
  }
}

export function dropDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix)) sessionStorage.removeItem(key)
  } catch {
    // Without storage there are no drafts.
  }
}
