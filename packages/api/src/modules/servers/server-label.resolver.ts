/** Mutations of a server's metadata and tags. */
import { Arg, Ctx, Mutation, Resolver } from 'type-graphql'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { Server } from './server.types.js'
import { toServer } from './server.view.js'
import * as inputs from './server-action.inputs.js'
import * as types from './server-action.types.js'

@Resolver(() => Server)
export class ServerLabelResolver {
  @Policy('os_compute_api:server-metadata:create')
  @Mutation(() => types.SetServerMetadataPayload, {
    description: 'Write items. From ACTIVE, PAUSED, SUSPENDED, STOPPED, any task. Errors: INVALID_STATE, LOCKED, QUOTA_EXCEEDED.',
  })
  async setServerMetadata(
    @Arg('input', () => inputs.SetServerMetadataInput, { description: 'Input.' }) input: inputs.SetServerMetadataInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { server: toServer(await services.servers.labels.setMetadata(caller, input)) }
  }

  @Policy('os_compute_api:server-metadata:update_all')
  @Mutation(() => types.ReplaceServerMetadataPayload, { description: 'Replace all items. States and errors as setServerMetadata.' })
  async replaceServerMetadata(
    @Arg('input', () => inputs.ReplaceServerMetadataInput, { description: 'Input.' }) input: inputs.ReplaceServerMetadataInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { server: toServer(await services.servers.labels.replaceMetadata(caller, input)) }
  }

  @Policy('os_compute_api:server-metadata:delete')
  @Mutation(() => types.DeleteServerMetadataPayload, { description: 'Delete items by key. States and errors as setServerMetadata.' })
  async deleteServerMetadata(
    @Arg('input', () => inputs.DeleteServerMetadataInput, { description: 'Input.' }) input: inputs.DeleteServerMetadataInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { server: toServer(await services.servers.labels.deleteMetadata(caller, input)) }
  }

  @Policy('os_compute_api:os-server-tags:update')
  @Mutation(() => types.AddServerTagsPayload, {
    description: 'Add tags. From ACTIVE, PAUSED, SUSPENDED, STOPPED, any task, no lock check. Errors: INVALID_STATE, LIMIT_EXCEEDED (50).',
  })
  async addServerTags(
    @Arg('input', () => inputs.AddServerTagsInput, { description: 'Input.' }) input: inputs.AddServerTagsInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { server: toServer(await services.servers.labels.addTags(caller, input)) }
  }

  @Policy('os_compute_api:os-server-tags:update_all')
  @Mutation(() => types.ReplaceServerTagsPayload, { description: 'Replace all tags. States and errors as addServerTags.' })
  async replaceServerTags(
    @Arg('input', () => inputs.ReplaceServerTagsInput, { description: 'Input.' }) input: inputs.ReplaceServerTagsInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { server: toServer(await services.servers.labels.replaceTags(caller, input)) }
  }

  @Policy('os_compute_api:os-server-tags:delete')
  @Mutation(() => types.RemoveServerTagsPayload, { description: 'Remove tags. States as addServerTags.' })
  async removeServerTags(
    @Arg('input', () => inputs.RemoveServerTagsInput, { description: 'Input.' }) input: inputs.RemoveServerTagsInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { server: toServer(await services.servers.labels.removeTags(caller, input)) }
  }

  @Policy('os_compute_api:os-server-tags:delete_all')
  @Mutation(() => types.ClearServerTagsPayload, { description: 'Remove all tags. States as addServerTags.' })
  async clearServerTags(
    @Arg('input', () => inputs.ClearServerTagsInput, { description: 'Input.' }) input: inputs.ClearServerTagsInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { server: toServer(await services.servers.labels.clearTags(caller, input)) }
  }
}
