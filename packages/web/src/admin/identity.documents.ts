import { graphql } from '../generated/gql.js'

export const userFields = graphql(`
  fragment UserFields on User {
    id
    name
    email
    description
    enabled
    lastLoginAt
    createdAt
    generation
    defaultProject { id name }
  }
`)

export const projectFields = graphql(`
  fragment ProjectFields on Project {
    id
    name
    description
    enabled
    tags
    createdAt
    generation
  }
`)

export const usersQuery = graphql(`
  query Users($first: Int, $after: String, $filter: UserFilter, $orderBy: [ResourceOrder!]) {
    users(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      pageInfo { endCursor }
      nodes { ...UserFields }
    }
  }
`)

export const projectsQuery = graphql(`
  query Projects($first: Int, $after: String, $filter: ProjectFilter, $orderBy: [ResourceOrder!]) {
    projects(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      pageInfo { endCursor }
      nodes { ...ProjectFields }
    }
  }
`)

export const userQuery = graphql(`
  query User($id: ID!) {
    user(id: $id) { ...UserFields }
  }
`)

export const projectQuery = graphql(`
  query Project($id: ID!) {
    project(id: $id) { ...ProjectFields }
  }
`)

export const grantsQuery = graphql(`
  query Grants($filter: RoleAssignmentFilter) {
    roleAssignments(first: 1000, filter: $filter) {
      totalCount
      nodes {
        user { id name }
        project { id name }
        role { id name }
      }
    }
    roles { id name description }
  }
`)

export const namedUsersQuery = graphql(`
  query NamedUsers($name: String!, $first: Int!) {
    users(first: $first, filter: { name: $name }, orderBy: [{ key: NAME, direction: ASC }]) { nodes { id name } }
  }
`)

export const namedProjectsQuery = graphql(`
  query NamedProjects($name: String!, $first: Int!) {
    projects(first: $first, filter: { name: $name }, orderBy: [{ key: NAME, direction: ASC }]) { nodes { id name } }
  }
`)

export const createUserMutation = graphql(`
  mutation CreateUser($input: CreateUserInput!) {
    createUser(input: $input) { user { ...UserFields } }
  }
`)

export const updateUserMutation = graphql(`
  mutation UpdateUser($input: UpdateUserInput!) {
    updateUser(input: $input) { user { ...UserFields } }
  }
`)

export const deleteUserMutation = graphql(`
  mutation DeleteUser($input: DeleteUserInput!) {
    deleteUser(input: $input) { deletedId }
  }
`)

export const createProjectMutation = graphql(`
  mutation CreateProject($input: CreateProjectInput!) {
    createProject(input: $input) { project { ...ProjectFields } }
  }
`)

export const updateProjectMutation = graphql(`
  mutation UpdateProject($input: UpdateProjectInput!) {
    updateProject(input: $input) { project { ...ProjectFields } }
  }
`)

export const deleteProjectMutation = graphql(`
  mutation DeleteProject($input: DeleteProjectInput!) {
    deleteProject(input: $input) { deletedId }
  }
`)

export const assignRoleMutation = graphql(`
  mutation AssignRole($input: AssignRoleInput!) {
    assignRole(input: $input) { roleAssignment { role { id } } }
  }
`)

export const revokeRoleMutation = graphql(`
  mutation RevokeRole($input: RevokeRoleInput!) {
    revokeRole(input: $input) { roleAssignment { role { id } } }
  }
`)
