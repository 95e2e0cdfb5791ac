/**
 * A program of its own, run inside a fresh mount namespace: hides the machine's libvirt folders behind private ones and starts virtlogd
 * and libvirtd there. It ends at once; the daemons keep the namespace alive. Arguments: the folder, whether the
 * namespace is new, whether guests use KVM, and which daemons to start.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hiddenFolders } from './daemon-files.js'
import { mountPoints, rootIsMount } from './mounts.js'
import { isDaemonName, runDaemons } from './run-daemons.js'

const [folder, mounts, kvm, ...daemons] = process.argv.slice(2)
if (folder === undefined) throw new Error('usage: enter-and-run <folder> <mount|mounted> <kvm|no-kvm> <daemon…>')

if (mounts === 'mount') {
  if (!rootIsMount()) for (const mountPoint of mountPoints()) execFileSync('mount', ['--make-private', mountPoint])
  for (const [name, target] of Object.entries(hiddenFolders)) {
    mkdirSync(target, { recursive: true })
    execFileSync('mount', ['--bind', join(folder, name), target])
  }
  // A /dev/kvm that libvirt may open but QEMU cannot use makes libvirt examine QEMU anew, for seconds, at every start of a guest. A file
  // that nobody may write to is no KVM at all.
  if (kvm === 'no-kvm' && existsSync('/dev/kvm')) {
    const none = join(folder, 'no-kvm')
    writeFileSync(none, '', { mode: 0o400 })
    execFileSync('mount', ['--bind', none, '/dev/kvm'])
    execFileSync('mount', ['-o', 'remount,bind,ro', '/dev/kvm'])
  }
}
for (const name of daemons) if (!isDaemonName(name)) throw new Error(`no daemon ${name}`)
runDaemons(daemons.filter(isDaemonName), { folder, configurations: hiddenFolders.etc })
