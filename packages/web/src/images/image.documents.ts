import { graphql } from '../generated/gql.js'

export const imageFields = graphql(`
  fragment ImageFields on Image {
    id
    name
    status
    visibility
    protected
    hidden
    projectId
    minRamMb
    minDiskGb
    diskFormat
    sizeBytes
    virtualSizeBytes
    hashAlgorithm
    hashValue
    createdAt
    generation
    upload { id state receivedBytes sizeBytes progressPercent error { code message } }
  }
`)

export const imagesQuery = graphql(`
  query Images($first: Int!, $after: String, $filter: ImageFilter, $orderBy: [ImageOrder!]) {
    images(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      totalCount
      pageInfo { hasNextPage endCursor }
      nodes { ...ImageFields }
    }
  }
`)

export const createImageMutation = graphql(`
  mutation CreateImage($input: CreateImageInput!) {
    createImage(input: $input) { image { ...ImageFields } }
  }
`)
export const createImageUploadMutation = graphql(`
  mutation CreateImageUpload($input: CreateImageUploadInput!) {
    createImageUpload(input: $input) { upload { id url } image { ...ImageFields } }
  }
`)
export const finalizeImageUploadMutation = graphql(`
  mutation FinalizeImageUpload($input: FinalizeImageUploadInput!) {
    finalizeImageUpload(input: $input) { operation { ...OperationFields } image { ...ImageFields } }
  }
`)
export const cancelImageUploadMutation = graphql(`
  mutation CancelImageUpload($input: CancelImageUploadInput!) {
    cancelImageUpload(input: $input) { image { ...ImageFields } }
  }
`)
export const createImageDownloadMutation = graphql(`
  mutation CreateImageDownload($input: CreateImageDownloadInput!) {
    createImageDownload(input: $input) { url }
  }
`)
export const deleteImageMutation = graphql(`
  mutation DeleteImage($input: DeleteImageInput!) {
    deleteImage(input: $input) { deletedId }
  }
`)

export const imageQuery = graphql(`
  query Image($id: ID!) {
    image(id: $id) {
      ...ImageFields
      containerFormat
      updatedAt
      tags
      properties { key value }
      project { id name }
      members { projectId status createdAt project { id name } }
    }
  }
`)
export const updateImageMutation = graphql(`
  mutation UpdateImage($input: UpdateImageInput!) {
    updateImage(input: $input) { image { ...ImageFields updatedAt tags properties { key value } } }
  }
`)
export const setImageActiveMutation = graphql(`
  mutation SetImageActive($input: SetImageActiveInput!) {
    setImageActive(input: $input) { image { ...ImageFields } }
  }
`)
export const addImageMemberMutation = graphql(`
  mutation AddImageMember($input: AddImageMemberInput!) {
    addImageMember(input: $input) { image { id generation members { projectId status createdAt project { id name } } } }
  }
`)
export const removeImageMemberMutation = graphql(`
  mutation RemoveImageMember($input: RemoveImageMemberInput!) {
    removeImageMember(input: $input) { image { id generation members { projectId status createdAt project { id name } } } }
  }
`)
export const answerImageMembershipMutation = graphql(`
  mutation AnswerImageMembership($input: AnswerImageMembershipInput!) {
    answerImageMembership(input: $input) { image { id generation members { projectId status createdAt project { id name } } } }
  }
`)
/** Images shared with the project, by its answer. */
export const imageOffersQuery = graphql(`
  query ImageOffers($first: Int!, $name: String) {
    pending: images(first: $first, filter: { name: $name, memberStatus: PENDING }) { nodes { id } }
    accepted: images(first: $first, filter: { name: $name, memberStatus: ACCEPTED }) { nodes { id } }
    rejected: images(first: $first, filter: { name: $name, memberStatus: REJECTED }) { nodes { id } }
  }
`)
