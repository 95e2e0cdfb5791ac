/**
 * The libvirt domain of a guest, as XML. A pure function: the same server on the same paths always gives the same text.
 *
 * Machine `pc`: it needs no PCI Express ports laid out in advance for devices plugged later, and its IDE controller is the one that
 * small cloud kernels have a driver for, so that they can read the config drive; such kernels often lack AHCI, which `q35` would need.
 */
import type { GuestSpec } from '@kilonova/contract/rpc/guest'
import type { InterfacePlan } from '../network/interface-plan.js'
import { element, writeXml, type XmlElement } from './xml.js'

/** Marks the domains of Kilonova, and holds what an operator wants to know when looking at one with other tools. */
export const guestNamespace = 'urn:kilonova:guest:1'
/** The element of that namespace below `<metadata>`. */
export const guestElement = 'kilonova:guest'

const qemuNamespace = 'http://libvirt.org/schemas/domain/qemu/1.0'
/** Of the 32 slots of the bus. */
const lastSlot = 0x1e

type BridgePlan = Extract<InterfacePlan, { kind: 'bridge' }>
type UserPlan = Extract<InterfacePlan, { kind: 'user' }>

export interface DomainXmlInput {
  cloudId: string
  guest: GuestSpec
  virtType: 'kvm' | 'qemu'
  paths: {
    disk: string
    diskFormat: 'raw' | 'qcow2'
    configDrive: string | null
    consoleLog: string
    serialSocket: string
    vncSocket: string
    agentSocket: string
  }
  interfaces: readonly InterfacePlan[]
}

/** How often the balloon asks the guest for memory statistics. */
const memoryStatsPeriodSeconds = 10
/** Entropy is cheap, but a guest must not be able to keep a host's core busy by reading it. */
const entropy = { bytes: 4096, periodMs: 1000 }

export function domainXml(input: DomainXmlInput): string {
  const { guest, virtType } = input
  const { vcpus, ramMb } = guest.flavor
  const users = input.interfaces.filter((plan) => plan.kind === 'user')
  return writeXml(
    element(
      'domain',
      { type: virtType, 'xmlns:qemu': users.length > 0 ? qemuNamespace : undefined },
      element('name', {}, guest.instanceName),
      element('uuid', {}, guest.serverId),
      element('title', {}, oneLine(guest.name) || guest.serverId),
      metadata(input),
      element('memory', { unit: 'MiB' }, ramMb),
      element('currentMemory', { unit: 'MiB' }, ramMb),
      element('vcpu', { placement: 'static' }, vcpus),
      systemInformation(guest),
      element('os', {}, element('type', { arch: 'x86_64', machine: 'pc' }, 'hvm'), element('smbios', { mode: 'sysinfo' })),
      element('features', {}, element('acpi'), element('apic')),
      processor(virtType),
      clock(virtType),
      element('on_poweroff', {}, 'destroy'),
      element('on_reboot', {}, 'restart'),
      element('on_crash', {}, 'destroy'),
      // A guest that suspends itself looks dead to its user, and only the host could wake it.
      element('pm', {}, element('suspend-to-mem', { enabled: 'no' }), element('suspend-to-disk', { enabled: 'no' })),
      devices(input),
      users.length > 0 ? userInterfaces(users) : null,
    ),
  )
}

/** libvirt refuses titles with line ends and blank ends. */
const oneLine = (text: string): string => text.replace(/\p{Cc}+/gu, ' ').trim()

function metadata({ cloudId, guest }: DomainXmlInput): XmlElement {
  const { flavor } = guest
  return element(
    'metadata',
    {},
    element(
      guestElement,
      { 'xmlns:kilonova': guestNamespace },
      element('kilonova:cloud', { id: cloudId }),
      element('kilonova:server', { id: guest.serverId }),
      element('kilonova:name', {}, guest.name),
      element('kilonova:image', { id: guest.image.imageId }),
      element('kilonova:flavor', {
        id: flavor.flavorId,
        name: flavor.name,
        vcpus: flavor.vcpus,
        ramMb: flavor.ramMb,
        diskGb: flavor.diskGb,
      }),
      element('kilonova:owner', { projectId: guest.projectId, userId: guest.userId }),
    ),
  )
}

/** What the guest's firmware tables say; libvirt demands that the uuid is the domain's. */
function systemInformation(guest: GuestSpec): XmlElement {
  const entry = (name: string, value: string): XmlElement => element('entry', { name }, value)
  return element(
    'sysinfo',
    { type: 'smbios' },
    element(
      'system',
      {},
      entry('manufacturer', 'Kilonova'),
      entry('product', 'Kilonova Compute'),
      entry('serial', guest.serverId),
      entry('uuid', guest.serverId),
      entry('family', 'Virtual Machine'),
    ),
  )
}

/**
 * With KVM the host's model, as libvirt knows it: full speed, and still movable to an equal host. The emulator offers everything it
 * can emulate, because current distributions refuse the oldest processors.
 */
function processor(virtType: 'kvm' | 'qemu'): XmlElement {
  return virtType === 'kvm' ? element('cpu', { mode: 'host-model', check: 'partial' }) : element('cpu', { mode: 'maximum', check: 'none' })
}

/** Under KVM lost ticks are made up for, so that guest time does not fall behind on a busy host; the emulator has no such choice. */
function clock(virtType: 'kvm' | 'qemu'): XmlElement {
  if (virtType === 'qemu') return element('clock', { offset: 'utc' })
  return element(
    'clock',
    { offset: 'utc' },
    element('timer', { name: 'pit', tickpolicy: 'delay' }),
    element('timer', { name: 'rtc', tickpolicy: 'catchup' }),
    element('timer', { name: 'hpet', present: 'no' }),
  )
}

function devices({ guest, paths, interfaces }: DomainXmlInput): XmlElement {
  return element(
    'devices',
    {},
    rootDisk(guest, paths),
    paths.configDrive === null ? null : configDrive(paths.configDrive),
    ...interfaces.filter((plan) => plan.kind === 'bridge').map(bridgeInterface),
    element(
      'serial',
      { type: 'unix' },
      element('source', { mode: 'bind', path: paths.serialSocket }),
      element('log', { file: paths.consoleLog, append: 'on' }),
      element('target', { type: 'isa-serial', port: 0 }, element('model', { name: 'isa-serial' })),
    ),
    element(
      'channel',
      { type: 'unix' },
      element('source', { mode: 'bind', path: paths.agentSocket }),
      element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' }),
    ),
    // Absolute positions: without it the pointer of a VNC client and the guest's drift apart.
    element('input', { type: 'tablet', bus: 'usb' }),
    // A socket and no port: only the console proxy, which checks who asks, can reach the screen.
    element('graphics', { type: 'vnc' }, element('listen', { type: 'socket', socket: paths.vncSocket })),
    element('video', {}, element('model', { type: 'vga', vram: 16384, heads: 1 })),
    element('memballoon', { model: 'virtio' }, element('stats', { period: memoryStatsPeriodSeconds })),
    element(
      'rng',
      { model: 'virtio' },
      element('rate', { bytes: entropy.bytes, period: entropy.periodMs }),
      element('backend', { model: 'random' }, '/dev/urandom'),
    ),
  )
}

/** An ISO image boots as what it is, a CD; everything else is the first virtio disk. */
function rootDisk(guest: GuestSpec, paths: DomainXmlInput['paths']): XmlElement {
  const source = element('source', { file: paths.disk })
  const boot = element('boot', { order: 1 })
  if (guest.image.diskFormat === 'iso') {
    return element(
      'disk',
      { type: 'file', device: 'cdrom' },
      element('driver', { name: 'qemu', type: paths.diskFormat }),
      source,
      element('target', { dev: 'hdb', bus: 'ide' }),
      element('readonly'),
      boot,
    )
  }
  // No cache mode: QEMU's own honours the guest's flushes and works on file systems without direct I/O.
  return element(
    'disk',
    { type: 'file', device: 'disk' },
    element('driver', { name: 'qemu', type: paths.diskFormat, discard: 'unmap' }),
    source,
    element('target', { dev: 'vda', bus: 'virtio' }),
    boot,
  )
}

const configDrive = (path: string): XmlElement =>
  element(
    'disk',
    { type: 'file', device: 'cdrom' },
    element('driver', { name: 'qemu', type: 'raw' }),
    element('source', { file: path }),
    element('target', { dev: 'hda', bus: 'ide' }),
    element('readonly'),
  )

const bridgeInterface = (plan: BridgePlan): XmlElement =>
  element(
    'interface',
    { type: 'bridge' },
    element('mac', { address: plan.macAddress }),
    element('source', { bridge: plan.bridge }),
    element('target', { dev: plan.target }),
    element('model', { type: 'virtio' }),
    element('mtu', { size: plan.mtu }),
  )

/**
 * libvirt's own user-mode interface would let a guest reach every service on the host's loopback address, and has no switch against
 * it. QEMU's `restrict` leaves DHCP only, so these interfaces are given to QEMU directly, on the last slots of the bus, which libvirt
 * never comes to.
 */
function userInterfaces(plans: readonly UserPlan[]): XmlElement {
  const argument = (value: string): XmlElement => element('qemu:arg', { value })
  return element(
    'qemu:commandline',
    {},
    ...plans.flatMap((plan, index) => [
      argument('-netdev'),
      argument(userBackend(plan, `kilonova${index}`, index)),
      argument('-device'),
      argument(
        `virtio-net-pci,netdev=kilonova${index},mac=${plan.macAddress},host_mtu=${plan.mtu},bus=pci.0,addr=0x${(lastSlot - index).toString(16)}`,
      ),
    ]),
  )
}

/** Without IPv4 there is nothing QEMU could serve: a hub with this one port, on which nobody answers. */
function userBackend({ ipv4 }: UserPlan, id: string, index: number): string {
  if (ipv4 === null) return `hubport,id=${id},hubid=${index}`
  const { cidr, address, server, dns } = ipv4
  return `user,id=${id},restrict=on,ipv6=off,net=${cidr},host=${server},dhcpstart=${address},dns=${dns}`
}
