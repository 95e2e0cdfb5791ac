/**
 * Addresses the cloud hands out name its first public URL. The page may have been opened under another one, and its content
 * security policy admits only its own, so the place in the cloud is kept and the origin is ours.
 */

export function ownOrigin(url: string): string {
  const { pathname, search } = new URL(url, location.href)
  return `${location.origin}${pathname}${search}`
}

export function ownSocket(url: string): string {
  return ownOrigin(url).replace(/^http/, 'ws')
}

/** Where to go after signing in: a path of this site only, whatever the address bar says. */
export function safeNext(next: string | null): string {
  if (next === null || !/^\/(?![/\\])/.test(next) || /[\p{Cc}\\]/u.test(next)) return '/servers'
  const target = new URL(next, location.origin)
  return target.origin === location.origin ? `${target.pathname}${target.search}${target.hash}` : '/servers'
}
