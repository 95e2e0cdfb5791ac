/** What the pages of services and hypervisors ask. */
import { graphql } from '../generated/gql.js'

export const hypervisorsQuery = graphql(`
  query Hypervisors($first: Int!, $after: String, $filter: HypervisorFilter) {
    hypervisors(first: $first, after: $after, filter: $filter, orderBy: [{ key: NAME, direction: ASC }]) {
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
        availabilityZone
        servers(first: 1) { totalCount }
        usage { scope vcpus ramMb diskGb }
      }
    }
  }
`)

export const hypervisorQuery = graphql(`
  query Hypervisor($id: ID!, $first: Int!, $after: String) {
    hypervisor(id: $id) {
      id
      hypervisorHostname
      state
      status
      hostIp
      hypervisorType
      hypervisorVersion
      availabilityZone
      uptime
      service { id host disabledReason forcedDown }
      usage { scope vcpus ramMb diskGb project { id name } }
      servers(first: $first, after: $after, orderBy: [{ key: NAME, direction: ASC }]) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes { id name status taskState progressPercent projectId flavor { originalName } }
      }
    }
  }
`)

export const computeServicesQuery = graphql(`
  query ComputeServices($first: Int!, $after: String, $filter: ComputeServiceFilter) {
    computeServices(first: $first, after: $after, filter: $filter, orderBy: [{ key: NAME, direction: ASC }]) {
      totalCount
      isPartial
      pageInfo { hasNextPage endCursor }
      nodes { ...ServiceFields }
    }
  }
  fragment ServiceFields on ComputeService {
    id
    binary
    host
    zone
    status
    state
    disabledReason
    forcedDown
    version
    lastSeenAt
    generation
    hypervisors { id servers(first: 1) { totalCount } }
  }
`)

export const updateServiceMutation = graphql(`
  mutation UpdateComputeService($input: UpdateComputeServiceInput!) {
    updateComputeService(input: $input) { service { id status state disabledReason forcedDown generation } }
  }
`)

export const deleteServiceMutation = graphql(`
  mutation DeleteComputeService($input: DeleteComputeServiceInput!) {
    deleteComputeService(input: $input) { deletedId }
  }
`)
