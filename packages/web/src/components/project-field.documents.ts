import { graphql } from '../generated/gql.js'

export const projectChoicesQuery = graphql(`
  query ProjectChoices($first: Int!, $name: String!) {
    projects(first: $first, filter: { name: $name }, orderBy: [{ key: NAME }]) {
      nodes { id name }
    }
  }
`)
