import { graphql } from '../generated/gql.js'

export const credentialsQuery = graphql(`
  query ApplicationCredentials($first: Int, $after: String) {
    applicationCredentials(first: $first, after: $after, orderBy: [{ key: NAME, direction: ASC }]) {
      totalCount
      pageInfo { endCursor }
      nodes {
        id
        name
        description
        expiresAt
        lastUsedAt
        createdAt
        projectId
        project { id name }
        roles { id name }
      }
    }
  }
`)

export const createCredentialMutation = graphql(`
  mutation CreateApplicationCredential($input: CreateApplicationCredentialInput!) {
    createApplicationCredential(input: $input) {
      secret
      applicationCredential { id name }
    }
  }
`)

export const deleteCredentialMutation = graphql(`
  mutation DeleteApplicationCredential($input: DeleteApplicationCredentialInput!) {
    deleteApplicationCredential(input: $input) { deletedId }
  }
`)
