/** Known flavor extra specs and their values (C table T4, C-EXT-3). */
type Check = { kind: 'enum'; values: readonly string[] } | { kind: 'pattern'; pattern: RegExp; says: string }

const oneOf = (...values: string[]): Check => ({ kind: 'enum', values })
const bool = oneOf('true', 'True', '1', 'yes', 'on', 'false', 'False', '0', 'no', 'off')
const int: Check = { kind: 'pattern', pattern: /^\d+$/, says: 'a whole number' }
const signed: Check = { kind: 'pattern', pattern: /^-?\d+$/, says: 'a whole number' }
const positive: Check = { kind: 'pattern', pattern: /^[1-9]\d*$/, says: 'a whole number of at least 1' }
const text: Check = { kind: 'pattern', pattern: /^.{1,255}$/s, says: 'text of 1 to 255 characters' }
const cpuSet: Check = {
  kind: 'pattern',
  pattern: /^\^?\d+(-\d+)?(,\^?\d+(-\d+)?)*$/,
  says: 'a CPU set such as 0-3,^2',
}
const availability = oneOf('required', 'forbidden')

const known: [RegExp, Check][] = [
  [/^accel:device_profile$/, text],
  [/^aggregate_instance_extra_specs:.+$/, text],
  [/^capabilities:.+$/, text],
  [/^hw:hide_hypervisor_id$/, bool],
  [/^hw:boot_menu$/, bool],
  [/^hw:cpu_policy$/, oneOf('dedicated', 'shared', 'mixed')],
  [/^hw:cpu_thread_policy$/, oneOf('prefer', 'isolate', 'require')],
  [/^hw:cpu_dedicated_mask$/, cpuSet],
  [/^hw:cpu_realtime$/, bool],
  [/^hw:cpu_realtime_mask$/, cpuSet],
  [/^hw:emulator_threads_policy$/, oneOf('isolate', 'share')],
  [/^hw:cpu_(sockets|cores|threads)$/, positive],
  [/^hw:(cpu_max|max_cpu)_(sockets|cores|threads)$/, positive],
  [
    /^hw:mem_page_size$/,
    {
      kind: 'pattern',
      pattern: /^(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)$/,
      says: 'large, small, any or a size such as 2MB',
    },
  ],
  [/^hw:locked_memory$/, bool],
  [/^hw:mem_encryption$/, bool],
  [/^hw:numa_nodes$/, positive],
  [/^hw:numa_cpus\.\d+$/, cpuSet],
  [/^hw:numa_mem\.\d+$/, positive],
  [/^hw:pci_numa_affinity_policy$/, oneOf('required', 'preferred', 'legacy', 'socket')],
  [/^hw:pmem$/, { kind: 'pattern', pattern: /^[a-zA-Z0-9_]+(,[a-zA-Z0-9_]+)*$/, says: 'labels joined by commas' }],
  [/^hw:pmu$/, bool],
  [/^hw:serial_port_count$/, int],
  [/^hw:tpm_version$/, oneOf('1.2', '2.0')],
  [/^hw:tpm_model$/, oneOf('tpm-tis', 'tpm-crb')],
  [/^hw:vif_multiqueue_enabled$/, bool],
  [/^hw:viommu_model$/, oneOf('intel', 'smmuv3', 'virtio', 'auto')],
  [/^hw:watchdog_action$/, oneOf('none', 'pause', 'poweroff', 'reset', 'disabled')],
  [/^hw:ephemeral_encryption$/, bool],
  [/^hw:ephemeral_encryption_format$/, oneOf('plain', 'luks', 'luksv2')],
  [/^hw_rng:allowed$/, bool],
  [/^hw_rng:rate_(bytes|period)$/, int],
  [/^hw_video:ram_max_mb$/, int],
  [/^os:secure_boot$/, oneOf('disabled', 'required')],
  [/^os:(resolution|monitors|vram)$/, text],
  [/^pci_passthrough:alias$/, { kind: 'pattern', pattern: /^[^:]+:\d+(?:\s*,\s*[^:]+:\d+)*$/, says: 'alias:count, joined by commas' }],
  [/^quota:cpu_(shares|period)$/, int],
  [/^quota:cpu_quota$/, signed],
  [/^quota:disk_(read|write|total)_(bytes|iops)_sec(_max(_length)?)?$/, int],
  [/^quota:vif_(inbound|outbound)_(average|peak|burst)$/, int],
  [/^quota:(cpu|memory|disk_io|vif)_(limit|reservation|shares_share)$/, int],
  [/^quota:(cpu|memory|disk_io|vif)_shares_level$/, oneOf('custom', 'high', 'normal', 'low')],
  [/^resources([a-zA-Z0-9_-]{1,64})?:[A-Z0-9_]+$/, int],
  [/^trait([a-zA-Z0-9_-]{1,64})?:[A-Z0-9_]+$/, availability],
  [/^vmware:.+$/, text],
]
const ownedNamespace =
  /^(accel|aggregate_instance_extra_specs|capabilities|hw|hw_rng|hw_video|os|pci_passthrough|quota|vmware|resources[a-zA-Z0-9_-]*|trait[a-zA-Z0-9_-]*):/
const keyPattern = /^[a-zA-Z0-9\-_:. ]{1,255}$/

/** Why an extra spec is refused, or null. Unknown namespaces and bare keys pass unchecked (C-EXT-3). */
export function refuseExtraSpec(key: string, value: string): string | null {
  if (!keyPattern.test(key)) return `Extra spec key '${key}' may hold 1 to 255 letters, digits, - _ : . and blanks.`
  if (value.length > 255) return `The value of extra spec '${key}' is longer than 255 characters.`
  if (key === 'group_policy' && !['none', 'isolate'].includes(value)) {
    return `Extra spec 'group_policy' must be none or isolate, not '${value}'.`
  }
  const check = known.find(([pattern]) => pattern.test(key))?.[1]
  if (check === undefined) {
    return ownedNamespace.test(key) ? `Validation failed; extra spec '${key}' does not appear to be a valid extra spec.` : null
  }
  if (check.kind === 'enum') {
    return check.values.includes(value) ? null : `Extra spec '${key}' must be one of ${check.values.join(', ')}, not '${value}'.`
  }
  return check.pattern.test(value) ? null : `Extra spec '${key}' must be ${check.says}, not '${value}'.`
}
