/** `kilonova up`: starts an all-in-one cloud and stays. */
import { createWriteStream, existsSync } from 'node:fs'
import { createLogger } from '@kilonova/runtime/logger'
import { Cloud } from '../cloud/cloud.js'
import { readCloudConfig } from '../cloud/cloud-config.js'
import { DataFolder } from '../cloud/data-folder.js'
import { newAdmin, seedCloud, seedImage } from '../cloud/seed.js'
import { prepareHost } from '../host/prepare-host.js'
import { version } from '../version.js'
import { Steps } from './steps.js'

export interface UpFlags {
  driver: 'auto' | 'libvirt' | 'fake'
  hosts: number
  data: string
  port: number
  host: string
  libvirtUri: string | null
  install: boolean
}

export async function up(flags: UpFlags): Promise<void> {
  const steps = new Steps((line) => process.stdout.write(`${line}\n`))
  const stopped = untilSignal()
  const data = DataFolder.open(flags.data)
  const configFile = data.file('kilonova.yaml')
  const config = readCloudConfig(configFile)
  data.lock()
  const log = createLogger(config.DEFAULT.log_level, createWriteStream(data.file('kilonova.log'), { flags: 'a', mode: 0o600 }))
  let cloud: Cloud | undefined
  try {
    steps.say(`Data folder ${data.path}${existsSync(configFile) ? ` (options from ${configFile})` : ''}`)
    const host = await prepareHost({ flags, data, config, steps, log })
    cloud = await steps.run('Opening the databases', () =>
      Cloud.open({ data, config, host: flags.host, port: flags.port, driver: host.driver, version, log }),
    )
    const running = cloud
    await running.listen()
    const admin = { ...(data.readAdmin() ?? newAdmin()), url: running.url }
    data.writeAdmin(admin)
    const made = await steps.run('Preparing the first project', () => seedCloud(running.plane, admin, host.network))
    await steps.run('Starting every role', () => running.start())
    const { image } = host
    if (image !== null) await seedImage(running.plane, image, (work) => steps.run('Storing the tiny image', work))
    if (made !== null) {
      steps.say('')
      steps.say(`Sign in as ${admin.username} with password ${admin.password.reveal()}`)
      steps.say(`It is shown only now; ${data.file('admin.json')} keeps it.`)
      steps.say('')
    }
    if (!isLoopback(flags.host) && config.api.public_urls.length === 0) {
      steps.say(`Browsers on other machines are refused until api.public_urls in ${configFile} names the address they use.`)
    }
    steps.say(`Kilonova is up: ${running.url}`)
    await stopped
    steps.say('Stopping; guests keep running.')
    await running.stop()
  } catch (error) {
    await cloud?.stop().catch((secondary: unknown) => log.error({ err: secondary }, 'stopping after a failed start'))
    throw error
  } finally {
    data.unlock()
  }
}

const isLoopback = (address: string): boolean => address === 'localhost' || address === '::1' || address.startsWith('127.')

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}
