import { graphql } from '../generated/gql.js'

export const imageFields = graphql(`
  fragment ImageFields on Image {
    id
    name
    status
    visibility
    protected
    projectId
    minRamMb
    minDiskGb
    diskFormat
    sizeBytes
    virtualSizeBytes
    hashAlgorithm
    hashValue
    createdAt
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
    image(id: $id) { ...ImageFields }
  }
`)
