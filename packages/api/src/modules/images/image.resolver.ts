import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import type { ErrorCode } from '../../graphql/common.types.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { visibleProject } from '../../graphql/visible-project.js'
import { Project } from '../identity/identity.types.js'
import { requireOperation } from '../operations/operation.view.js'
import * as inputs from './image.inputs.js'
import type { ImageRow, UploadRow } from './image.service.js'
import * as types from './image.types.js'

const { Image, ImageMember, ImageUpload } = types
type Image = types.Image
type ImageMember = types.ImageMember
type ImageUpload = types.ImageUpload
const ImageConnection = connectionOf(() => Image, 'Image', 'images')
@ArgsType()
class ImageArgs extends listArgs(
  () => inputs.ImageFilter,
  () => inputs.ImageOrder,
) {}

export const toImage = (row: ImageRow): Image => ({
  id: row.id,
  name: row.name,
  status: row.status as types.ImageStatus,
  visibility: row.visibility as types.ImageVisibility,
  protected: row.protected === 1,
  hidden: row.hidden === 1,
  projectId: row.project_id,
  tags: JSON.parse(row.tags) as string[],
  properties: Object.entries(JSON.parse(row.properties) as Record<string, string>).map(([key, value]) => ({ key, value })),
  minRamMb: row.min_ram_mb,
  minDiskGb: row.min_disk_gb,
  diskFormat: row.disk_format as types.DiskFormat | null,
  containerFormat: row.container_format === null ? null : 'BARE',
  sizeBytes: row.size_bytes,
  virtualSizeBytes: row.virtual_size_bytes,
  hashAlgorithm: row.hash_value === null ? null : 'sha256',
  hashValue: row.hash_value,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  generation: row.generation,
})

async function toUpload(context: RequestContext, row: UploadRow): Promise<ImageUpload> {
  const { url } = await context.services.images.ticketedUrl(row.id, 'PUT', context.services.config.image_store.upload_seconds)
  return {
    id: row.id,
    state: row.state as types.ImageUploadState,
    url,
    sizeBytes: row.size_bytes,
    receivedBytes: row.received_bytes,
    progressPercent: row.size_bytes === null ? null : Math.min(Math.floor((100 * row.received_bytes) / row.size_bytes), 100),
    checksum: row.checksum,
    expiresAt: row.expires_at,
    error: row.error === null ? null : { field: null, exception: null, ...(JSON.parse(row.error) as { code: ErrorCode; message: string }) },
  }
}

@Resolver(() => Image)
export class ImageResolver {
  @FieldResolver(() => Project, { nullable: true })
  project(@Root() image: Image, @Ctx() context: RequestContext): Promise<Project | null> {
    return visibleProject(context, image.projectId)
  }

  @Policy('image:get_members', 'HIDE')
  @FieldResolver(() => [ImageMember], { nullable: true })
  async members(@Root() image: Image, @Ctx() context: RequestContext): Promise<ImageMember[] | null> {
    const rows = (await context.imageMembers.load(image.id)) ?? []
    return rows.map((row) => ({ projectId: row.project_id, status: row.status as types.ImageMemberStatus, createdAt: row.created_at }))
  }

  @Policy('image:upload_image', 'HIDE')
  @FieldResolver(() => ImageUpload, { nullable: true, description: 'The open upload session.' })
  async upload(@Root() image: Image, @Ctx() context: RequestContext): Promise<ImageUpload | null> {
    const row = await context.imageUploads.load(image.id)
    return row === null || row.state === 'COMPLETED' ? null : toUpload(context, row)
  }

  @Policy('image:get_image')
  @Query(() => Image, { nullable: true, description: 'One image, null if unknown or not visible.' })
  async image(
    @Arg('id', () => ID, { description: 'Image id.' }) id: string,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<Image | null> {
    const row = await services.images.image(caller, id)
    return row === null ? null : toImage(row)
  }

  @Policy('image:get_images')
  @Query(() => ImageConnection, { description: 'Images the project can use.' })
  async images(@Args(() => ImageArgs) args: ImageArgs, @Ctx() { services, caller }: RequestContext) {
    return new ImageConnection(mapPage(await services.images.images(caller, args), toImage))
  }

  @Policy('image:add_image')
  @Mutation(() => types.CreateImagePayload, {
    description: 'Make the record; data follows. PUBLIC needs image:publicize_image. Errors: ALREADY_EXISTS (id), LIMIT_EXCEEDED.',
  })
  async createImage(
    @Arg('input', () => inputs.CreateImageInput, { description: 'Input.' }) input: inputs.CreateImageInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { image: toImage(await services.images.create(caller, input)) }
  }

  @Policy('image:upload_image')
  @Mutation(() => types.CreateImageUploadPayload, {
    description: 'Open an upload session; a second one replaces the first. Errors: INVALID_STATE (not QUEUED).',
  })
  async createImageUpload(
    @Arg('input', () => inputs.CreateImageUploadInput, { description: 'Input.' }) input: inputs.CreateImageUploadInput,
    @Ctx() context: RequestContext,
  ) {
    const { services, caller } = context
    const upload = await services.images.uploads.create(caller, input)
    const image = await services.images.image(caller, upload.image_id)
    return { upload: await toUpload(context, upload), image: image === null ? null : toImage(image) }
  }

  @Policy('image:upload_image')
  @Mutation(() => types.FinalizeImageUploadPayload, {
    description: 'Check and store the received bytes. Errors: INVALID_STATE, GONE. Later: IMAGE_REJECTED (checksum, format, backing file).',
  })
  async finalizeImageUpload(
    @Arg('input', () => inputs.FinalizeImageUploadInput, { description: 'Input.' }) input: inputs.FinalizeImageUploadInput,
    @Ctx() context: RequestContext,
  ) {
    const { image, operationId } = await context.services.images.uploads.finalize(context.caller, input)
    return { image: toImage(image), operation: await requireOperation(context, operationId) }
  }

  @Policy('image:upload_image')
  @Mutation(() => types.CancelImageUploadPayload, { description: 'Drop the session and its bytes. Errors: INVALID_STATE.' })
  async cancelImageUpload(
    @Arg('input', () => inputs.CancelImageUploadInput, { description: 'Input.' }) input: inputs.CancelImageUploadInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { image: toImage(await services.images.uploads.cancel(caller, input)) }
  }

  @Policy('image:download_image')
  @Mutation(() => types.CreateImageDownloadPayload, { description: 'A short-lived URL to download the data. Errors: INVALID_STATE.' })
  async createImageDownload(
    @Arg('input', () => inputs.CreateImageDownloadInput, { description: 'Input.' }) input: inputs.CreateImageDownloadInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return services.images.createDownload(caller, input)
  }

  @Policy('image:delete_image')
  @Mutation(() => types.DeleteImagePayload, { description: 'Delete an image. Errors: CONFLICT (protected).' })
  async deleteImage(
    @Arg('input', () => inputs.DeleteImageInput, { description: 'Input.' }) input: inputs.DeleteImageInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { deletedId: await services.images.delete(caller, input) }
  }

  @Policy('image:modify_image')
  @Mutation(() => types.UpdateImagePayload, {
    description: 'Change names, properties, visibility. PUBLIC needs image:publicize_image. Errors: LIMIT_EXCEEDED.',
  })
  async updateImage(
    @Arg('input', () => inputs.UpdateImageInput, { description: 'Input.' }) input: inputs.UpdateImageInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { image: toImage(await services.images.update(caller, input)) }
  }

  @Policy('image:deactivate')
  @Mutation(() => types.SetImageActivePayload, { description: 'Stop or allow again downloads by non-admins. Errors: INVALID_STATE.' })
  async setImageActive(
    @Arg('input', () => inputs.SetImageActiveInput, { description: 'Input.' }) input: inputs.SetImageActiveInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { image: toImage(await services.images.setActive(caller, input)) }
  }

  @Policy('image:add_member')
  @Mutation(() => types.AddImageMemberPayload, {
    description: 'Share with a project. Errors: INVALID_STATE (not SHARED), ALREADY_EXISTS, INVALID_REFERENCE, LIMIT_EXCEEDED.',
  })
  async addImageMember(
    @Arg('input', () => inputs.AddImageMemberInput, { description: 'Input.' }) input: inputs.AddImageMemberInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { image: toImage(await services.images.members.add(caller, input)) }
  }

  @Policy('image:delete_member')
  @Mutation(() => types.RemoveImageMemberPayload, { description: 'Stop sharing with a project.' })
  async removeImageMember(
    @Arg('input', () => inputs.RemoveImageMemberInput, { description: 'Input.' }) input: inputs.RemoveImageMemberInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { image: toImage(await services.images.members.remove(caller, input)) }
  }

  @Policy('image:modify_member')
  @Mutation(() => types.AnswerImageMembershipPayload, { description: 'Accept or reject an image shared with the current project.' })
  async answerImageMembership(
    @Arg('input', () => inputs.AnswerImageMembershipInput, { description: 'Input.' }) input: inputs.AnswerImageMembershipInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { image: toImage(await services.images.members.answer(caller, input)) }
  }
}

@Resolver(() => ImageMember)
export class ImageMemberResolver {
  @FieldResolver(() => Project, { nullable: true })
  project(@Root() member: ImageMember, @Ctx() context: RequestContext): Promise<Project | null> {
    return visibleProject(context, member.projectId)
  }
}
