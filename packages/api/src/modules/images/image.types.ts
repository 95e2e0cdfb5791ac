import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'
import { ErrorDetail, MetadataItem } from '../../graphql/common.types.js'
import { OperationPayload } from '../../graphql/operation-payload.js'
import { BigInteger, DateTime } from '../../graphql/scalars.js'

export const ImageStatus = {
  QUEUED: 'QUEUED',
  UPLOADING: 'UPLOADING',
  IMPORTING: 'IMPORTING',
  ACTIVE: 'ACTIVE',
  DEACTIVATED: 'DEACTIVATED',
} as const
export type ImageStatus = (typeof ImageStatus)[keyof typeof ImageStatus]
registerEnumType(ImageStatus, {
  name: 'ImageStatus',
  description: 'Life of an image.',
  valuesConfig: {
    QUEUED: { description: 'Record without data.' },
    UPLOADING: { description: 'Data is being received.' },
    IMPORTING: { description: 'Data is being checked and stored.' },
    ACTIVE: { description: 'Usable.' },
    DEACTIVATED: { description: 'Kept but not downloadable by non-admins.' },
  },
})

export const ImageVisibility = {
  PUBLIC: 'PUBLIC',
  COMMUNITY: 'COMMUNITY',
  SHARED: 'SHARED',
  PRIVATE: 'PRIVATE',
} as const
export type ImageVisibility = (typeof ImageVisibility)[keyof typeof ImageVisibility]
registerEnumType(ImageVisibility, {
  name: 'ImageVisibility',
  description: 'Who sees an image.',
  valuesConfig: {
    PUBLIC: { description: 'Everybody.' },
    COMMUNITY: { description: 'Everybody by id; lists only for members who accepted.' },
    SHARED: { description: 'Owner and members.' },
    PRIVATE: { description: 'Owner.' },
  },
})

export const ImageMemberStatus = {
  PENDING: 'PENDING',
  ACCEPTED: 'ACCEPTED',
  REJECTED: 'REJECTED',
} as const
export type ImageMemberStatus = (typeof ImageMemberStatus)[keyof typeof ImageMemberStatus]
registerEnumType(ImageMemberStatus, {
  name: 'ImageMemberStatus',
  description: 'Answer of a project an image is shared with.',
  valuesConfig: {
    PENDING: { description: 'Not answered.' },
    ACCEPTED: { description: 'Listed.' },
    REJECTED: { description: 'Hidden.' },
  },
})

export const DiskFormat = {
  RAW: 'RAW',
  QCOW2: 'QCOW2',
  VMDK: 'VMDK',
  VHD: 'VHD',
  VHDX: 'VHDX',
  ISO: 'ISO',
} as const
export type DiskFormat = (typeof DiskFormat)[keyof typeof DiskFormat]
registerEnumType(DiskFormat, {
  name: 'DiskFormat',
  description: 'Format of the disk data; checked against the content at upload.',
  valuesConfig: {
    RAW: { description: 'Raw.' },
    QCOW2: { description: 'QCOW2.' },
    VMDK: { description: 'VMDK.' },
    VHD: { description: 'VHD.' },
    VHDX: { description: 'VHDX.' },
    ISO: { description: 'ISO 9660.' },
  },
})

export const ContainerFormat = {
  BARE: 'BARE',
} as const
export type ContainerFormat = (typeof ContainerFormat)[keyof typeof ContainerFormat]
registerEnumType(ContainerFormat, {
  name: 'ContainerFormat',
  description: 'Wrapper of the disk data.',
  valuesConfig: {
    BARE: { description: 'None.' },
  },
})

export const ImageUploadState = {
  OPEN: 'OPEN',
  RECEIVED: 'RECEIVED',
  FINALIZING: 'FINALIZING',
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  EXPIRED: 'EXPIRED',
} as const
export type ImageUploadState = (typeof ImageUploadState)[keyof typeof ImageUploadState]
registerEnumType(ImageUploadState, {
  name: 'ImageUploadState',
  description: 'State of an upload session.',
  valuesConfig: {
    OPEN: { description: 'URL open, waiting for bytes.' },
    RECEIVED: { description: 'All bytes here, not finalized.' },
    FINALIZING: { description: 'Being checked.' },
    COMPLETED: { description: 'Image is ACTIVE.' },
    FAILED: { description: 'Refused or broken off.' },
    EXPIRED: { description: 'Not finished in time.' },
  },
})

@ObjectType({ description: 'A project an image is shared with.', simpleResolvers: true })
export class ImageMember {
  @Field(() => ID)
  projectId!: string
  @Field(() => ImageMemberStatus)
  status!: ImageMemberStatus
  @Field(() => DateTime)
  createdAt!: number
}

@ObjectType({ description: 'One transfer of image data.', simpleResolvers: true })
export class ImageUpload {
  @Field(() => ID)
  id!: string
  @Field(() => ImageUploadState)
  state!: ImageUploadState
  @Field(() => String, { description: 'PUT here with Content-Range, or tus protocol; the URL carries its own authorization.' })
  url!: string
  @Field(() => BigInteger, { nullable: true, description: 'Size announced; null if unknown.' })
  sizeBytes!: number | null
  @Field(() => BigInteger)
  receivedBytes!: number
  @Field(() => Int, { nullable: true })
  progressPercent!: number | null
  @Field(() => String, { nullable: true, description: 'Digest announced by the client as algorithm:hex.' })
  checksum!: string | null
  @Field(() => DateTime)
  expiresAt!: number
  @Field(() => ErrorDetail, { nullable: true })
  error!: ErrorDetail | null
}

@ObjectType({ description: 'A disk image, or the description of a volume-backed server.', simpleResolvers: true })
export class Image {
  @Field(() => ID)
  id!: string
  @Field(() => String, { nullable: true })
  name!: string | null
  @Field(() => ImageStatus)
  status!: ImageStatus
  @Field(() => ImageVisibility)
  visibility!: ImageVisibility
  @Field(() => Boolean, { description: 'Protected images cannot be deleted.' })
  protected!: boolean
  @Field(() => Boolean, { description: 'Left out of lists unless asked for; still usable by id.' })
  hidden!: boolean
  @Field(() => ID)
  projectId!: string
  @Field(() => [String])
  tags!: string[]
  @Field(() => [MetadataItem], { description: 'Properties, see imagePropertySchema for those with a meaning.' })
  properties!: MetadataItem[]
  @Field(() => Int)
  minRamMb!: number
  @Field(() => Int)
  minDiskGb!: number
  @Field(() => DiskFormat, { nullable: true })
  diskFormat!: DiskFormat | null
  @Field(() => ContainerFormat, { nullable: true })
  containerFormat!: ContainerFormat | null
  @Field(() => BigInteger, { nullable: true })
  sizeBytes!: number | null
  @Field(() => BigInteger, { nullable: true })
  virtualSizeBytes!: number | null
  @Field(() => String, { nullable: true, description: 'Algorithm and hex digest of the data.' })
  hashAlgorithm!: string | null
  @Field(() => String, { nullable: true })
  hashValue!: string | null
  @Field(() => DateTime)
  createdAt!: number
  @Field(() => DateTime)
  updatedAt!: number
  @Field(() => Int)
  generation!: number
}

@ObjectType({ description: 'Result of createImage.', simpleResolvers: true })
export class CreateImagePayload {
  @Field(() => Image)
  image!: Image
}

@ObjectType({ description: 'Result of createImageUpload.', simpleResolvers: true })
export class CreateImageUploadPayload {
  @Field(() => ImageUpload)
  upload!: ImageUpload
  @Field(() => Image)
  image!: Image
}

@ObjectType({ description: 'Result of finalizeImageUpload.', simpleResolvers: true, implements: OperationPayload })
export class FinalizeImageUploadPayload extends OperationPayload {
  @Field(() => Image)
  image!: Image
}

@ObjectType({ description: 'Result of cancelImageUpload.', simpleResolvers: true })
export class CancelImageUploadPayload {
  @Field(() => Image)
  image!: Image
}

@ObjectType({ description: 'Result of createImageDownload.', simpleResolvers: true })
export class CreateImageDownloadPayload {
  @Field(() => String)
  url!: string
  @Field(() => DateTime)
  expiresAt!: number
}

@ObjectType({ description: 'Result of deleteImage.', simpleResolvers: true })
export class DeleteImagePayload {
  @Field(() => ID)
  deletedId!: string
}

@ObjectType({ description: 'Result of updateImage.', simpleResolvers: true })
export class UpdateImagePayload {
  @Field(() => Image)
  image!: Image
}

@ObjectType({ description: 'Result of setImageActive.', simpleResolvers: true })
export class SetImageActivePayload {
  @Field(() => Image)
  image!: Image
}

@ObjectType({ description: 'Result of addImageMember.', simpleResolvers: true })
export class AddImageMemberPayload {
  @Field(() => Image)
  image!: Image
}

@ObjectType({ description: 'Result of removeImageMember.', simpleResolvers: true })
export class RemoveImageMemberPayload {
  @Field(() => Image)
  image!: Image
}

@ObjectType({ description: 'Result of answerImageMembership.', simpleResolvers: true })
export class AnswerImageMembershipPayload {
  @Field(() => Image)
  image!: Image
}
