import { graphql } from '../generated/gql.js'

export const startServerMutation = graphql(`
  mutation StartServer($input: StartServerInput!) {
    startServer(input: $input) { operation { id } server { ...ServerRow } }
  }
`)
export const stopServerMutation = graphql(`
  mutation StopServer($input: StopServerInput!) {
    stopServer(input: $input) { operation { id } server { ...ServerRow } }
  }
`)
export const rebootServerMutation = graphql(`
  mutation RebootServer($input: RebootServerInput!) {
    rebootServer(input: $input) { operation { id } server { ...ServerRow } }
  }
`)
export const pauseServerMutation = graphql(`
  mutation PauseServer($input: PauseServerInput!) {
    pauseServer(input: $input) { operation { id } server { ...ServerRow } }
  }
`)
export const unpauseServerMutation = graphql(`
  mutation UnpauseServer($input: UnpauseServerInput!) {
    unpauseServer(input: $input) { operation { id } server { ...ServerRow } }
  }
`)
export const suspendServerMutation = graphql(`
  mutation SuspendServer($input: SuspendServerInput!) {
    suspendServer(input: $input) { operation { id } server { ...ServerRow } }
  }
`)
export const resumeServerMutation = graphql(`
  mutation ResumeServer($input: ResumeServerInput!) {
    resumeServer(input: $input) { operation { id } server { ...ServerRow } }
  }
`)
export const lockServerMutation = graphql(`
  mutation LockServer($input: LockServerInput!) {
    lockServer(input: $input) { operation { id } server { ...ServerRow lockedReason lockedBy } }
  }
`)
export const unlockServerMutation = graphql(`
  mutation UnlockServer($input: UnlockServerInput!) {
    unlockServer(input: $input) { operation { id } server { ...ServerRow lockedReason lockedBy } }
  }
`)
export const deleteServerMutation = graphql(`
  mutation DeleteServer($input: DeleteServerInput!) {
    deleteServer(input: $input) { operation { id } deletedId server { ...ServerRow } }
  }
`)
export const replaceServerMetadataMutation = graphql(`
  mutation ReplaceServerMetadata($input: ReplaceServerMetadataInput!) {
    replaceServerMetadata(input: $input) { server { id generation metadata { key value } } }
  }
`)
export const replaceServerTagsMutation = graphql(`
  mutation ReplaceServerTags($input: ReplaceServerTagsInput!) {
    replaceServerTags(input: $input) { server { id generation tags } }
  }
`)
/** What the dialogs that change a server start from. */
export const editableServerQuery = graphql(`
  query EditableServer($id: ID!) {
    server(id: $id) { id generation metadata { key value } tags }
  }
`)

export const bulkServerActionMutation = graphql(`
  mutation BulkServerAction($input: BulkServerActionInput!) {
    bulkServerAction(input: $input) {
      operation { id }
      results { serverId accepted error { code message } operation { id } }
    }
  }
`)
export const bulkProgressQuery = graphql(`
  query BulkProgress($id: ID!, $first: Int!) {
    operation(id: $id) {
      id
      children(first: $first) { nodes { id serverId state progressPercent error { message } } }
    }
  }
`)
