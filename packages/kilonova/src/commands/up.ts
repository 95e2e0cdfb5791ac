/** `kilonova up`: starts an all-in-one cloud and stays. */
import { createWriteStream, existsSync } from 'node:fs'
import { createLogger, type Logger } from '@kilonova/runtime/logger'
import { Cloud, type CloudOptions } from '../cloud/cloud.js'
import { readCloudConfig } from '../cloud/cloud-config.js'
import { DataFolder, OperatorError } from '../cloud/data-folder.js'
import { seedCloud } from '../cloud/seed.js'
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
  const data = DataFolder.open(flags.data)
  const configFile = data.file('kilonova.yaml')
  const config = readCloudConfig(configFile)
  data.lock()
  const log = createLogger(config.DEFAULT.log_level, createWriteStream(data.file('kilonova.log'), { flags: 'a', mode: 0o600 }))
  let cloud: Cloud | undefined
  try {
    steps.say(`Data folder ${data.path}${existsSync(configFile) ? ` (options from ${configFile})` : ''}`)
    const driver = await chooseDriver(flags, steps, log)
    cloud = await steps.run('Opening the databases', () =>
      Cloud.open({ data, config, host: flags.host, port: flags.port, driver, version, log }),
    )
    const running = cloud
    const first = await steps.run('Preparing the first project', () =>
      seedCloud(running.plane, async () => ({
        name: 'private',
        cidr: '192.168.240.0/20',
        mtu: 1500,
        networkType: 'LOCAL',
        dnsServers: [],
      })),
    )
    await steps.run('Starting every role', () => running.start())
    if (first !== null) {
      data.writeAdmin({ url: running.url, username: first.username, password: first.password, project: first.project })
      steps.say('')
      steps.say(`Sign in as ${first.username} with password ${first.password.reveal()}`)
      steps.say(`It is shown only now; ${data.file('admin.json')} keeps it.`)
      steps.say('')
    }
    steps.say(`Kilonova is up: ${running.url}`)
    await untilSignal()
    steps.say('Stopping; guests keep running.')
    await running.stop()
  } catch (error) {
    await cloud?.stop().catch(() => undefined)
    throw error
  } finally {
    data.unlock()
  }
}

async function chooseDriver(flags: UpFlags, steps: Steps, _log: Logger): Promise<CloudOptions['driver']> {
  if (flags.driver === 'libvirt') throw new OperatorError('The libvirt driver is not part of this build yet.')
  steps.say(`Driver: fake, with ${flags.hosts} simulated hosts`)
  return { kind: 'fake', hosts: flags.hosts }
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}
