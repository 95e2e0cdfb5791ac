/** A guest as a conductor would ask for it, for tests of everything that builds one. */
import type { GuestSpec } from '@kilonova/contract/rpc/guest'

export const guestSpecFor = (over: Partial<GuestSpec> = {}): GuestSpec => ({
  serverId: '83679162-1378-4288-a2d4-70e13ec132aa',
  instanceName: 'instance-00000001',
  name: 'web 1',
  hostname: 'web-1',
  projectId: '0f0f0f0f0f0f4f0f8f0f0f0f0f0f0f0f',
  userId: '1e1e1e1e1e1e4e1e8e1e1e1e1e1e1e1e',
  reservationId: 'r-abcdefgh',
  launchIndex: 0,
  availabilityZone: 'nova',
  flavor: { flavorId: '0', name: 'm1.nano', vcpus: 1, ramMb: 128, diskGb: 1, ephemeralGb: 0, swapMb: 0, extraSpecs: {} },
  image: {
    imageId: '5a5a5a5a-0000-4000-8000-000000000002',
    diskFormat: 'qcow2',
    sizeBytes: 1024,
    virtualSizeBytes: 1_048_576,
    hashAlgorithm: 'sha256',
    hashValue: '0'.repeat(64),
    url: 'http://127.0.0.1:8774/images/5a5a?ticket=canary-ticket',
    properties: {},
  },
  interfaces: [
    {
      portId: '9b9b9b9b-0000-4000-8000-000000000003',
      networkId: '7c7c7c7c-0000-4000-8000-000000000004',
      networkName: 'default',
      macAddress: 'fa:16:3e:00:00:01',
      mtu: 1450,
      tag: null,
      addresses: [{ ipAddress: '10.20.0.5', version: 4, cidr: '10.20.0.0/20', gatewayIp: '10.20.0.1', dnsServers: ['10.20.0.1'] }],
    },
  ],
  keypairs: [{ name: 'laptop', type: 'ssh', fingerprint: 'aa:bb', publicKey: 'ssh-ed25519 AAAAC3Nza laptop' }],
  metadata: { role: 'web' },
  configDrive: true,
  userData: null,
  adminPassword: null,
  ...over,
})
