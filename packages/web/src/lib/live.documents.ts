import { graphql } from '../generated/gql.js'

export const serverChangedSubscription = graphql(`
  subscription ServerChanged($after: String) {
    serverChanged(after: $after) {
      cursor
      change
      serverId
      changedFields
      server { ...ServerRow }
    }
  }
`)

export const operationChangedSubscription = graphql(`
  subscription OperationChanged($after: String) {
    operationChanged(after: $after) {
      cursor
      operation { ...OperationFields }
    }
  }
`)

export const eventsSubscription = graphql(`
  subscription Events($after: String, $filter: EventFilter) {
    events(after: $after, filter: $filter) {
      __typename
      ... on Event { cursor eventType subject subjectId }
      ... on EventGap { cursor lostUntil }
      ... on EventHeartbeat { cursor at }
    }
  }
`)
