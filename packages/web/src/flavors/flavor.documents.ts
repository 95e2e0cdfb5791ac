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
    rxtxFactor
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

/** What only one flavor at a time is asked for. */
export const flavorQuery = graphql(`
  query Flavor($id: ID!) {
    flavor(id: $id) {
      ...FlavorFields
      createdAt
      updatedAt
      serverCount
      access { projectId project { id name } }
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
export const updateFlavorMutation = graphql(`
  mutation UpdateFlavor($input: UpdateFlavorInput!) {
    updateFlavor(input: $input) { flavor { ...FlavorFields } }
  }
`)
export const addFlavorAccessMutation = graphql(`
  mutation AddFlavorAccess($input: AddFlavorAccessInput!) {
    addFlavorAccess(input: $input) { flavor { id generation access { projectId project { id name } } } }
  }
`)
export const removeFlavorAccessMutation = graphql(`
  mutation RemoveFlavorAccess($input: RemoveFlavorAccessInput!) {
    removeFlavorAccess(input: $input) { flavor { id generation access { projectId project { id name } } } }
  }
`)
