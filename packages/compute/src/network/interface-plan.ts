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
  | { kind: 'user'; macAddress: string }
