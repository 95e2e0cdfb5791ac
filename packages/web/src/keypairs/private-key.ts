/** A private key as a file, and on the clipboard. */
import type { KeypairType } from '../generated/graphql.js'

/** PEM is text; PKCS 12 comes in Base64 and is binary in a file. */
export function privateKeyFile(name: string, type: KeypairType, privateKey: string): { name: string; data: Blob } {
  const safe = name.replaceAll(/[^a-zA-Z0-9_@.-]+/g, '-').replace(/^[.-]+/, '') || 'key'
  if (type === 'SSH') return { name: `${safe}.pem`, data: new Blob([privateKey], { type: 'application/x-pem-file' }) }
  const bytes = Uint8Array.from(atob(privateKey), (character) => character.charCodeAt(0))
  return { name: `${safe}.pfx`, data: new Blob([bytes], { type: 'application/x-pkcs12' }) }
}

export function saveFile({ name, data }: { name: string; data: Blob }): void {
  const url = URL.createObjectURL(data)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken the data by the time the next task runs.
  setTimeout(() => URL.revokeObjectURL(url))
}

/** Copies the text of a field. The clipboard is missing on plain http; there the older way, over the selection, may still work. */
export async function copyField(field: HTMLTextAreaElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(field.value)
    return true
  } catch {
    field.focus()
    field.select()
    return document.execCommand('copy')
  }
}
