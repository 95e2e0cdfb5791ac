/** A unix socket server that exists while somebody may need it: made on demand, gone with its clients when closed. */
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'

export interface SocketServer {
  readonly path: string
  readonly clients: ReadonlySet<Socket>
  close(): void
}

export function openSocketServer(path: string, onClient: (client: Socket) => void): Promise<SocketServer> {
  // A process that was killed leaves its socket's file behind.
  rmSync(path, { force: true })
  const clients = new Set<Socket>()
  const server = createServer((client) => {
    clients.add(client)
    client.once('close', () => clients.delete(client))
    // A client that goes away in the middle of an answer is no fault here.
    client.on('error', () => {})
    onClient(client)
  })
  const close = (): void => {
    server.close()
    for (const client of clients) client.destroy()
    rmSync(path, { force: true })
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, backlog: 16 }, () => {
      server.unref()
      resolve({ path, clients, close })
    })
  })
}
