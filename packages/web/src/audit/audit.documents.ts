import { graphql } from '../generated/gql.js'

export const auditLogQuery = graphql(`
  query AuditLog($first: Int, $after: String, $filter: AuditFilter) {
    auditLog(first: $first, after: $after, filter: $filter, orderBy: [{ direction: DESC }]) {
      totalCount
      pageInfo { endCursor }
      nodes {
        id
        occurredAt
        requestId
        userId
        projectId
        authMethod
        applicationCredentialId
        clientAddress
        field
        input
        result
        errorCode
        targetIds
        user { id name }
        project { id name }
        operation { id kind state }
      }
    }
  }
`)

export const auditUsersQuery = graphql(`
  query AuditUsers {
    users(first: 1000, orderBy: [{ key: NAME, direction: ASC }]) { nodes { id name } }
  }
`)
