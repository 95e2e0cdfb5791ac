/** Server rows as the contract shows them. Cheap on purpose: a page may hold a thousand. */

import type { GuestFlavor, GuestInterface, GuestKeypair } from '@kilonova/contract/rpc/guest'
import {
  powerStateName,
  type TaskState as StoredTask,
  type VmState as StoredVm,
  serverStatus,
  statusesWithProgress,
} from '@kilonova/contract/server-states'
import { type InstanceFault, type InstanceRow, instanceNameOf } from '../../cells/instance.store.js'
import { hostIdOf } from '../operations/operation.view.js'
import type { TaskState, VmState } from './server.enums.js'
import { shownState } from './server.query.js'
import type { FoundServer } from './server.repository.js'
import type { Server, ServerAddress, ServerFault, ServerFlavor } from './server.types.js'

export type ServerNode = Server & { found: FoundServer }

const hostIds = new Map<string, string>()
function cachedHostId(projectId: string, host: string | null): string {
  if (host === null) return ''
  const key = `${projectId} ${host}`
  let hostId = hostIds.get(key)
  if (hostId === undefined) {
    if (hostIds.size > 10_000) hostIds.clear()
    hostId = hostIdOf(projectId, host)
    hostIds.set(key, hostId)
  }
  return hostId
}

export function toServer(found: FoundServer): ServerNode {
  const { row } = found
  const status = row.deleted_at !== null ? 'DELETED' : serverStatus(row.vm_state as StoredVm, row.task_state as StoredTask | null)
  return {
    id: row.uuid,
    name: row.display_name,
    description: row.display_description,
    hostname: row.hostname,
    status,
    vmState: shownState(row.vm_state) as VmState,
    taskState: row.task_state === null ? null : (shownState(row.task_state) as TaskState),
    powerState: powerStateName(row.power_state),
    progressPercent: statusesWithProgress.includes(status) ? row.progress : null,
    fault: status === 'ERROR' || status === 'DELETED' ? toFault(row) : null,
    isPartial: false,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    launchedAt: row.launched_at,
    terminatedAt: row.terminated_at,
    generation: row.generation,
    projectId: row.project_id,
    userId: row.user_id,
    flavor: toServerFlavor(row),
    imageId: row.image_id,
    keypairs: (JSON.parse(row.keypairs) as GuestKeypair[]).map((key) => ({
      name: key.name,
      type: key.type === 'x509' ? ('X509' as const) : ('SSH' as const),
      fingerprint: key.fingerprint,
      publicKey: key.publicKey,
    })),
    addresses: row.vm_state === 'building' ? [] : toAddresses(row),
    accessIpV4: row.access_ip_v4,
    accessIpV6: row.access_ip_v6,
    metadata: Object.entries(JSON.parse(row.metadata) as Record<string, string>).map(([key, value]) => ({ key, value })),
    tags: JSON.parse(row.tags) as string[],
    diskConfig: row.disk_config === 'AUTO' ? 'AUTO' : 'MANUAL',
    configDrive: row.config_drive === 1,
    availabilityZone: row.availability_zone,
    pinnedAvailabilityZone: row.pinned_availability_zone,
    locked: row.locked === 1,
    lockedReason: row.locked_reason,
    lockedBy: row.locked_by === null ? null : row.locked_by === 'admin' ? 'ADMIN' : 'OWNER',
    hostId: cachedHostId(row.project_id, row.host),
    host: row.host,
    hypervisorHostname: row.node,
    instanceName: row.id === 0 ? null : instanceNameOf(row.id),
    reservationId: row.reservation_id,
    launchIndex: row.launch_index,
    rootDeviceName: row.root_device_name,
    userData: row.user_data,
    found,
  }
}

function toServerFlavor(row: InstanceRow): ServerFlavor & { flavorId: string; projectId: string } {
  const flavor = JSON.parse(row.flavor) as GuestFlavor
  return {
    originalName: flavor.name,
    vcpus: flavor.vcpus,
    ramMb: flavor.ramMb,
    diskGb: flavor.diskGb,
    ephemeralGb: flavor.ephemeralGb,
    swapMb: flavor.swapMb,
    extraSpecs: Object.entries(flavor.extraSpecs).map(([key, value]) => ({ key, value })),
    flavorId: flavor.flavorId,
    projectId: row.project_id,
  }
}

const toAddresses = (row: InstanceRow): ServerAddress[] =>
  (JSON.parse(row.network_info) as GuestInterface[]).flatMap((port) =>
    port.addresses.map((address) => ({
      networkLabel: port.networkName,
      address: address.ipAddress,
      version: address.version,
      type: 'FIXED' as const,
      macAddress: port.macAddress,
    })),
  )

function toFault(row: InstanceRow): ServerFault | null {
  if (row.fault === null) return null
  const fault = JSON.parse(row.fault) as InstanceFault
  return {
    code: fault.code,
    errorCode: fault.errorCode as ServerFault['errorCode'],
    message: fault.message,
    createdAt: fault.createdAt,
    details: fault.details ?? null,
  }
}
