import { graphql } from '../generated/gql.js'

export const paletteQuery = graphql(`
  query Palette($search: String!, $id: ID!, $isId: Boolean!, $servers: Boolean!, $images: Boolean!, $flavors: Boolean!) {
    servers(first: 6, filter: { search: $search }, orderBy: [{ key: NAME, direction: ASC }]) @include(if: $servers) { nodes { id name status } }
    images(first: 6, filter: { name: $search }) @include(if: $images) { nodes { id name } }
    image(id: $id) @include(if: $isId) { id name }
    flavors(first: 6, filter: { search: $search }) @include(if: $flavors) { nodes { id name } }
  }
`)
