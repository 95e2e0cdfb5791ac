/** What keeps a process from doing its work, in words for the operator: the answer of /readyz. */
import type { ControlPlane } from '@kilonova/api/control-plane'
import type { MessageBus } from '@kilonova/runtime/bus/bus'
import type { CloudRole } from './deployment.js'

export interface Readiness {
  started: boolean
  stopping: boolean
}

export interface ReadinessQuestion {
  readiness: Readiness
  roles: ReadonlySet<CloudRole>
  plane: ControlPlane | null
  bus: MessageBus
}

const patienceMs = 2000

/** Empty: ready. */
export async function whatIsMissing({ readiness, roles, plane, bus }: ReadinessQuestion): Promise<string[]> {
  if (readiness.stopping) return ['the process is stopping']
  const missing: string[] = []
  if (!readiness.started) missing.push('the roles are still starting')
  if (!(await inTime(bus.reachable()))) missing.push('the bus does not answer')
  if (plane === null) return missing
  const databases = [{ name: 'api', database: plane.api }, ...(await cellsOf(plane))]
  const answers = await Promise.all(databases.map(async ({ name, database }) => ({ name, up: await inTime(database.answers()) })))
  missing.push(...answers.filter(({ up }) => !up).map(({ name }) => `the database ${name} does not answer`))
  if (roles.has('api') && answers.every(({ up }) => up)) {
    const hosts = await plane.services.hypervisors.hostStates()
    if (hosts.length === 0) missing.push('no compute host has registered yet')
    else if (!hosts.some((host) => host.serviceUp)) missing.push('no compute host reports')
  }
  return missing
}

async function cellsOf(plane: ControlPlane) {
  try {
    return (await plane.cells.all()).map((cell) => ({ name: cell.database.name, database: cell.database }))
  } catch {
    // The API database tells of the cells; it is named already when it is away.
    return []
  }
}

async function inTime(question: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs)
  })
  try {
    return await Promise.race([question, late])
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}
