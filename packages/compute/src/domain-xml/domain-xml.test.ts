/** The XML is held against libvirt's own schema, and hostile values are read back by a real parser. */
import { existsSync } from 'node:fs'
import { RelaxNGValidator, XmlDocument } from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guestSpecFor } from '../guest.testkit.js'
import { type DomainXmlInput, domainXml, guestNamespace } from './domain-xml.js'

const schema = '/usr/share/libvirt/schemas/domain.rng'
const paths: DomainXmlInput['paths'] = {
  disk: '/data/guests/a/disk',
  diskFormat: 'qcow2',
  configDrive: '/data/guests/a/disk.config',
  consoleLog: '/data/guests/a/console.log',
  serialSocket: '/run/a/serial.sock',
  vncSocket: '/run/a/vnc.sock',
  agentSocket: '/run/a/agent.sock',
}
const interfaces: DomainXmlInput['interfaces'] = [
  { kind: 'bridge', bridge: 'kn0123456789a', macAddress: 'fa:16:3e:00:00:01', mtu: 1450, target: 'tap0123456789a' },
  {
    kind: 'user',
    macAddress: 'fa:16:3e:00:00:02',
    mtu: 1400,
    ipv4: { cidr: '10.9.0.0/20', address: '10.9.0.7', server: '10.9.0.1', dns: '10.9.0.2' },
  },
  { kind: 'user', macAddress: 'fa:16:3e:00:00:03', mtu: 1400, ipv4: null },
]
const input = (over: Partial<DomainXmlInput> = {}): DomainXmlInput => ({
  cloudId: 'c1a0c1a0-0000-4000-8000-000000000001',
  guest: guestSpecFor(),
  virtType: 'qemu',
  paths,
  interfaces,
  ...over,
})

const namespaces = { kilonova: guestNamespace, qemu: 'http://libvirt.org/schemas/domain/qemu/1.0' }
function read(xml: string, path: string): string | undefined {
  using document = XmlDocument.fromString(xml)
  return document.get(path, namespaces)?.content
}

const hostileNames = [
  '</title></domain><domain type="kvm">',
  `"' onload='x" & <!-- --> ]]> &amp; &lt;`,
  'line one\nline two\r\n\ttabbed',
  '\u0000\u0001\u0008\u001b[31mred\u007f\u0085',
  'half \ud800 surrogate \udfff, \ufffe and \uffff',
  'é 漢字 🚀 \u202egnp.exe',
  ' ',
  '../../etc/passwd',
  'x'.repeat(255),
]

describe.skipIf(!existsSync(schema))('against the schema of libvirt', () => {
  let document: XmlDocument
  let validator: RelaxNGValidator
  beforeAll(() => {
    xmlRegisterFsInputProviders()
    document = XmlDocument.fromBuffer(
      Buffer.from(`<grammar xmlns="http://relaxng.org/ns/structure/1.0"><include href="${schema}"/></grammar>`),
    )
    validator = RelaxNGValidator.fromDoc(document)
  })
  afterAll(() => {
    validator.dispose()
    document.dispose()
  })
  const validate = (xml: string): void => {
    using candidate = XmlDocument.fromString(xml)
    validator.validate(candidate)
  }

  it('refuses what libvirt would refuse', () => {
    expect(() => validate(domainXml(input()).replace('type="vga"', 'type="no-such-card"'))).toThrow()
  })

  it.each(['qemu', 'kvm'] as const)('accepts a %s guest', (virtType) => {
    expect(() => validate(domainXml(input({ virtType })))).not.toThrow()
  })

  it('accepts a guest without config drive and interfaces, and one that boots a CD', () => {
    expect(() => validate(domainXml(input({ interfaces: [], paths: { ...paths, configDrive: null } })))).not.toThrow()
    const guest = guestSpecFor()
    const cd = domainXml(input({ guest: { ...guest, image: { ...guest.image, diskFormat: 'iso' } } }))
    expect(() => validate(cd)).not.toThrow()
    expect(read(cd, '//disk[@device="cdrom"][boot]/target/@dev')).toBe('hdb')
  })

  it.each(hostileNames)('accepts the name %j', (name) => {
    const guest = { ...guestSpecFor(), name }
    expect(() => validate(domainXml(input({ guest: { ...guest, flavor: { ...guest.flavor, name } } })))).not.toThrow()
  })
})

describe('names', () => {
  it.each(hostileNames)('keeps %j as data', (name) => {
    const xml = domainXml(input({ guest: { ...guestSpecFor(), name } }))
    const expected = name.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    expect(read(xml, '//kilonova:name')).toBe(expected)
    expect(read(xml, '/domain/*/descendant::domain | //*[@onload]')).toBeUndefined()
    expect(read(xml, '/domain/@type')).toBe('qemu')
    expect(read(xml, '/domain/title')).not.toMatch(/[\r\n]/)
  })

  it('puts paths with strange characters into their attribute', () => {
    const disk = `/data/it's "quoted" & <odd>/disk`
    expect(read(domainXml(input({ paths: { ...paths, disk } })), '//disk[@device="disk"]/source/@file')).toBe(disk)
  })
})

describe('the guest', () => {
  const xml = domainXml(input())
  it.each([
    ['/domain/name', 'instance-00000001'],
    ['/domain/uuid', guestSpecFor().serverId],
    ['/domain/memory', '128'],
    ['//disk[@device="disk"]/driver/@type', 'qcow2'],
    ['//disk[@device="disk"]/target/@dev', 'vda'],
    ['//disk[@device="cdrom"]/source/@file', paths.configDrive],
    ['//serial/source/@mode', 'bind'],
    ['//serial/log/@append', 'on'],
    ['//graphics/listen/@type', 'socket'],
    ['//graphics/listen/@socket', paths.vncSocket],
    ['//channel/target/@name', 'org.qemu.guest_agent.0'],
    ['//memballoon/stats/@period', '10'],
    ['//rng/backend', '/dev/urandom'],
    ['//interface[1]/mtu/@size', '1450'],
    ['//on_crash', 'destroy'],
    ['//kilonova:cloud/@id', 'c1a0c1a0-0000-4000-8000-000000000001'],
    ['//kilonova:owner/@projectId', guestSpecFor().projectId],
    ['//sysinfo//entry[@name="uuid"]', guestSpecFor().serverId],
  ])('has %s = %s', (path, value) => {
    expect(read(xml, path)).toBe(value)
  })

  it('never listens on a port and never carries secrets', () => {
    expect(xml).not.toMatch(/port="-1"|autoport|type="tcp"|address="0/)
    const sealed = { ...guestSpecFor(), adminPassword: 'canary-password', userData: 'canary-user-data' }
    expect(domainXml(input({ guest: sealed }))).not.toContain('canary')
  })

  it('keeps guests with user-mode networks from the host’s own services', () => {
    expect(read(xml, '//interface[2]')).toBeUndefined()
    expect(read(xml, '//qemu:arg[2]/@value')).toBe(
      'user,id=kilonova0,restrict=on,ipv6=off,net=10.9.0.0/20,host=10.9.0.1,dhcpstart=10.9.0.7,dns=10.9.0.2',
    )
    expect(read(xml, '//qemu:arg[4]/@value')).toContain('mac=fa:16:3e:00:00:02,host_mtu=1400,bus=pci.0,addr=0x1e')
    expect(read(xml, '//qemu:arg[6]/@value')).toBe('hubport,id=kilonova1,hubid=1')
    expect(read(xml, '//qemu:arg[8]/@value')).toContain('mac=fa:16:3e:00:00:03,host_mtu=1400,bus=pci.0,addr=0x1d')
    expect(domainXml(input({ interfaces: interfaces.filter(({ kind }) => kind === 'bridge') }))).not.toContain('qemu:')
  })

  it('takes the processor of the host only with KVM', () => {
    expect(read(xml, '//cpu/@mode')).toBe('maximum')
    expect(read(domainXml(input({ virtType: 'kvm' })), '//cpu/@mode')).toBe('host-model')
  })
})
