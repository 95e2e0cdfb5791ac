/** Known extra specs that tune one kind of driver (D-XS-36…38, 51…61): limits of CPU, disks and NICs, and what other hypervisors take. */
import { anyOf, integer, oneOf, type PropertyDefinition, text } from './property-definition.js'

const natural = integer({ min: 0 })

const disk = (['read', 'write', 'total'] as const).flatMap((direction): PropertyDefinition[] => [
  {
    key: `quota:disk_${direction}_bytes_sec`,
    group: 'QUOTA',
    title: `Disk ${direction} bytes`,
    description: `Most bytes per second of each local disk, ${direction}.`,
    value: natural,
    unit: 'bytes/s',
  },
  {
    key: `quota:disk_${direction}_iops_sec`,
    group: 'QUOTA',
    title: `Disk ${direction} operations`,
    description: `Most operations per second of each local disk, ${direction}.`,
    value: natural,
    unit: 'operations/s',
  },
])

const nic = (['inbound', 'outbound'] as const).flatMap((direction): PropertyDefinition[] => [
  {
    key: `quota:vif_${direction}_average`,
    group: 'QUOTA',
    title: `NIC ${direction} average`,
    description: `Average rate of each NIC, ${direction}.`,
    value: natural,
    unit: 'KiB/s',
  },
  {
    key: `quota:vif_${direction}_peak`,
    group: 'QUOTA',
    title: `NIC ${direction} peak`,
    description: `Peak rate of each NIC, ${direction}.`,
    value: natural,
    unit: 'KiB/s',
  },
  {
    key: `quota:vif_${direction}_burst`,
    group: 'QUOTA',
    title: `NIC ${direction} burst`,
    description: `Amount that may go at peak rate, ${direction}.`,
    value: natural,
    unit: 'KiB',
  },
])

const vmware = (
  [
    ['cpu', 'MHz'],
    ['memory', 'MB'],
    ['disk_io', 'operations/s'],
    ['vif', 'Mbps'],
  ] as const
).flatMap(([what, unit]): PropertyDefinition[] => [
  {
    key: `quota:${what}_limit`,
    group: 'VENDOR',
    title: `VMware ${what} limit`,
    description: 'Most the guest may use on VMware; 0: unlimited.',
    value: natural,
    unit,
  },
  {
    key: `quota:${what}_reservation`,
    group: 'VENDOR',
    title: `VMware ${what} reservation`,
    description: 'What VMware keeps free for the guest.',
    value: integer(),
    unit,
  },
  {
    key: `quota:${what}_shares_level`,
    group: 'VENDOR',
    title: `VMware ${what} shares`,
    description: 'Weight of the guest on VMware.',
    value: oneOf({ custom: 'The number beside it.', high: 'High.', normal: 'Normal.', low: 'Low.' }),
  },
  {
    key: `quota:${what}_shares_share`,
    group: 'VENDOR',
    title: `VMware ${what} custom shares`,
    description: 'Weight of the guest on VMware with level custom.',
    value: natural,
    requires: [`quota:${what}_shares_level`],
  },
])

export const tuningDefinitions: readonly PropertyDefinition[] = [
  {
    key: 'quota:cpu_shares',
    group: 'QUOTA',
    title: 'CPU weight',
    description: 'Weight of the guest against others when CPUs are short.',
    value: natural,
  },
  {
    key: 'quota:cpu_period',
    group: 'QUOTA',
    title: 'CPU period',
    description: 'Interval in which the CPU quota holds; 0: none.',
    value: natural,
    unit: 'µs',
  },
  {
    key: 'quota:cpu_quota',
    group: 'QUOTA',
    title: 'CPU quota',
    description: 'CPU time each vCPU may use per period; negative: unlimited.',
    value: integer(),
    unit: 'µs',
  },
  ...disk,
  ...nic,
  ...vmware,
  {
    key: 'os:resolution',
    group: 'VENDOR',
    title: 'Hyper-V resolution',
    description: 'Screen resolution with RemoteFX on Hyper-V.',
    value: anyOf('1024x768', '1280x1024', '1600x1200', '1920x1200', '2560x1600', '3840x2160'),
  },
  {
    key: 'os:monitors',
    group: 'VENDOR',
    title: 'Hyper-V monitors',
    description: 'Number of monitors with RemoteFX on Hyper-V.',
    value: integer({ min: 1, max: 8 }),
  },
  {
    key: 'os:vram',
    group: 'VENDOR',
    title: 'Hyper-V video memory',
    description: 'Video memory with RemoteFX on Hyper-V.',
    value: anyOf('64', '128', '256', '512', '1024'),
    unit: 'MB',
  },
  {
    key: 'vmware:hw_version',
    group: 'VENDOR',
    title: 'VMware hardware version',
    description: 'Virtual hardware version on VMware.',
    value: text(),
  },
  {
    key: 'vmware:storage_policy',
    group: 'VENDOR',
    title: 'VMware storage policy',
    description: 'Name of the storage policy on VMware.',
    value: text(),
  },
]
