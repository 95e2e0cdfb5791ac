/** How a mount namespace of one's own is made so that nothing mounted in it reaches the machine, also where `/` is a chroot's. */
import { closeSync, openSync, readFileSync } from 'node:fs'

interface Mount {
  id: string
  mountPoint: string
  shared: boolean
}

/** Mounts below the root of a process. */
function mountsOf(process: string): Mount[] {
  return readFileSync(`/proc/${process}/mountinfo`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', , , , escaped = '', , ...optional] = line.split(' ')
      const mountPoint = escaped.replace(/\\(\d{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
      return { id, mountPoint, shared: optional.slice(0, optional.indexOf('-')).some((field) => field.startsWith('shared:')) }
    })
}

/** False in a chroot into a plain folder: there the mount that holds `/` cannot be named, nor changed. */
export const rootIsMount = (): boolean => mountsOf('self').some(({ mountPoint }) => mountPoint === '/')

export const mountPoints = (): string[] => mountsOf('self').map(({ mountPoint }) => mountPoint)

/** Whether mounts made directly below `/` would appear elsewhere; true when it cannot be known. */
export function rootIsShared(): boolean {
  const root = openSync('/', 'r')
  try {
    const id = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${root}`, 'utf8'))?.[1]
    return mountsOf('1').find((mount) => mount.id === id)?.shared ?? true
  } finally {
    closeSync(root)
  }
}
