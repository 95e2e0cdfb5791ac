/** Known extra specs and image properties: what passes, what is refused and where, and that the two registries fit each other. */
import { describe, expect, it } from 'vitest'
import { extraSpecRegistry, refuseExtraSpec } from '../extra-specs.js'
import { imagePropertyRegistry, refuseImageProperty } from '../image-properties.js'
import { fits, namespaceOf, type PropertyDefinition, truthOf } from './property-definition.js'

describe('C-EXT-3, D-XS-1: an extra spec', () => {
  it.each([
    ['hw:cpu_policy', 'dedicated'],
    ['hw:cpu_max_sockets', '4'],
    // Both spellings of the ceilings (D-XS-12).
    ['hw:max_cpu_sockets', '4'],
    ['hw:mem_page_size', '2MB'],
    ['hw:mem_page_size', 'any'],
    ['hw:numa_cpus.0', '0-3,^2'],
    ['hw:numa_mem.11', '512'],
    ['hw:pmem', 'A,B_2'],
    ['hw:hide_hypervisor_id', 'True'],
    ['hide_hypervisor_id', 'y'],
    ['hw:boot_menu', 'OFF'],
    ['os:secure_boot', 'required'],
    ['os:monitors', '8'],
    ['quota:cpu_quota', '-1'],
    ['quota:disk_read_iops_sec', '1000'],
    ['quota:memory_reservation', '-5'],
    ['pci_passthrough:alias', 'gpu:1, nic:2'],
    ['group_policy', 'isolate'],
    ['resources:VCPU', '0'],
    ['resources1:CUSTOM_FPGA_2', '1'],
    ['resources_rack-2:SRIOV_NET_VF', '1'],
    ['trait:HW_CPU_X86_AVX2', 'required'],
    ['traitSSL:CUSTOM_PHYSNET_NET1', 'forbidden'],
    ['aggregate_instance_extra_specs:disk kind', '<or> ssd <or> nvme'],
    ['capabilities:hypervisor_version', '>= 6000'],
    ['capabilities:cpu_info:vendor', 's== Intel'],
    ['vmware:hw_version', 'vmx-13'],
    // Namespaces and bare keys that nobody knows pass unchecked, those of dropped drivers too (D-XS-2).
    ['powervm:min_mem', 'whatever'],
    ['acme:anything', ''],
    ['anything', 'at all'],
  ])('%s = %j passes', (key, value) => {
    expect(refuseExtraSpec(key, value)).toBeNull()
  })

  it.each([
    ['hw:cpu_polcy', 'dedicated', 'key'],
    ['hw:numa_cpus.x', '0', 'key'],
    ['hw:numa_cpus', '0', 'key'],
    ['vmware:nonsense', '1', 'key'],
    ['resources:VCPUS', '1', 'key'],
    ['resources:CUSTOM_fpga', '1', 'key'],
    [`resources${'x'.repeat(65)}:VCPU`, '1', 'key'],
    ['trait:avx', 'required', 'key'],
    ['capabilities:shoe_size', '46', 'key'],
    ['capabilities:vcpus:nested', '1', 'key'],
    ['a/b', '1', 'key'],
    ['', '1', 'key'],
    ['k'.repeat(256), '1', 'key'],
    ['hw:cpu_policy', 'Dedicated', 'value'],
    ['hw:cpu_policy', '', 'value'],
    ['hw:cpu_sockets', '0', 'value'],
    ['hw:cpu_sockets', '1.5', 'value'],
    ['hw:cpu_sockets', '1\n', 'value'],
    ['os:monitors', '9', 'value'],
    ['hw:boot_menu', 'maybe', 'value'],
    ['hw:numa_cpus.0', '0-', 'value'],
    ['trait:HW_CPU_X86_AVX2', 'preferred', 'value'],
    ['hw:mem_page_size', 'huge', 'value'],
    ['quota:cpu_shares', '-1', 'value'],
    ['anything', 'v'.repeat(256), 'value'],
  ])('%s = %j is refused', (key, value, at) => {
    expect(refuseExtraSpec(key, value)).toMatchObject({ at, message: expect.stringContaining(key.slice(0, 20)) })
  })

  it('is judged in no time, whatever its value', () => {
    const started = performance.now()
    for (const { key, parameters } of extraSpecRegistry.definitions) {
      if (parameters === undefined) for (const piece of ['1-', 'A,', '1:', ',', ' ']) refuseExtraSpec(key, piece.repeat(120))
    }
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('D-IMG: an image property', () => {
  it.each([
    ['hw_disk_bus', 'virtio'],
    ['hw_architecture', 'AMD64'],
    ['architecture', 'x86_64'],
    ['hypervisor_type', 'kvm'],
    ['img_hv_requested_version', '>=6000, <8000'],
    ['os_type', 'Windows'],
    ['hw_numa_mem.127', '64'],
    ['hw_qemu_guest_agent', 'yes'],
    ['img_config_drive', 'mandatory'],
    ['trait:HW_CPU_X86_AVX2', 'required'],
    ['img_signature_hash_method', 'SHA-256'],
    ['hw_machine_type', 'pc-q35-8.2'],
    ['my_own', 'thing'],
    // Beyond the last guest node it has no meaning.
    ['hw_numa_mem.128', 'none'],
  ])('%s = %j passes', (key, value) => {
    expect(refuseImageProperty(key, value)).toBeNull()
  })

  it.each([
    ['hw_disk_bus', 'nvme', 'value'],
    ['vm_mode', 'jail', 'value'],
    ['hw_video_ram', '-1', 'value'],
    ['hw_qemu_guest_agent', 'perhaps', 'value'],
    ['img_config_drive', 'always', 'value'],
    // Images may ask for traits, not against them (D-IMG-2).
    ['trait:HW_CPU_X86_AVX2', 'forbidden', 'value'],
    ['hw_machine_type', 'q35 -device evil', 'value'],
    ['my_own', 'v'.repeat(256), 'value'],
    ['os_glance_import_task', '1', 'key'],
    ['visibility', 'public', 'key'],
    ['a/b', '1', 'key'],
  ])('%s = %j is refused', (key, value, at) => {
    expect(refuseImageProperty(key, value)?.at).toBe(at)
  })
})

describe.each([
  ['extra specs', extraSpecRegistry, imagePropertyRegistry],
  ['image properties', imagePropertyRegistry, extraSpecRegistry],
])('the registry of %s', (_name, registry, other) => {
  const keyOf = (definition: PropertyDefinition): string => definition.key
  const example = (key: string): string =>
    key
      .replace('{group}', '')
      .replace('{num}', '0')
      .replace('{trait}', 'HW_X')
      .replace(/\{\w+\}/, 'X')

  it('names counterparts that exist, and that answer in kind', () => {
    for (const definition of registry.definitions) {
      const { counterpart, precedence } = definition
      expect(counterpart === undefined, keyOf(definition)).toBe(precedence === undefined)
      if (counterpart === undefined) continue
      const found = other.find(example(counterpart))
      expect(found, counterpart).toBeDefined()
      expect(found?.precedence, counterpart).toBe(precedence)
      // A bare old name may share the counterpart of its successor.
      if (definition.deprecationReason === undefined) expect(found?.counterpart).toBe(definition.key)
    }
  })

  it('names required and excluded keys that exist', () => {
    for (const { requires = [], excludes = [] } of registry.definitions) {
      for (const key of [...requires, ...excludes]) expect(registry.find(example(key)), key).toBeDefined()
    }
  })

  it('has parameters for all that is in braces, enum values for enums, and defaults that fit', () => {
    for (const { key, parameters = [], value, defaultValue } of registry.definitions) {
      expect([...key.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)).toEqual(parameters.map(({ name }) => name))
      expect(value.valueType === 'ENUM').toBe(value.enumValues !== undefined)
      if (defaultValue !== undefined && !defaultValue.startsWith('the ')) expect(fits(defaultValue, value), key).toBe(true)
    }
  })
})

it('tells the truth of all its spellings (D-XS-1)', () => {
  expect(['true', 'YES', 'on', '1', 't', 'Y'].map(truthOf)).toEqual(Array(6).fill(true))
  expect(['false', 'No', 'off', '0', 'F', 'n'].map(truthOf)).toEqual(Array(6).fill(false))
  expect(truthOf('')).toBeNull()
  expect([namespaceOf('hw:x:y'), namespaceOf('bare')]).toEqual(['hw', null])
})
