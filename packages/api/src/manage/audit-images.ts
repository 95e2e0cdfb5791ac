/** Files of the image store against images and uploads. */
import type { Inventory } from './inventory.js'

const openUpload: readonly string[] = ['OPEN', 'RECEIVED', 'FINALIZING']

export async function auditImages({ api, sagas, find }: Inventory, files: readonly string[] | undefined): Promise<void> {
  const images = await api.read.selectFrom('images').select(['id', 'status']).execute()
  const uploads = await api.read.selectFrom('image_uploads').select(['id', 'image_id', 'state']).execute()
  const importing = new Set(
    sagas.filter((saga) => saga.kind === 'import_image').map((saga) => (JSON.parse(saga.state) as { imageId: string }).imageId),
  )
  const imageIds = new Set(images.map((image) => image.id))
  for (const image of images) {
    if (image.status === 'IMPORTING' && !importing.has(image.id))
      find('image-stuck', image.id, 'the image is importing but nobody imports it')
  }
  for (const upload of uploads) {
    if (!imageIds.has(upload.image_id)) find('upload-orphan', upload.id, `the upload belongs to image ${upload.image_id}, which is gone`)
    if (upload.state === 'FINALIZING' && !importing.has(upload.image_id))
      find('upload-stuck', upload.id, 'the upload is finalizing but nobody checks it')
  }
  if (files === undefined) return
  const present = new Set(files)
  const withData: readonly string[] = ['ACTIVE', 'DEACTIVATED']
  const active = new Set(images.filter((image) => withData.includes(image.status)).map((image) => image.id))
  const open = new Set(uploads.filter((upload) => openUpload.includes(upload.state)).map((upload) => upload.id))
  for (const file of files) {
    const [id = '', kind] = file.split('.')
    if (kind === 'image' && !active.has(id) && !importing.has(id)) find('image-file-orphan', id, `file ${file} belongs to no active image`)
    if ((kind === 'part' || kind === 'sealed') && !open.has(id)) find('upload-file-orphan', id, `file ${file} belongs to no open upload`)
  }
  for (const id of active) if (!present.has(`${id}.image`)) find('image-file-missing', id, 'the image is active but has no data')
}
