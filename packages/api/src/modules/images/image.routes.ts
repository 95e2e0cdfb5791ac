/** Image bytes over HTTP: `PUT /images/uploads/<upload>` and `GET /images/<image>`, each with a ticket. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CloudError, errorCodes } from '@kilonova/contract/errors'
import type { Logger } from '@kilonova/runtime/logger'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { formatError } from '../../graphql/errors.js'
import type { ImageService } from './image.service.js'

interface Params {
  id: string
}
interface Query {
  ticket?: string
}

const refused = (): CloudError => new CloudError('FORBIDDEN', 'The ticket does not open this object, or has expired.')

export function registerImageRoutes(app: FastifyInstance, images: ImageService, log: Logger): void {
  const answer = (reply: FastifyReply, error: unknown, requestId: string) => {
    const { message, extensions } = formatError({ message: '' }, error, requestId, log)
    return reply.code(Number(extensions?.httpStatus ?? errorCodes.INTERNAL.httpStatus)).send({ message, ...extensions })
  }

  app.register(async (scope) => {
    // Bodies are streamed to disk as they come, whatever their declared type.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))

    scope.put<{ Params: Params; Querystring: Query }>(
      '/images/uploads/:id',
      { bodyLimit: Number.MAX_SAFE_INTEGER },
      async (request, reply) => {
        try {
          if ((await images.admits(request.query.ticket ?? '', request.params.id, 'PUT')) === null) throw refused()
          const range = /^bytes (\d+)-/.exec(request.headers['content-range'] ?? '')
          const upload = await images.uploads.receive(request.params.id, request.raw, Number(range?.[1] ?? 0))
          return reply.code(200).send({ state: upload.state, receivedBytes: upload.received_bytes })
        } catch (error) {
          return answer(reply, error, request.id)
        }
      },
    )

    scope.get<{ Params: Params; Querystring: Query }>('/images/:id', async (request, reply) => {
      // The dashboard's page of an image has this address too; nobody asks for its data without a ticket.
      if (request.query.ticket === undefined && (request.headers.accept ?? '').includes('text/html')) return reply.callNotFound()
      try {
        const admission = await images.admits(request.query.ticket ?? '', request.params.id, 'GET')
        if (admission === null) throw refused()
        const image = await images.describe(request.params.id)
        const readable = image?.status === 'ACTIVE' || (image?.status === 'DEACTIVATED' && admission.evenDeactivated)
        if (image === null || !readable) throw CloudError.notFound('Image', request.params.id)
        const path = images.fileOf(image.id)
        const { size } = await stat(path)
        return reply
          .header('content-type', 'application/octet-stream')
          .header('content-length', size)
          .header('content-disposition', `attachment; filename="${image.id}.${(image.disk_format ?? 'raw').toLowerCase()}"`)
          .header('referrer-policy', 'no-referrer')
          .send(createReadStream(path))
      } catch (error) {
        return answer(reply, error, request.id)
      }
    })
  })
}
