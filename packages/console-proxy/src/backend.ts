/** Connects to where a guest's console is: a unix socket on this host or a port. */
import { connect, type Socket } from 'node:net'
import type { ConsoleTarget } from '@kilonova/contract/rpc/agent'

export function connectBackend(target: ConsoleTarget, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      target.kind === 'unix'
        ? connect({ path: target.path })
        : connect({ host: target.host, port: target.port, noDelay: true, keepAlive: true })
    const fail = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(() => fail(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs)
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      // Whoever uses the socket waits for `close`, which follows every error.
      socket.on('error', () => {})
      socket.pause()
      resolve(socket)
    })
  })
}

export const sameTarget = (left: ConsoleTarget, right: ConsoleTarget): boolean => JSON.stringify(left) === JSON.stringify(right)
