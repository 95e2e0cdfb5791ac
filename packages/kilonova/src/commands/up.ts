/** `kilonova up`: starts a whole cloud, or some roles of one, and stays. */
import { createWriteStream, existsSync } from 'node:fs'
import { daemonMode } from '@kilonova/compute/drivers/libvirt/daemon/daemons'
import { createLogger } from '@kilonova/runtime/logger'
import { openTelemetry } from '@kilonova/runtime/observability/open-telemetry'
import { Cloud } from '../cloud/cloud.js'
import { readCloudConfig } from '../cloud/cloud-config.js'
import { DataFolder } from '../cloud/data-folder.js'
import { type CloudRole, cloudRoles, defaultPort, deploymentOf, isWhole, unitName } from '../cloud/deployment.js'
import { newAdmin, seedCloud, seedImage } from '../cloud/seed.js'
import { networkOnly, type PreparedHost, prepareHost } from '../host/prepare-host.js'
import { version } from '../version.js'
import { Steps } from './steps.js'

export interface UpFlags {
  driver: 'auto' | 'libvirt' | 'fake'
  hosts: number
  data: string
  /** Null: the port of its first role. */
  port: number | null
  host: string
  libvirtUri: string | null
  install: boolean
  /** Empty: every role. */
  role: CloudRole[]
  name: string
  db: string | null
  bus: string | null
}

export async function up(flags: UpFlags): Promise<void> {
  const steps = new Steps((line) => process.stdout.write(`${line}\n`))
  const stopped = untilSignal()
  const data = DataFolder.open(flags.data)
  const configFile = data.file('kilonova.yaml')
  const config = readCloudConfig(configFile)
  const deployment = deploymentOf({ ...flags, roles: flags.role }, config, data)
  const { roles } = deployment
  const unit = unitName(deployment)
  data.lock(unit)
  const log = createLogger(config.DEFAULT.log_level, createWriteStream(data.file(`${unit}.log`), { flags: 'a', mode: 0o600 }))
  let cloud: Cloud | undefined
  try {
    steps.say(`Data folder ${data.path}${existsSync(configFile) ? ` (options from ${configFile})` : ''}`)
    if (!isWhole(roles)) steps.say(`Roles of this process: ${[...roles].join(', ')}; name: ${deployment.name}`)
    // A compute role of its own uses the machine's libvirt.
    const libvirtUri = flags.libvirtUri ?? config.libvirt.connection_uri ?? (isWhole(roles) ? null : `qemu:///${daemonMode()}`)
    const host = roles.has('compute')
      ? await prepareHost({ flags: { ...flags, libvirtUri }, data, config, steps, log })
      : networkOnly(flags)
    const port = flags.port ?? defaultPort(roles)
    const service = isWhole(roles) ? 'kilonova' : `kilonova-${cloudRoles.filter((role) => roles.has(role)).join('+')}`
    const telemetry = await openTelemetry(config, {
      'service.name': service,
      'service.instance.id': deployment.name,
      'service.version': version,
      'kilonova.cloud_id': data.cloudId,
    })
    cloud = await steps.run('Opening databases and bus', () =>
      Cloud.open({ data, config, deployment, host: flags.host, port, driver: host.driver, version, log, telemetry }),
    )
    const running = cloud
    await running.listen()
    if (roles.has('api')) await firstStart(running, data, host, steps)
    else await steps.run(`Starting ${[...roles].join(', ')}`, () => running.start())
    if (roles.has('api') && !isLoopback(flags.host) && config.api.public_urls.length === 0) {
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

/** The first start makes the administrator, flavors, a network and an image; later ones find them. */
async function firstStart(running: Cloud, data: DataFolder, host: PreparedHost, steps: Steps): Promise<void> {
  const admin = { ...(data.readAdmin() ?? newAdmin()), url: running.url }
  data.writeAdmin(admin)
  const made = await steps.run('Preparing the first project', () => seedCloud(running.plane, admin, host.network))
  await steps.run('Starting every role', () => running.start())
  const { image } = host
  if (image !== null) await seedImage(running.plane, image, (work) => steps.run('Storing the tiny image', work))
  if (made === null) return
  steps.say('')
  steps.say(`Sign in as ${admin.username} with password ${admin.password.reveal()}`)
  steps.say(`It is shown only now; ${data.file('admin.json')} keeps it.`)
  steps.say('')
}

const isLoopback = (address: string): boolean => address === 'localhost' || address === '::1' || address.startsWith('127.')

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}
