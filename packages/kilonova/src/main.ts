/** The `kilonova` command. */
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { NewerSchemaError } from '@kilonova/api/db/migrator'
import { buildCloudSchema, printCloudSchema } from '@kilonova/api/graphql/schema'
import { ConfigError } from '@kilonova/runtime/config'
import { createLogger } from '@kilonova/runtime/logger'
import { Command, InvalidArgumentError, Option } from 'commander'
import { OperatorError } from './cloud/data-folder.js'
import { type CloudRole, cloudRoles } from './cloud/deployment.js'
import { type DownFlags, down } from './commands/down.js'
import { limitsCommand } from './commands/limits.command.js'
import { type UpFlags, up } from './commands/up.js'
import { buildTinyImage } from './tiny-image/tiny-image.js'
import { version } from './version.js'

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number from ${least} to ${most}.`)
    return value
  }
}

/** Roles, separated by commas; the flag may be repeated. */
function rolesOf(text: string, before: CloudRole[]): CloudRole[] {
  const roles = text.split(',').map((name) => {
    const role = cloudRoles.find((known) => known === name.trim())
    if (role === undefined) throw new InvalidArgumentError(`roles are ${cloudRoles.join(', ')}.`)
    return role
  })
  return [...before, ...roles]
}

function nameOf(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text))
    throw new InvalidArgumentError('letters, digits, dots, dashes and underscores, at most 63.')
  return text
}

/** A flag that the environment may give as KILONOVA_<FLAG>. */
function flag(flags: string, description: string): Option {
  const option = new Option(flags, description)
  const name = option.long?.replace(/^--(no-)?/, '') ?? ''
  return option.env(`KILONOVA_${name.toUpperCase().replaceAll('-', '_')}`)
}

const program = new Command('kilonova')
  .description('A compute cloud: GraphQL first, libvirt underneath.')
  .version(version)
  .showHelpAfterError()

program
  .command('up')
  .description('start an all-in-one cloud on this machine and stay in the foreground')
  .addOption(flag('--driver <driver>', 'what runs the guests').choices(['auto', 'libvirt', 'fake']).default('auto'))
  .addOption(flag('--hosts <count>', 'simulated hosts of the fake driver').argParser(wholeNumber(1, 1000)).default(3))
  .addOption(flag('--data <folder>', 'where the cloud lives').default('./.kilonova'))
  .addOption(
    flag('--port <port>', 'port of dashboard and API, or of the first role’s health (default: 8774, or that of the role)').argParser(
      wholeNumber(0, 65535),
    ),
  )
  .addOption(flag('--host <address>', 'address to listen on').default('127.0.0.1'))
  .addOption(flag('--libvirt-uri <uri>', 'use this libvirt daemon instead of an own one'))
  .addOption(flag('--no-install', 'install nothing; say what is missing'))
  .addOption(
    flag('--role <roles>', `run only these roles in this process: ${cloudRoles.join(', ')}`)
      .argParser(rolesOf)
      .default([], 'all'),
  )
  .addOption(
    flag('--name <name>', 'name of this process and, with the compute role, of its host')
      .argParser(nameOf)
      .default(hostname(), 'the name of this machine'),
  )
  .addOption(flag('--db <url>', 'PostgreSQL instead of SQLite: postgres://user:password@host/kilonova'))
  .addOption(flag('--bus <url>', 'Redis that joins the processes: redis://host:6379'))
  .action(async (options: UpFlags) =>
    up({
      ...options,
      libvirtUri: options.libvirtUri ?? null,
      port: options.port ?? null,
      db: options.db ?? null,
      bus: options.bus ?? null,
    }),
  )

program
  .command('down')
  .description('stop the cloud, its guests and its hypervisor')
  .addOption(flag('--data <folder>', 'where the cloud lives').default('./.kilonova'))
  .option('--purge', 'remove everything: guests, disks, databases, bridges, rules', false)
  .action(async (options: DownFlags) => down(options))

program.addCommand(limitsCommand(flag))

program
  .command('tiny-image')
  .description('build the tiny Linux image from Debian’s packages and print its path')
  .requiredOption('--folder <folder>', 'where to keep it')
  .action(async (options: { folder: string }) => {
    const { path } = await buildTinyImage({ workFolder: options.folder, log: createLogger('warn', process.stderr) })
    process.stdout.write(`${path}\n`)
  })

program
  .command('schema')
  .description('print the GraphQL schema')
  .option('--write <file>', 'write it to a file instead')
  .action((options: { write?: string }) => {
    const sdl = printCloudSchema(buildCloudSchema())
    if (options.write === undefined) process.stdout.write(sdl)
    else writeFileSync(options.write, sdl)
  })

try {
  await program.parseAsync()
} catch (error) {
  const expected = error instanceof OperatorError || error instanceof ConfigError || error instanceof NewerSchemaError
  process.stderr.write(
    `kilonova: ${expected ? (error as Error).message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exitCode = 1
}
