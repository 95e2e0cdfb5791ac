/** What `kilonova limits` takes on the command line. */
import { INT32_MAX } from '@kilonova/contract/inputs'
import { Command, InvalidArgumentError, type Option } from 'commander'
import { type LimitCommand, type LimitFlags, limits } from './limits.js'

type Flags = Partial<LimitFlags> & { project?: string }

function limitOf(text: string): number {
  if (text === 'unlimited') return -1
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < -1 || value > INT32_MAX) {
    throw new InvalidArgumentError(`a whole number from 0 to ${INT32_MAX}, or unlimited.`)
  }
  return value
}

/** @param flag makes an option that the environment may give, as all commands do */
export function limitsCommand(flag: (flags: string, description: string) => Option): Command {
  const command = new Command('limits').description('unified limits, in force with the option quota.driver nova.quota.UnifiedLimitsDriver')
  const run = (flags: Flags, what: LimitCommand): Promise<void> =>
    limits({ data: flags.data ?? './.kilonova', db: flags.db ?? null }, what, (line) => process.stdout.write(`${line}\n`))
  const add = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .addOption(flag('--data <folder>', 'where the cloud lives').default('./.kilonova'))
      .addOption(flag('--db <url>', 'its PostgreSQL, when --db names one for `up`'))
  add('list', 'print all of them: name, limit, project').action((flags: Flags) => run(flags, { kind: 'list' }))
  add('set', 'register a limit, or give a project its own')
    .argument('<name>', 'servers, server_key_pairs, server_metadata_items, class:VCPU, class:MEMORY_MB, class:DISK_GB')
    .argument('<limit>', 'a number, or unlimited', limitOf)
    .option('--project <id>', 'for this project only')
    .action((name: string, limit: number, flags: Flags) => run(flags, { kind: 'set', name, limit, projectId: flags.project ?? null }))
  add('unset', 'take a registered limit back, or that of a project')
    .argument('<name>', 'as for set')
    .option('--project <id>', 'for this project only')
    .action((name: string, flags: Flags) => run(flags, { kind: 'set', name, limit: null, projectId: flags.project ?? null }))
  return command
}
