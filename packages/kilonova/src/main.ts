/** The `kilonova` command. */
import { writeFileSync } from 'node:fs'
import { NewerSchemaError } from '@kilonova/api/db/migrator'
import { buildCloudSchema, printCloudSchema } from '@kilonova/api/graphql/schema'
import { ConfigError } from '@kilonova/runtime/config'
import { createLogger } from '@kilonova/runtime/logger'
import { Command, InvalidArgumentError, Option } from 'commander'
import { OperatorError } from './cloud/data-folder.js'
import { type DownFlags, down } from './commands/down.js'
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
  .addOption(flag('--port <port>', 'port of dashboard and API').argParser(wholeNumber(0, 65535)).default(8774))
  .addOption(flag('--host <address>', 'address to listen on').default('127.0.0.1'))
  .addOption(flag('--libvirt-uri <uri>', 'use this libvirt daemon instead of an own one'))
  .addOption(flag('--no-install', 'install nothing; say what is missing'))
  .action(async (options: UpFlags) => up({ ...options, libvirtUri: options.libvirtUri ?? null }))

program
  .command('down')
  .description('stop the cloud, its guests and its hypervisor')
  .addOption(flag('--data <folder>', 'where the cloud lives').default('./.kilonova'))
  .option('--purge', 'remove everything: guests, disks, databases, bridges, rules', false)
  .action(async (options: DownFlags) => down(options))

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
