import { graphql } from '../generated/gql.js'

export const sessionFields = graphql(`
  fragment SessionFields on Session {
    accessToken
    expiresAt
    viewer {
      user { id name }
      project { id name }
      projects { id name }
      roles { id }
      allowedRules
    }
  }
`)

export const loginMutation = graphql(`
  mutation Login($input: LoginInput!) {
    login(input: $input) { session { ...SessionFields } }
  }
`)

export const refreshMutation = graphql(`
  mutation RefreshSession($input: RefreshSessionInput!) {
    refreshSession(input: $input) { session { ...SessionFields } }
  }
`)

export const logoutMutation = graphql(`
  mutation Logout($input: LogoutInput!) {
    logout(input: $input) { endedSessions }
  }
`)

export const changeOwnPasswordMutation = graphql(`
  mutation ChangeOwnPassword($input: ChangeOwnPasswordInput!) {
    changeOwnPassword(input: $input) { session { ...SessionFields } }
  }
`)
