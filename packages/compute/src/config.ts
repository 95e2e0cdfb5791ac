/** Options of the compute agent, in Nova's groups and with Nova's names. */
import { z } from 'zod'

const ratio = z.number().positive().nullable().default(null)

export const computeOptions = {
  compute: z.strictObject({
    cpu_allocation_ratio: ratio,
    ram_allocation_ratio: ratio,
    disk_allocation_ratio: ratio,
    initial_cpu_allocation_ratio: z.number().positive().default(16),
    initial_ram_allocation_ratio: z.number().positive().default(1.5),
    initial_disk_allocation_ratio: z.number().positive().default(1),
    reserved_host_cpus: z.number().int().nonnegative().default(0),
    reserved_host_memory_mb: z.number().int().nonnegative().default(512),
    reserved_host_disk_mb: z.number().int().nonnegative().default(0),
    sweep_interval: z.number().int().positive().default(600),
  }),
  image_cache: z.strictObject({
    /** Seconds between two looks at the cache; 0: every minute, -1: never (C-IMC-2). */
    manager_interval: z.number().int().min(-1).default(2400),
    remove_unused_base_images: z.boolean().default(true),
    remove_unused_original_minimum_age_seconds: z.number().int().nonnegative().default(86400),
  }),
  libvirt: z.strictObject({
    /** auto: KVM if a 64-bit guest is proven to boot on it, else QEMU's own translation. */
    virt_type: z.enum(['auto', 'kvm', 'qemu']).default('auto'),
    /** A libvirt daemon to use instead of an own one, such as qemu:///system. */
    connection_uri: z.string().nullable().default(null),
  }),
  fake: z.strictObject({
    vcpus: z.number().int().positive().default(64),
    memory_mb: z.number().int().positive().default(262144),
    disk_gb: z.number().int().positive().default(4096),
    prepare_ms: z.number().int().nonnegative().default(150),
    spawn_ms: z.number().int().nonnegative().default(250),
    power_ms: z.number().int().nonnegative().default(100),
  }),
}

export type ComputeConfig = { [G in keyof typeof computeOptions]: z.infer<(typeof computeOptions)[G]> }

/** C-ALR-1, C-ALR-4: ratios and reserves as an agent reports them. */
export function allocationOf(options: ComputeConfig['compute']) {
  return {
    reserved: {
      vcpus: options.reserved_host_cpus,
      memoryMb: options.reserved_host_memory_mb,
      diskGb: Math.ceil(options.reserved_host_disk_mb / 1024),
    },
    allocationRatios: {
      vcpus: options.cpu_allocation_ratio,
      memoryMb: options.ram_allocation_ratio,
      diskGb: options.disk_allocation_ratio,
    },
    initialAllocationRatios: {
      vcpus: options.initial_cpu_allocation_ratio,
      memoryMb: options.initial_ram_allocation_ratio,
      diskGb: options.initial_disk_allocation_ratio,
    },
  }
}
