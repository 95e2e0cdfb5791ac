import type { HostFilter } from './filter.js'

const modes: Record<string, string> = { xapi: 'xen', pv: 'xen', hv: 'hvm', baremetal: 'hvm' }
const canonicalMode = (mode: string): string => modes[mode] ?? mode
/** In images `qemu` stands for QEMU and KVM. */
const canonicalType = (type: string): string => (type === 'kvm' ? 'qemu' : type)

const comparisons: Record<string, (have: number, want: number) => boolean> = {
  '>=': (have, want) => have >= want,
  '<=': (have, want) => have <= want,
  '==': (have, want) => have === want,
  '!=': (have, want) => have !== want,
  '>': (have, want) => have > want,
  '<': (have, want) => have < want,
  '=': (have, want) => have === want,
}

/** `>=6000, <8000` against the hypervisor's version number. */
function versionHolds(requirement: string, version: number): boolean {
  return requirement.split(',').every((part) => {
    const match = /^\s*(>=|<=|==|!=|>|<|=)?\s*(\d+)\s*$/.exec(part)
    if (match === null) return false
    return comparisons[match[1] ?? '==']?.(version, Number(match[2])) ?? false
  })
}

/** C-FLT-13: architecture, hypervisor type, VM mode and hypervisor version that the image asks for. */
export const imagePropertiesFilter: HostFilter = {
  name: 'ImagePropertiesFilter',
  description: 'Hosts that support the architecture, hypervisor type and VM mode of the image.',
  runsOnRebuild: true,
  refuse(host, request) {
    const property = (...names: string[]): string | null => {
      const found = names.map((name) => request.imageProperties[name]).find((value) => value !== undefined && value !== '')
      return found?.toLowerCase() ?? null
    }
    const architecture = property('hw_architecture', 'architecture')
    const type = property('img_hv_type', 'hypervisor_type')
    const mode = property('hw_vm_mode', 'vm_mode')
    const version = property('img_hv_requested_version', 'hypervisor_version_requires')
    if (architecture === null && type === null && mode === null && version === null) return null
    const supported = host.supportedInstances.some(
      ([hostArchitecture, hostType, hostMode]) =>
        (architecture === null || architecture === hostArchitecture) &&
        (type === null || canonicalType(type) === canonicalType(hostType)) &&
        (mode === null || canonicalMode(mode) === hostMode),
    )
    if (!supported) {
      const wanted = [architecture, type, mode].filter((value) => value !== null).join(' ')
      return `the host does not run ${wanted} guests`
    }
    if (version !== null && host.hypervisorVersion > 0 && !versionHolds(version, host.hypervisorVersion)) {
      return `hypervisor version ${host.hypervisorVersion} is not ${version}`
    }
    return null
  },
}
