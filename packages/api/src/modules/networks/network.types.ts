import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import { Policy } from '../../graphql/policy-directive.js'
import { BigInteger, CIDR, DateTime, IPAddress } from '../../graphql/scalars.js'

export const NetworkStatus = {
  ACTIVE: 'ACTIVE',
  DOWN: 'DOWN',
} as const
export type NetworkStatus = (typeof NetworkStatus)[keyof typeof NetworkStatus]
registerEnumType(NetworkStatus, {
  name: 'NetworkStatus',
  description: 'Life of a network, router or floating IP.',
  valuesConfig: {
    ACTIVE: { description: 'Works.' },
    DOWN: { description: 'Administratively or really down.' },
  },
})

export const PortStatus = {
  ACTIVE: 'ACTIVE',
  DOWN: 'DOWN',
  BUILD: 'BUILD',
} as const
export type PortStatus = (typeof PortStatus)[keyof typeof PortStatus]
registerEnumType(PortStatus, {
  name: 'PortStatus',
  description: 'Life of a port.',
  valuesConfig: {
    ACTIVE: { description: 'Wired.' },
    DOWN: { description: 'Not wired.' },
    BUILD: { description: 'Being wired.' },
  },
})

export const NetworkType = {
  LOCAL: 'LOCAL',
  FLAT: 'FLAT',
} as const
export type NetworkType = (typeof NetworkType)[keyof typeof NetworkType]
registerEnumType(NetworkType, {
  name: 'NetworkType',
  description: 'How packets of a network travel.',
  valuesConfig: {
    LOCAL: { description: 'Host only.' },
    FLAT: { description: 'Untagged physical network.' },
  },
})

@ObjectType({ description: 'First and last address.', simpleResolvers: true })
export class AddressRange {
  @Field(() => IPAddress)
  start!: string
  @Field(() => IPAddress)
  end!: string
}

@ObjectType({ description: 'A range of addresses on a network.', simpleResolvers: true })
export class Subnet {
  @Field(() => ID)
  id!: string
  @Field(() => String)
  name!: string
  @Field(() => String, { nullable: true })
  description!: string | null
  @Field(() => ID)
  networkId!: string
  @Field(() => CIDR)
  cidr!: string
  @Field(() => Int, { description: '4 or 6.' })
  ipVersion!: number
  @Field(() => IPAddress, { nullable: true })
  gatewayIp!: string | null
  @Field(() => Boolean)
  dhcpEnabled!: boolean
  @Field(() => [IPAddress])
  dnsServers!: string[]
  @Field(() => [AddressRange])
  allocationPools!: AddressRange[]
  @Field(() => BigInteger)
  totalAddresses!: number
  @Field(() => ID)
  projectId!: string
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => DateTime, { nullable: true })
  updatedAt!: number | null
  @Field(() => Int)
  generation!: number
}

@ObjectType({ description: 'A layer-2 network.', simpleResolvers: true })
export class Network {
  @Field(() => ID)
  id!: string
  @Field(() => String)
  name!: string
  @Field(() => String, { nullable: true })
  description!: string | null
  @Field(() => NetworkStatus)
  status!: NetworkStatus
  @Field(() => Boolean)
  adminStateUp!: boolean
  @Field(() => Boolean, { description: 'Usable by every project.' })
  shared!: boolean
  @Field(() => Boolean, { description: 'Outside network: source of floating IPs and router gateways.' })
  external!: boolean
  @Field(() => Int)
  mtu!: number
  @Field(() => Boolean)
  portSecurityEnabled!: boolean
  @Field(() => [String])
  availabilityZones!: string[]
  @Policy('network:get_network:provider:network_type', 'HIDE')
  @Field(() => NetworkType, { nullable: true })
  networkType!: NetworkType | null
  @Field(() => ID)
  projectId!: string
  @Field(() => [String])
  tags!: string[]
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => DateTime, { nullable: true })
  updatedAt!: number | null
  @Field(() => Int)
  generation!: number
}
