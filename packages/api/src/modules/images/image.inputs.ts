import { Field, ID, InputType, Int, registerEnumType } from 'type-graphql'
import { MetadataItemInput, SortDirection } from '../../graphql/common.types.js'
import { BigInteger, DateTime } from '../../graphql/scalars.js'
import { ContainerFormat, DiskFormat, ImageMemberStatus, ImageStatus, ImageVisibility } from '../../modules/images/image.types.js'

export const ImageSortKey = {
  ID: 'ID',
  NAME: 'NAME',
  STATUS: 'STATUS',
  SIZE_BYTES: 'SIZE_BYTES',
  DISK_FORMAT: 'DISK_FORMAT',
  CREATED_AT: 'CREATED_AT',
  UPDATED_AT: 'UPDATED_AT',
} as const
export type ImageSortKey = (typeof ImageSortKey)[keyof typeof ImageSortKey]
registerEnumType(ImageSortKey, {
  name: 'ImageSortKey',
  description: 'Sort keys of images.',
  valuesConfig: {
    ID: { description: 'Id.' },
    NAME: { description: 'Name.' },
    STATUS: { description: 'Status.' },
    SIZE_BYTES: { description: 'Size.' },
    DISK_FORMAT: { description: 'Format.' },
    CREATED_AT: { description: 'Creation.' },
    UPDATED_AT: { description: 'Last change.' },
  },
})

@InputType({ description: 'Sort order of images; absent: CREATED_AT DESC.' })
export class ImageOrder {
  @Field(() => ImageSortKey, { description: 'Sort key.' })
  key!: ImageSortKey
  @Field(() => SortDirection, { description: 'Direction.', defaultValue: 'DESC' })
  direction!: SortDirection
}

@InputType({ description: 'Which images.' })
export class ImageFilter {
  @Field(() => String, { nullable: true, description: 'Part of the name.' })
  name?: string | null
  @Field(() => [ImageStatus], { nullable: true, description: 'Any of these.' })
  status?: ImageStatus[] | null
  @Field(() => ImageVisibility, { nullable: true, description: 'Seen this way.' })
  visibility?: ImageVisibility | null
  @Field(() => ImageMemberStatus, { nullable: true, description: 'Shared with the project, with this answer.' })
  memberStatus?: ImageMemberStatus | null
  @Field(() => ID, { nullable: true, description: 'Of this project.' })
  projectId?: string | null
  @Field(() => DiskFormat, { nullable: true, description: 'Format.' })
  diskFormat?: DiskFormat | null
  @Field(() => [String], { nullable: true, description: 'Carrying all of these tags.' })
  tags?: string[] | null
  @Field(() => [MetadataItemInput], { nullable: true, description: 'With these properties.' })
  properties?: MetadataItemInput[] | null
  @Field(() => BigInteger, { nullable: true, description: 'At most this size.' })
  maxSizeBytes?: number | null
  @Field(() => Boolean, { nullable: true, description: 'Hidden ones.', defaultValue: false })
  hidden?: boolean | null
  @Field(() => DateTime, { nullable: true, description: 'Changed at or after.' })
  changedSince?: number | null
  @Field(() => DateTime, { nullable: true, description: 'Changed at or before.' })
  changedBefore?: number | null
}

@InputType({ description: 'A new image record.' })
export class CreateImageInput {
  @Field(() => String, { description: 'Name.' })
  name!: string
  @Field(() => ID, { nullable: true, description: 'Id; default generated.' })
  id?: string | null
  @Field(() => DiskFormat, { description: 'Format of the data.' })
  diskFormat!: DiskFormat
  @Field(() => ContainerFormat, { description: 'Wrapper.', defaultValue: 'BARE' })
  containerFormat!: ContainerFormat
  @Field(() => ImageVisibility, { description: 'Who sees it.', defaultValue: 'PRIVATE' })
  visibility!: ImageVisibility
  @Field(() => Boolean, { nullable: true, description: 'Refuse deletion.', defaultValue: false })
  protected?: boolean | null
  @Field(() => Int, { nullable: true, description: 'Least memory.', defaultValue: 0 })
  minRamMb?: number | null
  @Field(() => Int, { nullable: true, description: 'Least disk.', defaultValue: 0 })
  minDiskGb?: number | null
  @Field(() => [MetadataItemInput], { nullable: true, description: 'Properties.' })
  properties?: MetadataItemInput[] | null
  @Field(() => [String], { nullable: true, description: 'Tags.' })
  tags?: string[] | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Data to announce.' })
export class CreateImageUploadInput {
  @Field(() => ID, { description: 'Image.' })
  imageId!: string
  @Field(() => BigInteger, { nullable: true, description: 'Size, for progress and quota.' })
  sizeBytes?: number | null
  @Field(() => String, { nullable: true, description: 'Expected digest as algorithm:hex, for example sha256:….' })
  checksum?: string | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which session.' })
export class FinalizeImageUploadInput {
  @Field(() => ID, { description: 'Session.' })
  uploadId!: string
  @Field(() => String, { nullable: true, description: 'Digest, if not given before.' })
  checksum?: string | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which session.' })
export class CancelImageUploadInput {
  @Field(() => ID, { description: 'Session.' })
  uploadId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which image.' })
export class CreateImageDownloadInput {
  @Field(() => ID, { description: 'Image.' })
  imageId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Which image.' })
export class DeleteImageInput {
  @Field(() => ID, { description: 'Image.' })
  imageId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Changes to an image; absent fields stay.' })
export class UpdateImageInput {
  @Field(() => ID, { description: 'Image.' })
  imageId!: string
  @Field(() => String, { nullable: true, description: 'New name.' })
  name?: string | null
  @Field(() => ImageVisibility, { nullable: true, description: 'Who sees it.' })
  visibility?: ImageVisibility | null
  @Field(() => Boolean, { nullable: true, description: 'Refuse deletion.' })
  protected?: boolean | null
  @Field(() => Boolean, { nullable: true, description: 'Leave out of lists.' })
  hidden?: boolean | null
  @Field(() => Int, { nullable: true, description: 'Least memory.' })
  minRamMb?: number | null
  @Field(() => Int, { nullable: true, description: 'Least disk.' })
  minDiskGb?: number | null
  @Field(() => [String], { nullable: true, description: 'New tags.' })
  tags?: string[] | null
  @Field(() => [MetadataItemInput], { nullable: true, description: 'Properties to write.' })
  setProperties?: MetadataItemInput[] | null
  @Field(() => [String], { nullable: true, description: 'Properties to remove.' })
  removeProperties?: string[] | null
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Stop or allow.' })
export class SetImageActiveInput {
  @Field(() => ID, { description: 'Image.' })
  imageId!: string
  @Field(() => Boolean, { description: 'False: deactivate.' })
  active!: boolean
  @Field(() => Int, { nullable: true, description: 'Generation read.' })
  expectedGeneration?: number | null
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Whom to share with.' })
export class AddImageMemberInput {
  @Field(() => ID, { description: 'Image.' })
  imageId!: string
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'Whom to stop.' })
export class RemoveImageMemberInput {
  @Field(() => ID, { description: 'Image.' })
  imageId!: string
  @Field(() => ID, { description: 'Project.' })
  projectId!: string
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}

@InputType({ description: 'The answer.' })
export class AnswerImageMembershipInput {
  @Field(() => ID, { description: 'Image.' })
  imageId!: string
  @Field(() => ImageMemberStatus, { description: 'Answer.' })
  status!: ImageMemberStatus
  @Field(() => String, { nullable: true, description: 'Retry key.' })
  idempotencyKey?: string | null
}
