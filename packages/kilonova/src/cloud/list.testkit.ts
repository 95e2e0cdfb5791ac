/** Servers written straight into a cell, with values chosen to be awkward to sort: nulls, duplicates, capitals, accents, numbers as text. */
import type { NewInstance } from '@kilonova/api/cells/instance.store'
import type { TestCloud } from './cloud.testkit.js'
import { cell1Id } from './deployment.js'

export type Fixture = NewInstance & { uuid: string }

const cycle = <T>(values: readonly T[], index: number): T => values[index % values.length] as T

const texts = ['b', 'B', 'a', 'ä', 'a', '10', '9', 'Zoë', 'z', '_', 'a%b'] as const
const states = [
  ['active', null, 1],
  ['active', 'rebooting', 1],
  ['active', 'rebooting_hard', 4],
  ['stopped', null, 4],
  ['stopped', 'powering-on', 4],
  ['error', null, 0],
  ['building', 'spawning', 0],
] as const

/** The same rows in every cloud; only the project and the user are the cloud's own. */
export function fixtures(projectId: string, userId: string, count = 31): Fixture[] {
  return Array.from({ length: count }, (_, index): Fixture => {
    const nullable = <T>(value: T): T | null => (index % 3 === 0 ? null : value)
    const [vmState, taskState, powerState] = cycle(states, index)
    const uuid = `${((index * 7919) % 65536).toString(16).padStart(8, '0')}-aaaa-4aaa-8aaa-${index.toString(16).padStart(12, '0')}`
    return {
      uuid,
      project_id: projectId,
      user_id: userId,
      display_name: `${cycle(texts, index)}`,
      display_description: nullable(cycle(texts, index + 2)),
      hostname: cycle(['web', 'db', 'web', 'cache'], index),
      vm_state: vmState,
      task_state: taskState,
      power_state: powerState,
      progress: (index * 10) % 70,
      host: nullable(cycle(['fake-001', 'fake-002'], index)),
      node: nullable(cycle(['fake-001', 'fake-002'], index)),
      image_id: nullable(cycle(['image-1', 'image-2'], index)),
      flavor_id: cycle(['0', '1', '10', '9'], index),
      flavor: JSON.stringify({
        flavorId: '0',
        name: 'm1.nano',
        vcpus: 1,
        ramMb: 128,
        diskGb: 1,
        ephemeralGb: 0,
        swapMb: 0,
        extraSpecs: {},
      }),
      key_name: nullable(cycle(['alpha', 'Alpha', 'beta'], index)),
      keypairs: JSON.stringify(
        index % 3 === 0 ? [] : [{ name: cycle(['alpha', 'Alpha', 'beta'], index), type: 'ssh', fingerprint: 'f', publicKey: 'k' }],
      ),
      availability_zone: cycle(['nova', 'east'], index),
      pinned_availability_zone: null,
      config_drive: index % 2,
      disk_config: cycle(['AUTO', 'MANUAL'], index),
      metadata: JSON.stringify(index % 4 === 0 ? { role: 'web', tier: '1' } : index % 4 === 1 ? { role: 'db' } : {}),
      tags: JSON.stringify([...(index % 2 === 0 ? ['even'] : []), ...(index % 5 === 0 ? ['five'] : [])]),
      network_info: JSON.stringify([
        {
          portId: `p${index}`,
          networkId: 'n',
          networkName: 'private',
          macAddress: 'fa:16:3e:00:00:00',
          mtu: 1500,
          tag: null,
          addresses: [
            { ipAddress: `10.0.0.${index + 1}`, version: 4, cidr: '10.0.0.0/24', gatewayIp: null, dnsServers: [] },
            { ipAddress: `fd00::${index + 1}`, version: 6, cidr: 'fd00::/64', gatewayIp: null, dnsServers: [] },
          ],
        },
      ]),
      locked: index % 5 < 2 ? 1 : 0,
      locked_by: cycle(['owner', 'admin', null, null, null], index),
      locked_reason: null,
      user_data: null,
      access_ip_v4: nullable(cycle(['10.0.0.9', '10.0.0.10'], index)),
      access_ip_v6: nullable(cycle(['fd00::1', 'fd00::2'], index)),
      reservation_id: cycle(['r-1', 'r-2'], index),
      launch_index: index % 4,
      root_device_name: nullable('/dev/vda'),
      fault: null,
      operation_id: null,
      fence: 1,
      generation: 1,
      created_at: 1_700_000_000_000 + Math.floor(index / 4) * 1000,
      updated_at: 1_700_000_100_000 + (index % 6) * 1000,
      launched_at: nullable(1_700_000_050_000 + (index % 5) * 1000),
      terminated_at: index % 11 === 5 ? 1_700_000_090_000 + (index % 2) * 1000 : null,
      deleted_at: null,
    }
  })
}

export async function plant(test: TestCloud, rows: readonly Fixture[]): Promise<void> {
  const { database } = await test.cloud.plane.cells.get(cell1Id)
  for (let at = 0; at < rows.length; at += 20) {
    await database.transaction((trx) =>
      trx
        .insertInto('instances')
        .values(rows.slice(at, at + 20))
        .execute(),
    )
  }
}
