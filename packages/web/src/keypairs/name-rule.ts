/** What a key pair may be called. */
export const nameRule = /^[a-zA-Z0-9 _\-@.]{1,255}$/

export const keypairPath = (name: string): string => `/keypairs/${encodeURIComponent(name)}`
