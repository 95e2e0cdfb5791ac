/** How one interface of a guest is connected on its host: what the network code answers and the domain XML is written from. */
export type InterfacePlan =
  | {
      kind: 'bridge'
      bridge: string
      macAddress: string
      mtu: number
      /** Name of the tap device on the host. */
      target: string
    }
  /** QEMU's own user-mode network: no privilege needed, an address by DHCP and nothing else. */
  | { kind: 'user'; macAddress: string; mtu: number; ipv4: UserSubnet | null }

/** What QEMU's DHCP server is told, so that the guest gets the address that its port has. */
export interface UserSubnet {
  cidr: string
  /** The guest's. */
  address: string
  /** QEMU's own, as the sender of DHCP's answers. */
  server: string
  /** QEMU wants one, although nothing answers there: it is neither of the others. */
  dns: string
}
