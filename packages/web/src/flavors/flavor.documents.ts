import { graphql } from '../generated/gql.js'

export const flavorFields = graphql(`
  fragment FlavorFields on Flavor {
    id
    name
    description
    vcpus
    ramMb
    diskGb
    ephemeralGb
    swapMb
    isPublic
    disabled
    generation
    extraSpecs { key value }
  }
`)

export const flavorsQuery = graphql(`
  query Flavors($first: Int!, $after: String, $filter: FlavorFilter, $orderBy: [FlavorOrder!]) {
    flavors(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { ...FlavorFields }
    }
  }
`)

export const createFlavorMutation = graphql(`
  mutation CreateFlavor($input: CreateFlavorInput!) {
    createFlavor(input: $input) { flavor { ...FlavorFields } }
  }
`)
export const setExtraSpecsMutation = graphql(`
  mutation SetFlavorExtraSpecs($input: SetFlavorExtraSpecsInput!) {
    setFlavorExtraSpecs(input: $input) { flavor { ...FlavorFields } }
  }
`)
export const deleteExtraSpecsMutation = graphql(`
  mutation DeleteFlavorExtraSpecs($input: DeleteFlavorExtraSpecsInput!) {
    deleteFlavorExtraSpecs(input: $input) { flavor { ...FlavorFields } }
  }
`)
export const deleteFlavorMutation = graphql(`
  mutation DeleteFlavor($input: DeleteFlavorInput!) {
    deleteFlavor(input: $input) { deletedId }
  }
`)
