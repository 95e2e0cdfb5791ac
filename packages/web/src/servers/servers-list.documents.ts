import { graphql } from '../generated/gql.js'

/**
 * A row of a list of a thousand is small: what only some columns show is asked for only with them, and what can be done to a server
 * when its menu opens.
 */
export const serversQuery = graphql(`
  query Servers(
    $first: Int!, $after: String, $filter: ServerFilter, $orderBy: [ServerOrder!],
    $withImage: Boolean!, $withZone: Boolean!, $withKeys: Boolean!, $withTags: Boolean!, $withMetadata: Boolean!,
    $withUser: Boolean!, $withDescription: Boolean!, $withTimes: Boolean!
  ) {
    servers(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      isPartial
      pageInfo { endCursor }
      nodes {
        id
        name
        status
        taskState
        powerState
        progressPercent
        locked
        createdAt
        host
        flavor { originalName vcpus ramMb }
        addresses { address }
        image @include(if: $withImage) { id name }
        availabilityZone @include(if: $withZone)
        keypairs @include(if: $withKeys) { name }
        tags @include(if: $withTags)
        metadata @include(if: $withMetadata) { key value }
        user @include(if: $withUser) { id name }
        description @include(if: $withDescription)
        updatedAt @include(if: $withTimes)
        launchedAt @include(if: $withTimes)
      }
    }
  }
`)

export const actableServersQuery = graphql(`
  query ActableServers($first: Int!, $ids: [ID!]!) {
    servers(first: $first, filter: { ids: $ids }) { nodes { id name locked allowedActions { action allowed reason } } }
  }
`)
