/** What can be done with an image, for its row and its page: the menu, and the dialogs it opens. */
import { useMutation, useQuery } from '@apollo/client/react'
import { type ReactNode, useCallback, useState } from 'react'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import type { RowAction } from '../components/row-actions.js'
import type { ImageFieldsFragment } from '../generated/graphql.js'
import { randomKey } from '../lib/keys.js'
import { ownOrigin } from '../lib/own-origin.js'
import { problemOf } from '../lib/problem.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { EditPropertiesDialog } from '../properties/edit-properties-dialog.js'
import { imagePropertySchemaQuery } from '../properties/property.documents.js'
import { text } from '../text/text.js'
import { EditImageDialog, type ImageDetails, useImageUpdate } from './edit-image-dialog.js'
import {
  cancelImageUploadMutation,
  createImageDownloadMutation,
  deleteImageMutation,
  imageQuery,
  setImageActiveMutation,
} from './image.documents.js'
import { imageName } from './image-name.js'
import { UploadImageDialog } from './upload-image-dialog.js'

const words = text.images

interface Opened {
  kind: 'edit' | 'properties' | 'upload' | 'cancelUpload' | 'deactivate' | 'delete'
  image: ImageFieldsFragment
}

function ImagePropertiesDialog({ image, onClose }: { image: ImageDetails; onClose: () => void }) {
  const update = useImageUpdate(image)
  const { data, error } = useQuery(imagePropertySchemaQuery)
  if (data === undefined && error === undefined) return null
  return (
    <EditPropertiesDialog
      title={words.properties.of(imageName(image))}
      hint={words.properties.hint}
      noun={words.properties.noun}
      saveLabel={words.save}
      cancelLabel={words.cancel}
      before={image.properties}
      definitions={data?.imagePropertySchema ?? []}
      field="setProperties"
      save={({ changed, removed }) => update({ setProperties: changed, removeProperties: removed })}
      onClose={onClose}
    />
  )
}

/** A row of a list does not hold tags and properties: they are read when the dialog opens. */
function WithDetails({ id, children }: { id: string; children: (image: ImageDetails) => ReactNode }) {
  const { data } = useQuery(imageQuery, { variables: { id }, fetchPolicy: 'network-only', nextFetchPolicy: 'cache-only' })
  return data?.image == null ? null : children(data.image)
}

interface ImageActionsOptions {
  onChanged: () => void
  onDeleted: () => unknown
}

export function useImageActions({ onChanged, onDeleted }: ImageActionsOptions) {
  const may = {
    edit: useMay('image:modify_image'),
    upload: useMay('image:upload_image'),
    download: useMay('image:download_image'),
    setActive: useMay('image:deactivate'),
    delete: useMay('image:delete_image'),
  }
  const isAdmin = useMay('context_is_admin')
  const { project } = useViewer()
  const [opened, setOpened] = useState<Opened | null>(null)
  const [remove] = useMutation(deleteImageMutation)
  const [createDownload] = useMutation(createImageDownloadMutation)
  const [setActive] = useMutation(setImageActiveMutation)
  const [cancelUpload] = useMutation(cancelImageUploadMutation)
  const close = useCallback(() => setOpened(null), [])
  const uploaded = useCallback((name: string) => showToast('success', words.upload.ready(name)), [])

  const download = async (image: ImageFieldsFragment): Promise<void> => {
    try {
      const answer = await createDownload({ variables: { input: { imageId: image.id, idempotencyKey: randomKey() } } })
      const url = answer.data?.createImageDownload.url
      if (url !== undefined) location.assign(ownOrigin(url))
    } catch (failure) {
      showToast('danger', words.download.failed(imageName(image)), problemOf(failure).message)
    }
  }
  const activate = async (image: ImageFieldsFragment): Promise<void> => {
    try {
      await setActive({ variables: { input: { imageId: image.id, active: true, idempotencyKey: randomKey() } } })
      showToast('success', words.active.reactivated(imageName(image)))
    } catch (failure) {
      showToast('danger', words.active.notChanged(imageName(image)), problemOf(failure).message)
    }
  }
  const refused = (image: ImageFieldsFragment, allowed: boolean): string | null =>
    !allowed ? words.notAllowed : image.projectId === project?.id || isAdmin ? null : words.anothers
  const isStored = ({ status }: ImageFieldsFragment): boolean => status === 'ACTIVE' || status === 'DEACTIVATED'

  const actionsOf = (image: ImageFieldsFragment): RowAction[] => {
    const open = (kind: Opened['kind']) => () => setOpened({ kind, image })
    const { status } = image
    return [
      { label: words.edit.action, onSelect: open('edit'), disabledReason: refused(image, may.edit) },
      { label: words.properties.edit, onSelect: open('properties'), disabledReason: refused(image, may.edit) },
      {
        label: words.upload.data,
        onSelect: open('upload'),
        disabledReason: refused(image, may.upload) ?? (status === 'QUEUED' ? null : words.upload.onlyQueued),
      },
      ...(image.upload !== null && !isStored(image) && status !== 'IMPORTING'
        ? [{ label: words.upload.cancelUpload, onSelect: open('cancelUpload'), disabledReason: refused(image, may.upload) }]
        : []),
      {
        label: words.download.action,
        onSelect: () => void download(image),
        disabledReason: !may.download
          ? words.notAllowed
          : !isStored(image)
            ? words.download.noData
            : status === 'DEACTIVATED' && !isAdmin
              ? words.download.deactivated
              : null,
      },
      status === 'DEACTIVATED'
        ? {
            label: words.active.reactivate,
            onSelect: () => void activate(image),
            disabledReason: refused(image, may.setActive),
          }
        : {
            label: words.active.deactivate,
            onSelect: open('deactivate'),
            disabledReason: refused(image, may.setActive) ?? (isStored(image) ? null : words.active.noData),
          },
      {
        label: words.delete.action,
        onSelect: open('delete'),
        disabledReason:
          refused(image, may.delete) ?? (image.protected ? words.delete.protected : status === 'IMPORTING' ? words.delete.checked : null),
        isDanger: true,
      },
    ]
  }

  const dialogOf = ({ kind, image }: Opened): ReactNode => {
    const name = imageName(image)
    switch (kind) {
      case 'edit':
        return <WithDetails id={image.id}>{(details) => <EditImageDialog image={details} onClose={close} />}</WithDetails>
      case 'properties':
        return <WithDetails id={image.id}>{(details) => <ImagePropertiesDialog image={details} onClose={close} />}</WithDetails>
      case 'upload':
        return <UploadImageDialog image={image} onClose={close} onDone={uploaded} onChanged={onChanged} />
      case 'cancelUpload':
        return (
          <ConfirmDialog
            title={words.upload.cancelTitle}
            confirmLabel={words.upload.cancelUpload}
            onClose={close}
            onConfirm={async () => {
              const uploadId = image.upload?.id
              if (uploadId !== undefined) await cancelUpload({ variables: { input: { uploadId, idempotencyKey: randomKey() } } })
              showToast('success', words.upload.cancelled)
              onChanged()
            }}
          >
            <p>{words.upload.cancelHint}</p>
          </ConfirmDialog>
        )
      case 'deactivate':
        return (
          <ConfirmDialog
            title={words.active.deactivateTitle}
            confirmLabel={words.active.deactivate}
            onClose={close}
            onConfirm={async () => {
              await setActive({ variables: { input: { imageId: image.id, active: false, idempotencyKey: randomKey() } } })
              showToast('success', words.active.deactivated(name))
            }}
          >
            <p className="kn-break">{words.active.deactivateHint(name)}</p>
          </ConfirmDialog>
        )
      case 'delete':
        return (
          <ConfirmDialog
            title={words.delete.title}
            confirmLabel={words.delete.action}
            onClose={close}
            onConfirm={async () => {
              await remove({ variables: { input: { imageId: image.id, idempotencyKey: randomKey() } } })
              showToast('success', words.delete.done(name))
              await onDeleted()
            }}
          >
            <p className="kn-break">{words.delete.hint(name)}</p>
          </ConfirmDialog>
        )
    }
  }
  return { actionsOf, dialog: opened === null ? null : dialogOf(opened), refused }
}
