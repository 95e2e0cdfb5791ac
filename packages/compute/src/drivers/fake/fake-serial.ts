/**
 * The serial port of a simulated guest. As with a real hypervisor one client is served at a time, the next waits until it has gone, and
 * nobody is shown what was written before.
 * Behind it sits a tiny shell with `help`, `hostname` and `echo`.
 */
import type { Socket } from 'node:net'
import { openSocketServer, type SocketServer } from './socket-server.js'

export interface FakeSerialOptions {
  path: string
  hostname: string
  /** The guest writes something: it belongs into its console log. */
  onOutput: (text: string) => void
}

const backspace = 0x7f
const longestLine = 4096

export async function openFakeSerial(options: FakeSerialOptions): Promise<SocketServer> {
  const waiting: Socket[] = []
  let served: Socket | null = null

  const serve = (client: Socket): void => {
    served = client
    let line = ''
    const print = (text: string): void => {
      options.onOutput(text)
      // A client that reads nothing must not fill our memory: the guest stops listening to it instead.
      if (!client.write(text)) client.pause()
    }
    client.on('drain', () => client.resume())
    client.on('data', (bytes: Buffer) => {
      let echo = ''
      for (const byte of bytes) {
        if (byte === 0x0d || byte === 0x0a) {
          echo += `\r\n${answerOf(line, options.hostname)}${options.hostname}:~# `
          line = ''
        } else if (byte === backspace || byte === 0x08) {
          if (line !== '') echo += '\b \b'
          line = line.slice(0, -1)
        } else if (byte >= 0x20 && byte < 0x7f && line.length < longestLine) {
          const letter = String.fromCharCode(byte)
          echo += letter
          line += letter
        }
      }
      if (echo !== '') print(echo)
    })
    client.once('close', () => {
      served = null
      const next = waiting.shift()
      if (next !== undefined) serve(next)
    })
    client.resume()
  }

  return openSocketServer(options.path, (client) => {
    if (served === null) return serve(client)
    client.pause()
    waiting.push(client)
    client.once('close', () => {
      const place = waiting.indexOf(client)
      if (place >= 0) waiting.splice(place, 1)
    })
  })
}

function answerOf(line: string, hostname: string): string {
  const [command = '', ...words] = line.trim().split(/\s+/)
  switch (command) {
    case '':
      return ''
    case 'help':
      return 'help  hostname  echo\r\n'
    case 'hostname':
      return `${hostname}\r\n`
    case 'echo':
      return `${words.join(' ')}\r\n`
    default:
      return `${command}: not found\r\n`
  }
}
