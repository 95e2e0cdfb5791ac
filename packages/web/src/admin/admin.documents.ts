import { graphql } from '../generated/gql.js'

export const hypervisorsQuery = graphql(`
  query Hypervisors($first: Int!, $after: String) {
    hypervisors(first: $first, after: $after, orderBy: [{ key: NAME, direction: ASC }]) {
      totalCount
      isPartial
      pageInfo { hasNextPage endCursor }
      nodes {
        id
        hypervisorHostname
        state
        status
        hostIp
        hypervisorType
        hypervisorVersion
        availabilityZone
        uptime
        service { id host disabledReason }
        servers(first: 1) { totalCount }
        usage { scope vcpus ramMb diskGb }
      }
    }
  }
`)

export const computeServicesQuery = graphql(`
  query ComputeServices($first: Int!, $after: String) {
    computeServices(first: $first, after: $after, orderBy: [{ key: NAME, direction: ASC }]) {
      totalCount
      isPartial
      pageInfo { hasNextPage endCursor }
      nodes { id binary host zone status state disabledReason forcedDown version lastSeenAt }
    }
  }
`)
