/** Runs a command in a network namespace of its own, where tests may make bridges and rules: start it with `unshare --net`. */
import { spawnSync } from 'node:child_process'

const [command, ...args] = process.argv.slice(2)
if (command === undefined) throw new Error('usage: unshare --net node in-own-network.ts <command> [argument…]')
spawnSync('ip', ['link', 'set', 'lo', 'up'], { stdio: 'inherit' })
process.exit(spawnSync(command, args, { stdio: 'inherit' }).status ?? 1)
