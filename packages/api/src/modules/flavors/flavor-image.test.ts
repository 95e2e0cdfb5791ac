import { describe, expect, it } from 'vitest'
import { requireAgreement } from './flavor-image.js'

describe('D-XS-4, C table T6: a flavor and an image', () => {
  it.each<[string, string | null, string, string]>([
    ['hw:cpu_policy', null, 'hw_cpu_policy', 'dedicated'],
    ['hw:cpu_policy', 'dedicated', 'hw_cpu_policy', 'shared'],
    ['hw:cpu_policy', 'mixed', 'hw_cpu_policy', 'shared'],
    ['hw:cpu_thread_policy', 'prefer', 'hw_cpu_thread_policy', 'isolate'],
    ['hw:cpu_thread_policy', 'require', 'hw_cpu_thread_policy', 'require'],
    ['hw:mem_page_size', 'any', 'hw_mem_page_size', '2MB'],
    ['hw:mem_page_size', 'large', 'hw_mem_page_size', '1GB'],
    ['hw:numa_nodes', null, 'hw_numa_nodes', '2'],
    ['hw:numa_mem.1', '512', 'hw_numa_mem.0', '512'],
    ['hw:cpu_max_sockets', '4', 'hw_cpu_max_sockets', '4'],
    ['hw:cpu_max_cores', null, 'hw_cpu_max_cores', '65536'],
    ['hw:pmu', 'true', 'hw_pmu', 'YES'],
    ['hw:viommu_model', 'intel', 'hw_viommu_model', 'virtio'],
    ['hw:watchdog_action', 'reset', 'hw_watchdog_action', 'pause'],
    ['hw:hide_hypervisor_id', 'false', 'img_hide_hypervisor_id', 'true'],
    ['hw:serial_port_count', null, 'hw_serial_port_count', '3'],
    ['hw_video:ram_max_mb', '64', 'hw_video_ram', '64'],
    ['os:secure_boot', 'required', 'os_secure_boot', 'required'],
    ['trait:HW_X', 'forbidden', 'trait:HW_Y', 'required'],
    ['anything', 'a', 'anything', 'b'],
  ])('with %s=%s and %s=%s get along', (key, spec, name, property) => {
    expect(() => requireAgreement(spec === null ? {} : { [key]: spec }, { [name]: property })).not.toThrow()
  })

  it.each<[string, string | null, string, string, string]>([
    ['hw:cpu_policy', 'shared', 'hw_cpu_policy', 'dedicated', 'ImageCPUPinningForbidden'],
    ['hw:cpu_policy', 'shared', 'hw_cpu_policy', 'mixed', 'ImageCPUPinningForbidden'],
    ['hw:cpu_policy', 'mixed', 'hw_cpu_policy', 'dedicated', 'ImageCPUPinningForbidden'],
    ['hw:cpu_thread_policy', 'isolate', 'hw_cpu_thread_policy', 'require', 'ImageCPUThreadPolicyForbidden'],
    ['hw:mem_page_size', null, 'hw_mem_page_size', 'any', 'MemoryPageSizeForbidden'],
    ['hw:mem_page_size', 'small', 'hw_mem_page_size', 'small', 'MemoryPageSizeForbidden'],
    ['hw:numa_nodes', '2', 'hw_numa_nodes', '2', 'ImageNUMATopologyForbidden'],
    ['hw:numa_cpus.1', '0', 'hw_numa_cpus.1', '0', 'ImageNUMATopologyForbidden'],
    ['hw:cpu_max_sockets', '4', 'hw_cpu_max_sockets', '5', 'ImageVCPULimitsRangeExceeded'],
    ['hw:max_cpu_sockets', '4', 'hw_cpu_max_sockets', '5', 'ImageVCPULimitsRangeExceeded'],
    ['hw:cpu_max_cores', null, 'hw_cpu_max_cores', '65537', 'ImageVCPULimitsRangeExceeded'],
    ['hw:pci_numa_affinity_policy', 'required', 'hw_pci_numa_affinity_policy', 'legacy', 'ImagePCINUMAPolicyForbidden'],
    ['hw:locked_memory', 'true', 'hw_locked_memory', 'false', 'FlavorImageLockedMemoryConflict'],
    ['hw:mem_encryption', 'true', 'hw_mem_encryption', '0', 'FlavorImageConflict'],
    ['hw:pmu', 'no', 'hw_pmu', 'on', 'ImagePMUConflict'],
    ['hw:vif_multiqueue_enabled', 'true', 'hw_vif_multiqueue_enabled', 'false', 'FlavorImageConflict'],
    ['hw:tpm_version', '1.2', 'hw_tpm_version', '2.0', 'FlavorImageConflict'],
    ['os:secure_boot', 'disabled', 'os_secure_boot', 'required', 'FlavorImageConflict'],
    ['hw:ephemeral_encryption_format', 'luks', 'hw_ephemeral_encryption_format', 'plain', 'FlavorImageConflict'],
    ['hw:serial_port_count', '1', 'hw_serial_port_count', '2', 'ImageSerialPortNumberExceedFlavorValue'],
    // D-FLV-8: without a cap no video memory may be asked for.
    ['hw_video:ram_max_mb', null, 'hw_video_ram', '1', 'RequestedVRamTooHigh'],
    ['hw_video:ram_max_mb', '32', 'hw_video_ram', '64', 'RequestedVRamTooHigh'],
  ])('with %s=%s and %s=%s do not', (key, spec, name, property, exception) => {
    const refusal = expect.objectContaining({ code: 'FLAVOR_IMAGE_CONFLICT', exception, fields: ['input.flavorId', 'input.imageId'] })
    expect(() => requireAgreement(spec === null ? {} : { [key]: spec }, { [name]: property })).toThrow(refusal)
  })

  it('do not get along when the image says nonsense, as images of earlier days may (D-IMG-1)', () => {
    expect(() => requireAgreement({}, { hw_disk_bus: 'nvme' })).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', exception: 'InvalidRequest', fields: ['input.imageId'] }),
    )
  })
})
