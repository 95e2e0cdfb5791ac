import { graphql } from '../generated/gql.js'

export const serverRow = graphql(`
  fragment ServerRow on Server {
    id
    name
    status
    taskState
    powerState
    progressPercent
    isPartial
    locked
    createdAt
    host
    flavor { originalName vcpus ramMb diskGb }
    addresses { networkLabel address version type macAddress }
    allowedActions { action allowed reason }
  }
`)

export const serverQuery = graphql(`
  query Server($id: ID!) {
    server(id: $id) {
      ...ServerRow
      generation
      lockedReason
      lockedBy
      description
      hostname
      vmState
      updatedAt
      launchedAt
      terminatedAt
      fault { code errorCode message createdAt details }
      flavor { originalName vcpus ramMb diskGb ephemeralGb swapMb extraSpecs { key value } }
      imageId
      image { id name diskFormat }
      keypairs { name fingerprint }
      accessIpV4
      accessIpV6
      metadata { key value }
      tags
      diskConfig
      configDrive
      availabilityZone
      pinnedAvailabilityZone
      hostId
      hostStatus
      hypervisorHostname
      instanceName
      reservationId
      launchIndex
      rootDeviceName
      userData
      project { id name }
      user { id name }
      availableConsoles
    }
  }
`)

export const serverOperationsQuery = graphql(`
  query ServerOperations($serverId: ID!, $first: Int!) {
    operations(first: $first, filter: { serverId: $serverId, topLevelOnly: false }, orderBy: [{ key: CREATED_AT, direction: DESC }]) {
      totalCount
      nodes { ...OperationFields }
    }
  }
`)

export const consoleLogQuery = graphql(`
  query ConsoleLog($id: ID!, $fromOffset: BigInt, $tailLines: Int) {
    server(id: $id) {
      id
      consoleLog(fromOffset: $fromOffset, tailLines: $tailLines) { output startOffset endOffset truncated }
    }
  }
`)

export const consoleLogSubscription = graphql(`
  subscription FollowConsoleLog($serverId: ID!, $fromOffset: BigInt) {
    consoleLog(serverId: $serverId, fromOffset: $fromOffset) { output startOffset endOffset truncated }
  }
`)

export const createConsoleMutation = graphql(`
  mutation CreateConsole($input: CreateConsoleInput!) {
    createConsole(input: $input) { console { webSocketUrl token } }
  }
`)
