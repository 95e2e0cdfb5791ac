/** Containers that are recognised only to be refused: taken as raw they would be useless to a guest, or somebody's trap. */

const beginnings: readonly (readonly [name: string, offset: number, magic: string])[] = [
  ['an encrypted LUKS', 0, 'LUKS\xba\xbe'],
  ['a QED', 0, 'QED\0'],
  ['a VirtualBox (VDI)', 64, '\x7f\x10\xda\xbe'],
  ['a Parallels', 0, 'WithoutFreeSpace'],
  ['a Parallels', 0, 'WithouFreSpacExt'],
  ['a Bochs', 0, 'Bochs Virtual HD Image'],
  ['a cloop', 0, '#!/bin/sh\n#V2.0 Format\n'],
]

/** Name with article, or null. */
export function otherFormat(head: Buffer, tail: Buffer): string | null {
  const found = beginnings.find(([, offset, magic]) => head.toString('latin1', offset, offset + magic.length) === magic)
  if (found !== undefined) return found[0]
  return tail.toString('latin1', 0, 4) === 'koly' ? 'an Apple (DMG)' : null
}
