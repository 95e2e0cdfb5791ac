/** Task `import_image`: checks received bytes and makes them an image. Runs in the super-conductor. */
import { stat } from 'node:fs/promises'
import { CloudError } from '@kilonova/contract/errors'
import { payload } from '@kilonova/contract/events'
import { inspectImage } from '@kilonova/runtime/format-inspector/inspect'
import { z } from 'zod'
import type { Database } from '../../db/database.js'
import type { ApiSchema } from '../../db/schemas.js'
import { operationUpdate } from '../../events/operation-update.js'
import type { OutboxEntry } from '../../events/outbox.js'
import type { SagaDefinition, SagaRun } from '../saga.js'

/** Where the bytes of uploads and images lie. */
export interface ImageFiles {
  sealedOf(uploadId: string): string
  seal(uploadId: string): Promise<void>
  sizeOfPart(uploadId: string): Promise<number | null>
  sha256(path: string): Promise<string>
  /** Makes an upload the image's data. Safe to repeat. */
  publish(uploadId: string, imageId: string): Promise<void>
  removePart(uploadId: string): Promise<void>
}

export const importImageState = z.object({
  uploadId: z.string(),
  imageId: z.string(),
  sizeBytes: z.number().optional(),
  virtualSizeBytes: z.number().optional(),
  hashValue: z.string().optional(),
})
export type ImportImageState = z.infer<typeof importImageState>
type Run = SagaRun<ImportImageState>

const rejected = (message: string): CloudError => new CloudError('IMAGE_REJECTED', message, { exception: 'ImageUnacceptable' })

export function importImageTask(db: Database<ApiSchema>, store: ImageFiles): SagaDefinition<ImportImageState, ApiSchema> {
  const operationOf = (run: Run) => ({ operationId: run.operationId, projectId: run.projectId, requestId: run.requestId })
  const imageEvent = (run: Run): OutboxEntry => ({
    eventType: 'image.update',
    subject: 'IMAGE',
    subjectId: run.state.imageId,
    projectId: run.projectId,
    requestId: run.requestId,
    operationId: run.operationId,
    payload: payload('ImagePayload', { id: run.state.imageId }),
  })

  return {
    kind: 'import_image',
    state: importImageState,
    pivot: 'publish',
    steps: [
      {
        name: 'verify',
        event: 'verify_image',
        progress: 70,
        async action(run) {
          const image = await db.read.selectFrom('images').selectAll().where('id', '=', run.state.imageId).executeTakeFirstOrThrow()
          const upload = await db.read
            .selectFrom('image_uploads')
            .selectAll()
            .where('id', '=', run.state.uploadId)
            .executeTakeFirstOrThrow()
          const received = await store.sizeOfPart(upload.id)
          if (received === null || received === 0) throw rejected('The upload holds no bytes.')
          await store.seal(upload.id)
          const path = store.sealedOf(upload.id)
          const { size } = await stat(path)
          if (upload.size_bytes !== null && upload.size_bytes !== size)
            throw rejected(`${upload.size_bytes} bytes were announced, ${size} arrived.`)
          const hashValue = await store.sha256(path)
          if (upload.checksum !== null && upload.checksum !== `sha256:${hashValue}`) {
            throw rejected(`The checksum of the data is sha256:${hashValue}, not the announced one.`)
          }
          const found = await inspectImage(path)
          if (found.refusal !== null) throw rejected(found.refusal)
          if (found.format.toUpperCase() !== image.disk_format) {
            throw rejected(`The data is ${found.format.toUpperCase()}, but the image says ${image.disk_format}.`)
          }
          return { kind: 'done', patch: { sizeBytes: size, virtualSizeBytes: found.virtualSizeBytes, hashValue } }
        },
      },
      {
        name: 'publish',
        event: 'store_image',
        progress: 100,
        async action(run) {
          await store.publish(run.state.uploadId, run.state.imageId)
          return { kind: 'done' }
        },
      },
    ],

    finish: (run) => async (trx) => {
      await trx
        .updateTable('images')
        .set((eb) => ({
          status: 'ACTIVE',
          size_bytes: run.state.sizeBytes ?? null,
          virtual_size_bytes: run.state.virtualSizeBytes ?? null,
          hash_value: run.state.hashValue ?? null,
          generation: eb('generation', '+', 1),
          updated_at: db.now,
        }))
        .where('id', '=', run.state.imageId)
        .execute()
      await trx.updateTable('image_uploads').set({ state: 'COMPLETED' }).where('id', '=', run.state.uploadId).execute()
      return [imageEvent(run), operationUpdate(operationOf(run), { state: 'SUCCEEDED', progress: 100 })]
    },

    async unwound(run, failure, cancelled) {
      await store.removePart(run.state.uploadId)
      const { step: _step, hostAtFault: _hostAtFault, ...error } = failure
      return {
        kind: 'end',
        commit: async (trx) => {
          await trx
            .updateTable('image_uploads')
            .set({
              state: 'FAILED',
              error: JSON.stringify({ code: error.code, message: error.message, exception: error.exception ?? null }),
            })
            .where('id', '=', run.state.uploadId)
            .execute()
          await trx.updateTable('images').set({ status: 'QUEUED', updated_at: db.now }).where('id', '=', run.state.imageId).execute()
          return [imageEvent(run), operationUpdate(operationOf(run), { state: cancelled ? 'CANCELLED' : 'FAILED', error })]
        },
      }
    },
  }
}
