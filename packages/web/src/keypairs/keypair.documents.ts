import { graphql } from '../generated/gql.js'

export const keypairFields = graphql(`
  fragment KeypairFields on Keypair {
    id
    userId
    name
    type
    publicKey
    fingerprint
    createdAt
  }
`)

export const keypairsQuery = graphql(`
  query Keypairs($first: Int!, $after: String) {
    keypairs(first: $first, after: $after, orderBy: [{ key: NAME, direction: ASC }]) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { ...KeypairFields }
    }
  }
`)
export const importKeypairMutation = graphql(`
  mutation ImportKeypair($input: ImportKeypairInput!) {
    importKeypair(input: $input) { keypair { ...KeypairFields } }
  }
`)
export const deleteKeypairMutation = graphql(`
  mutation DeleteKeypair($input: DeleteKeypairInput!) {
    deleteKeypair(input: $input) { deletedName }
  }
`)

export const keypairQuery = graphql(`
  query Keypair($name: String!) {
    keypair(name: $name) { ...KeypairFields }
  }
`)
export const createKeypairMutation = graphql(`
  mutation CreateKeypair($input: CreateKeypairInput!) {
    createKeypair(input: $input) { keypair { ...KeypairFields } privateKey }
  }
`)
