import { graphql } from '../generated/gql.js'

export const propertyFields = graphql(`
  fragment PropertyFields on PropertyDefinition {
    key
    group
    title
    description
    valueType
    enumValues { value description }
    pattern
    minimum
    maximum
    unit
    defaultValue
    parameters { name pattern description }
    requires
    excludes
    aliases
    deprecationReason
  }
`)

export const extraSpecSchemaQuery = graphql(`
  query ExtraSpecSchema {
    extraSpecSchema { ...PropertyFields }
  }
`)

export const imagePropertySchemaQuery = graphql(`
  query ImagePropertySchema {
    imagePropertySchema { ...PropertyFields }
  }
`)
