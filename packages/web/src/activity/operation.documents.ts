import { graphql } from '../generated/gql.js'

export const operationFields = graphql(`
  fragment OperationFields on Operation {
    id
    requestId
    kind
    state
    progressPercent
    createdAt
    startedAt
    updatedAt
    finishedAt
    serverId
    error { code message }
    steps { name hostId host startedAt finishedAt result message details }
    user { id name }
    server { id name }
    image { id name }
    schedulingSummary {
      message
      errorCode
      attempts
      stages { kind name hostsBefore hostsAfter reason }
    }
  }
`)

export const operationsQuery = graphql(`
  query Operations($first: Int!, $after: String, $filter: OperationFilter) {
    operations(first: $first, after: $after, filter: $filter, orderBy: [{ key: CREATED_AT, direction: DESC }]) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { ...OperationFields }
    }
  }
`)

export const operationQuery = graphql(`
  query Operation($id: ID!) {
    operation(id: $id) { ...OperationFields }
  }
`)
