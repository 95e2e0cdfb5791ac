import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guestSpecFor } from '../guest.testkit.js'
import { configDriveFiles, writeConfigDrive } from './config-drive.js'
import { networkData } from './instance-data.js'

const facts = (over = {}) => ({ guest: guestSpecFor(over), fullHostname: 'web-1.novalocal', adminPassword: null })
const read = (files: Map<string, string | Buffer>, path: string): unknown => JSON.parse(String(files.get(path)))

describe('the files (C table T8)', () => {
  const userData = Buffer.from('#!/bin/sh\necho hello\n')
  const files = configDriveFiles(facts(), userData)

  it('are those of each version', () => {
    const of = (version: string): string[] =>
      [...files.keys()]
        .filter((path) => path.startsWith(`${version}/`))
        .map((path) => path.slice(version.length + 1))
        .sort()
    expect(of('openstack/2012-08-10')).toEqual(['meta_data.json', 'user_data'])
    expect(of('openstack/2013-04-04')).toEqual(['meta_data.json', 'user_data'])
    expect(of('openstack/2013-10-17')).toEqual(['meta_data.json', 'user_data', 'vendor_data.json'])
    expect(of('openstack/2015-10-15')).toEqual(['meta_data.json', 'network_data.json', 'user_data', 'vendor_data.json'])
    const newest = ['meta_data.json', 'network_data.json', 'user_data', 'vendor_data.json', 'vendor_data2.json']
    for (const version of ['2016-10-06', '2017-02-22', '2018-08-27', '2020-10-14', 'latest'])
      expect(of(`openstack/${version}`)).toEqual(newest)
    for (const version of ['2009-04-04', 'latest']) expect(of(`ec2/${version}`)).toEqual(['meta-data.json', 'user-data'])
    expect([...files.keys()].some((path) => path.includes('1.0'))).toBe(false)
  })

  it('hold no user data when there is none', () => {
    expect([...configDriveFiles(facts(), null).keys()].filter((path) => /user.data/.test(path))).toEqual([])
  })

  it('carry meta_data.json by version (C-MDS-8)', () => {
    const base = { uuid: guestSpecFor().serverId, name: 'web 1', hostname: 'web-1.novalocal', launch_index: 0, availability_zone: 'nova' }
    const keys = {
      public_keys: { laptop: 'ssh-ed25519 AAAAC3Nza laptop' },
      keys: [{ name: 'laptop', type: 'ssh', data: 'ssh-ed25519 AAAAC3Nza laptop' }],
    }
    expect(read(files, 'openstack/2012-08-10/meta_data.json')).toEqual({ ...base, ...keys, meta: { role: 'web' } })
    const latest = read(files, 'openstack/latest/meta_data.json') as { random_seed: string }
    expect(latest).toEqual({
      ...base,
      ...keys,
      meta: { role: 'web' },
      random_seed: expect.any(String),
      project_id: guestSpecFor().projectId,
      devices: [],
      dedicated_cpus: [],
    })
    expect(Buffer.from(latest.random_seed, 'base64')).toHaveLength(512)
    const other = read(files, 'openstack/2020-10-14/meta_data.json') as { random_seed: string }
    expect(other.random_seed).not.toBe(latest.random_seed)
  })

  it('leave out what the server lacks, and tell the admin password', () => {
    const bare = configDriveFiles({ ...facts({ metadata: {}, keypairs: [], interfaces: [] }), adminPassword: 'p4ss"word' }, null)
    const latest = read(bare, 'openstack/latest/meta_data.json')
    expect(latest).not.toHaveProperty('meta')
    expect(latest).not.toHaveProperty('keys')
    expect(latest).not.toHaveProperty('public_keys')
    expect(latest).toHaveProperty('admin_pass', 'p4ss"word')
    expect(read(bare, 'openstack/latest/network_data.json')).toEqual({})
    expect(JSON.stringify(read(bare, 'ec2/latest/meta-data.json'))).not.toContain('p4ss')
  })

  it('name tagged interfaces', () => {
    const [port] = guestSpecFor().interfaces
    const tagged = configDriveFiles(facts({ interfaces: [{ ...port, tag: 'front' }] }), null)
    expect(read(tagged, 'openstack/latest/meta_data.json')).toMatchObject({
      devices: [{ type: 'nic', mac: 'fa:16:3e:00:00:01', tags: ['front'] }],
    })
  })

  it('carry network_data.json (C-MDS-9)', () => {
    const [port] = guestSpecFor().interfaces
    if (port === undefined) throw new Error('no port')
    const ipv6 = {
      ipAddress: 'fd00::5',
      version: 6,
      cidr: 'fd00::/64',
      gatewayIp: 'fd00::1',
      dnsServers: ['10.20.0.1', 'fd00::1'],
    } as const
    expect(networkData([{ ...port, addresses: [...port.addresses, { ...ipv6, dnsServers: [...ipv6.dnsServers] }] }])).toEqual({
      links: [{ id: 'tap9b9b9b9b-00', vif_id: port.portId, type: 'bridge', mtu: null, ethernet_mac_address: 'fa:16:3e:00:00:01' }],
      networks: [
        { id: 'network0', link: 'tap9b9b9b9b-00', network_id: port.networkId, type: 'ipv4_dhcp' },
        {
          id: 'network1',
          link: 'tap9b9b9b9b-00',
          network_id: port.networkId,
          type: 'ipv6',
          ip_address: 'fd00::5',
          netmask: 'ffff:ffff:ffff:ffff::',
          routes: [{ network: '::', netmask: '::', gateway: 'fd00::1' }],
          services: [
            { type: 'dns', address: '10.20.0.1' },
            { type: 'dns', address: 'fd00::1' },
          ],
        },
      ],
      services: [
        { type: 'dns', address: '10.20.0.1' },
        { type: 'dns', address: 'fd00::1' },
      ],
    })
  })

  it('carry the EC2 items (C-MDS-10)', () => {
    expect(read(files, 'ec2/latest/meta-data.json')).toMatchObject({
      'instance-id': 'i-00000001',
      'instance-type': 'm1.nano',
      'local-ipv4': '10.20.0.5',
      'reservation-id': 'r-abcdefgh',
      placement: { 'availability-zone': 'nova' },
      'public-keys': { '0': { _name: '0=laptop', 'openssh-key': 'ssh-ed25519 AAAAC3Nza laptop' } },
    })
  })
})

describe.skipIf(!existsSync('/usr/bin/genisoimage'))('the drive (C-CFD-3)', () => {
  let folder: string
  let target: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kilonova-config-drive-'))
    target = join(folder, 'disk.config')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const isoinfo = (...args: string[]): string => execFileSync('isoinfo', ['-i', target, ...args], { encoding: 'utf8' })

  it('is an ISO 9660 file of that label, readable by its owner only, and nothing else is left', async () => {
    await writeConfigDrive({ guest: guestSpecFor(), adminPassword: 'pw', userData: Buffer.from([0, 255, 10]), target })
    expect(isoinfo('-d')).toMatch(/Volume id: config-2\n/)
    expect(isoinfo('-R', '-f').split('\n')).toContain('/openstack/latest/meta_data.json')
    expect(JSON.parse(isoinfo('-R', '-x', '/openstack/latest/meta_data.json'))).toMatchObject({
      hostname: 'web-1.novalocal',
      admin_pass: 'pw',
    })
    const raw = execFileSync('isoinfo', ['-i', target, '-R', '-x', '/openstack/latest/user_data'])
    expect([...raw]).toEqual([0, 255, 10])
    expect(statSync(target).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['disk.config'])
  })

  it('replaces an older drive and what an interrupted attempt left', async () => {
    writeFileSync(target, 'old')
    mkdirSync(`${target}.work/tree`, { recursive: true })
    writeFileSync(`${target}.work/tree/leftover`, 'x')
    await writeConfigDrive({ guest: guestSpecFor(), adminPassword: null, userData: null, target, dhcpDomain: '' })
    expect(isoinfo('-R', '-f')).not.toContain('leftover')
    expect(JSON.parse(isoinfo('-R', '-x', '/openstack/latest/meta_data.json'))).toMatchObject({ hostname: 'web-1' })
    expect(readdirSync(folder)).toEqual(['disk.config'])
  })

  it('leaves nothing when it fails', async () => {
    mkdirSync(target)
    writeFileSync(join(target, 'in-the-way'), '')
    await expect(writeConfigDrive({ guest: guestSpecFor(), adminPassword: 'pw', userData: null, target })).rejects.toThrow()
    expect(readdirSync(folder)).toEqual(['disk.config'])
  })
})
