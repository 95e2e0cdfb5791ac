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
      nodes { ...OperationFields project { id name } }
    }
  }
`)

export const operationQuery = graphql(`
  query Operation($id: ID!) {
    operation(id: $id) { ...OperationFields }
  }
`)

export const operationPartsQuery = graphql(`
  query OperationParts($id: ID!, $first: Int!) {
    operation(id: $id) {
      id
      children(first: $first, orderBy: [{ key: CREATED_AT, direction: DESC }]) {
        totalCount
        nodes { ...OperationFields }
      }
    }
  }
`)

/** Asked before a menu opens: it changes with every step and is no part of what is shown. */
export const operationCancellableQuery = graphql(`
  query OperationCancellable($id: ID!) {
    operation(id: $id) { id state cancellable }
  }
`)

export const cancelOperationMutation = graphql(`
  mutation CancelOperation($input: CancelOperationInput!) {
    cancelOperation(input: $input) { operation { ...OperationFields } }
  }
`)

export const activityServerQuery = graphql(`
  query ActivityServer($id: ID!) {
    server(id: $id) { id name }
  }
`)
