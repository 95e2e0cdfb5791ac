/** Sends a file as an image's data and follows it until the cloud has checked and stored it. */
import { useMutation, useQuery } from '@apollo/client/react'
import { useEffect, useRef, useState } from 'react'
import { operationQuery } from '../activity/operation.documents.js'
import { randomKey } from '../lib/keys.js'
import { ownOrigin } from '../lib/own-origin.js'
import { ProblemError, problemOf } from '../lib/problem.js'
import { text } from '../text/text.js'
import { cancelImageUploadMutation, createImageUploadMutation, finalizeImageUploadMutation } from './image.documents.js'

export type UploadState =
  | { stage: 'idle' }
  | { stage: 'sending'; sentBytes: number; totalBytes: number }
  | { stage: 'checking'; percent: number }
  | { stage: 'failed'; message: string }
  | { stage: 'done' }

const pollMs = 1500
const words = text.images.upload

const cancelled = (): ProblemError => new ProblemError(words.wasCancelled, { code: 'CANCELLED' })

/** PUT with progress, which `fetch` does not tell. */
function put(url: string, file: File, onProgress: (sent: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled())
    const request = new XMLHttpRequest()
    request.open('PUT', url)
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded))
    request.addEventListener('load', () => {
      if (request.status < 300) return resolve()
      let message = words.status(request.status)
      try {
        const answer: unknown = JSON.parse(request.responseText)
        if (typeof answer === 'object' && answer !== null && 'message' in answer && typeof answer.message === 'string')
          message = answer.message
      } catch {
        // An answer that is no JSON came from something in between; its status says enough.
      }
      reject(new ProblemError(message, { code: 'BAD_USER_INPUT' }))
    })
    request.addEventListener('error', () => reject(new ProblemError(words.broke, { code: 'UNREACHABLE' })))
    request.addEventListener('abort', () => reject(cancelled()))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}

export function useImageUpload() {
  const [state, setState] = useState<UploadState>({ stage: 'idle' })
  const [operationId, setOperationId] = useState<string | null>(null)
  const running = useRef<AbortController | null>(null)
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
      setState({ stage: 'failed', message: current.error?.message ?? words.refused })
    } else setState({ stage: 'checking', percent: current.progressPercent })
    if (current.finishedAt !== null) setOperationId(null)
  }, [current])

  // Whoever leaves the page while data goes out is warned: the browser would end the transfer.
  const isSending = state.stage === 'sending'
  useEffect(() => {
    if (!isSending) return
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [isSending])
  // Another page of the dashboard ends a transfer, too.
  useEffect(() => () => running.current?.abort(), [])

  const start = async (abort: AbortController, imageId: string, file: File, checksum: string | null): Promise<void> => {
    setState({ stage: 'sending', sentBytes: 0, totalBytes: file.size })
    const { data } = await createUpload({
      variables: {
        input: { imageId, sizeBytes: String(file.size), ...(checksum === null ? {} : { checksum }), idempotencyKey: randomKey() },
      },
    })
    const upload = data?.createImageUpload.upload
    if (upload === undefined) throw new ProblemError(words.none, {})
    try {
      await put(ownOrigin(upload.url), file, (sentBytes) => setState({ stage: 'sending', sentBytes, totalBytes: file.size }), abort.signal)
      if (abort.signal.aborted) throw cancelled()
    } catch (error) {
      // What came so far goes with the session; where the cloud does not hear it, the session expires.
      await cancelUpload({ variables: { input: { uploadId: upload.id, idempotencyKey: randomKey() } } }).catch(() => undefined)
      throw error
    }
    running.current = null
    const finished = await finalize({ variables: { input: { uploadId: upload.id, idempotencyKey: randomKey() } } })
    setState({ stage: 'checking', percent: 0 })
    setOperationId(finished.data?.finalizeImageUpload.operation.id ?? null)
  }
  return {
    state,
    /**
     * Runs to the point where the cloud checks the data; a failure becomes the state, and is thrown for the form to place. The signal
     * ends the transfer; when this has thrown, the cloud holds nothing of it any more.
     */
    upload: async (imageId: string, file: File, checksum: string | null, abort: AbortController): Promise<void> => {
      running.current = abort
      try {
        await start(abort, imageId, file, checksum)
      } catch (error) {
        setState({ stage: 'failed', message: problemOf(error).message })
        throw error
      }
    },
  }
}
