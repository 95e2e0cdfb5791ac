/** Which roles a process runs, and where it finds the databases and the bus it shares with the others. */
import { readFileSync } from 'node:fs'
import { cell0Id } from '@kilonova/api/cells/cells.service'
import { type PlaneRole, planeRoles } from '@kilonova/api/control-plane'
import type { DatabaseAddresses } from '@kilonova/api/db/open-databases'
import type { CloudConfig } from './cloud-config.js'
import { type DataFolder, OperatorError, wholeCloud } from './data-folder.js'

export const cloudRoles = [...planeRoles, 'compute', 'console-proxy'] as const
export type CloudRole = (typeof cloudRoles)[number]

export interface Deployment {
  roles: ReadonlySet<CloudRole>
  /** Names this process among its kind: leases and, for a compute role, its host. */
  name: string
  databases: DatabaseAddresses
  /** Null: everything is in this process. */
  busUrl: string | null
}

export const cell1Id = '11111111-1111-4111-8111-111111111111'

const defaultPorts: Record<CloudRole, number> = { api: 8774, scheduler: 8781, conductor: 8782, compute: 8783, 'console-proxy': 6080 }

/** The port of the first role in the order of `cloudRoles`: each process serves its health there. */
export const defaultPort = (roles: ReadonlySet<CloudRole>): number => defaultPorts[cloudRoles.find((role) => roles.has(role)) ?? 'api']

export const planeRolesOf = (roles: ReadonlySet<CloudRole>): Set<PlaneRole> => new Set(planeRoles.filter((role) => roles.has(role)))

export const isWhole = (roles: ReadonlySet<CloudRole>): boolean => cloudRoles.every((role) => roles.has(role))

/** Folders and locks of a process that runs only some roles are called after them. */
export const unitName = ({ roles, name }: Pick<Deployment, 'roles' | 'name'>): string =>
  isWhole(roles) ? wholeCloud : `${cloudRoles.filter((role) => roles.has(role)).join('+')}-${name}`

export interface DeploymentFlags {
  roles: readonly CloudRole[]
  name: string
  db: string | null
  bus: string | null
}

/** Flags over options; throws OperatorError where they do not fit together. */
export function deploymentOf(flags: DeploymentFlags, config: CloudConfig, data: DataFolder): Deployment {
  const roles = new Set<CloudRole>(flags.roles.length === 0 ? cloudRoles : flags.roles)
  const { database, DEFAULT } = config
  const db = flags.db ?? database.connection ?? secretFile(database.connection_file)
  const busUrl = flags.bus ?? DEFAULT.transport_url ?? secretFile(DEFAULT.transport_url_file)
  if (!isWhole(roles)) {
    if (busUrl === null) throw new OperatorError('Roles in processes of their own need a bus: give --bus redis://… to each of them.')
    if (db === null && planeRolesOf(roles).size > 0) {
      throw new OperatorError('SQLite serves one process only: roles in processes of their own need PostgreSQL, with --db postgres://…')
    }
  }
  if (busUrl !== null && !/^rediss?:\/\/./.test(busUrl)) throw new OperatorError('--bus takes the address of a Redis: redis://host:6379.')
  const urlOf = databaseUrls(db, data)
  return {
    roles,
    name: flags.name,
    busUrl,
    databases: {
      apiUrl: urlOf('api'),
      cells: [
        { id: cell0Id, name: 'cell0', url: urlOf('cell0'), transportUrl: 'none:///' },
        { id: cell1Id, name: 'cell1', url: urlOf('cell1'), transportUrl: busUrl === null ? 'in-process:///' : withoutSecrets(busUrl) },
      ],
    },
  }
}

/** SQLite files in the data folder, or databases of one PostgreSQL whose names begin alike. */
function databaseUrls(db: string | null, data: DataFolder): (name: string) => string {
  if (db === null) return (name) => `sqlite://${data.file('db', `${name}.db`)}`
  const url = URL.canParse(db) ? new URL(db) : null
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol) || url.pathname.length < 2) {
    throw new OperatorError('--db takes the address of a PostgreSQL: postgres://user:password@host/kilonova.')
  }
  return (name) => {
    const own = new URL(url)
    own.pathname = `${url.pathname}_${name}`
    return own.href
  }
}

function secretFile(file: string | null): string | null {
  if (file === null) return null
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new OperatorError(`The file ${file} cannot be read: ${(error as Error).message}`)
  }
}

function withoutSecrets(address: string): string {
  const url = new URL(address)
  url.username = ''
  url.password = ''
  return url.href
}
