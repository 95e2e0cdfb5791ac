/** One VNC client and its own connection to the guest's screen: bytes both ways, each side held back by the other. */
import type { Socket } from 'node:net'
import type { ClientSocket } from './client-socket.js'
import { RfbViewFilter } from './rfb-view-filter.js'

export interface VncPipeOptions {
  client: ClientSocket
  backend: Socket
  mode: 'CONTROL' | 'VIEW'
  /** The guest's side has ended. */
  onBackendEnd: () => void
  /** A viewer sent something that cannot be let through. */
  onUnacceptable: (reason: string) => void
}

export function openVncPipe({ client, backend, mode, onBackendEnd, onUnacceptable }: VncPipeOptions): void {
  const filter = mode === 'VIEW' ? new RfbViewFilter() : null
  backend.on('data', (chunk: Buffer) => {
    client.send(chunk)
    if (client.full) backend.pause()
  })
  client.onRoom(() => backend.resume())
  backend.on('drain', () => client.resumeInput())
  backend.once('close', onBackendEnd)
  client.onClose(() => backend.destroy())
  client.deliver((data) => {
    let passed: Buffer
    try {
      passed = filter === null ? data : filter.push(data)
    } catch (error) {
      backend.destroy()
      onUnacceptable(error instanceof Error ? error.message : String(error))
      return
    }
    if (passed.length > 0 && backend.writable && !backend.write(passed)) client.pauseInput()
  })
  backend.resume()
}
