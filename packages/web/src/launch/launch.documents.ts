import { graphql } from '../generated/gql.js'

export const createServerMutation = graphql(`
  mutation CreateServer($input: CreateServerInput!) {
    createServer(input: $input) {
      operation { id }
      server { ...ServerRow }
      servers { id }
      adminPassword
    }
  }
`)

export const networksQuery = graphql(`
  query Networks($first: Int!) {
    networks(first: $first, filter: { status: [ACTIVE] }, orderBy: [{ key: NAME, direction: ASC }]) {
      nodes { id name shared external subnets { id cidr } }
    }
  }
`)

export const zonesQuery = graphql(`
  query Zones {
    systemInfo { capabilities { defaultAvailabilityZone maxUserDataBytes maxServerTags } }
  }
`)
