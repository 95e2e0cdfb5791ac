/** A-LAUNCH-10: the guest's host name made from the server's name. */
export function hostNameFrom(name: string, serverId: string): string {
  const latin = [...name].filter((character) => (character.codePointAt(0) ?? 0) < 256).join('')
  const cut = latin
    .slice(0, 63)
    .replaceAll(/[ _.]/g, '-')
    .replaceAll(/[^A-Za-z0-9-]/g, '')
    .toLowerCase()
    .replaceAll(/^[.-]+|[.-]+$/g, '')
  return cut === '' ? `Server-${serverId}` : cut
}
