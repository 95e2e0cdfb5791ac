/** Sends a file as an image's data and follows it until the cloud has checked and stored it. */
import { useMutation, useQuery } from '@apollo/client/react'
import { useEffect, useRef, useState } from 'react'
import { operationQuery } from '../activity/operation.documents.js'
import { randomKey } from '../lib/keys.js'
import { ownOrigin } from '../lib/own-origin.js'
import { ProblemError, problemOf } from '../lib/problem.js'
import { cancelImageUploadMutation, createImageUploadMutation, finalizeImageUploadMutation } from './image.documents.js'

export type UploadState =
  | { stage: 'idle' }
  | { stage: 'sending'; sentBytes: number; totalBytes: number }
  | { stage: 'checking'; percent: number }
  | { stage: 'failed'; message: string }
  | { stage: 'done' }

const pollMs = 1500

/** PUT with progress, which `fetch` does not tell. */
function put(url: string, file: File, onProgress: (sent: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('PUT', url)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded))
    request.addEventListener('load', () => {
      if (request.status < 300) return resolve()
      let message = `The cloud refused the data with status ${request.status}.`
      try {
        const answer: unknown = JSON.parse(request.responseText)
        if (typeof answer === 'object' && answer !== null && 'message' in answer && typeof answer.message === 'string')
          message = answer.message
      } catch {
        // An answer that is no JSON came from something in between; its status says enough.
      }
      reject(new ProblemError(message, { code: 'BAD_USER_INPUT' }))
    })
    request.addEventListener('error', () =>
      reject(new ProblemError('The connection broke while the data was sent.', { code: 'UNREACHABLE' })),
    )
    request.addEventListener('abort', () => reject(new ProblemError('The upload was cancelled.', { code: 'CANCELLED' })))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}

export function useImageUpload() {
  const [state, setState] = useState<UploadState>({ stage: 'idle' })
  const [operationId, setOperationId] = useState<string | null>(null)
  const running = useRef<{ abort: AbortController; uploadId: string | null } | null>(null)
  const [createUpload] = useMutation(createImageUploadMutation)
  const [finalize] = useMutation(finalizeImageUploadMutation)
  const [cancelUpload] = useMutation(cancelImageUploadMutation)

  const operation = useQuery(operationQuery, { variables: { id: operationId ?? '' }, skip: operationId === null, pollInterval: pollMs })
    .data?.operation
  const current = operation?.id === operationId ? operation : null
  useEffect(() => {
    if (current === null || current === undefined) return
    if (current.state === 'SUCCEEDED') setState({ stage: 'done' })
    else if (current.state === 'FAILED' || current.state === 'CANCELLED') {
      setState({ stage: 'failed', message: current.error?.message ?? 'The image was refused.' })
    } else setState({ stage: 'checking', percent: current.progressPercent })
    if (current.finishedAt !== null) setOperationId(null)
  }, [current])

  /** Leaving the page ends a transfer; the cloud keeps what it has until the session expires. */
  useEffect(() => () => running.current?.abort.abort(), [])

  const start = async (imageId: string, file: File, checksum: string | null): Promise<void> => {
    const run: { abort: AbortController; uploadId: string | null } = { abort: new AbortController(), uploadId: null }
    running.current = run
    setState({ stage: 'sending', sentBytes: 0, totalBytes: file.size })
    const { data } = await createUpload({
      variables: {
        input: { imageId, sizeBytes: String(file.size), ...(checksum === null ? {} : { checksum }), idempotencyKey: randomKey() },
      },
    })
    const upload = data?.createImageUpload.upload
    if (upload === undefined) throw new ProblemError('The cloud opened no upload.', {})
    run.uploadId = upload.id
    await put(
      ownOrigin(upload.url),
      file,
      (sentBytes) => setState({ stage: 'sending', sentBytes, totalBytes: file.size }),
      run.abort.signal,
    )
    const finished = await finalize({ variables: { input: { uploadId: upload.id, idempotencyKey: randomKey() } } })
    setState({ stage: 'checking', percent: 0 })
    setOperationId(finished.data?.finalizeImageUpload.operation.id ?? null)
  }
  return {
    state,
    /** Runs to the point where the cloud checks the data; a failure becomes the state, and is thrown for the form to place. */
    upload: async (imageId: string, file: File, checksum: string | null): Promise<void> => {
      try {
        await start(imageId, file, checksum)
      } catch (error) {
        setState({ stage: 'failed', message: problemOf(error).message })
        throw error
      }
    },
    cancel: async (): Promise<void> => {
      const run = running.current
      running.current = null
      run?.abort.abort()
      if (run?.uploadId != null) await cancelUpload({ variables: { input: { uploadId: run.uploadId, idempotencyKey: randomKey() } } })
    },
  }
}
