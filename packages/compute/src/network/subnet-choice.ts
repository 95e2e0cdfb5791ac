/** Picks addresses for guests that nothing on or around this host uses: a wrong choice would cut the host off from its own network. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import ipaddr from 'ipaddr.js'
import { z } from 'zod'

const execute = promisify(execFile)
const prefixLength = 20

/** Private ranges, the least usual ones first; container tools, home routers and clouds like the low ones. */
function* candidates(): Generator<string> {
  for (let second = 96; second < 192; second++) yield `10.${second}.0.0`
  for (let second = 31; second >= 16; second--) yield `172.${second}.240.0`
  for (let third = 208; third >= 16; third -= 16) yield `192.168.${third}.0`
}

/**
 * The first free /20. `taken` are routes and addresses as text (`10.0.0.0/8`, `192.0.2.7`); what is no IPv4 network of its own, such
 * as `default`, does not count. Throws when all are taken.
 */
export function chooseSubnet(taken: readonly string[]): string {
  const ranges = taken.map(rangeOf).filter((range) => range !== null)
  for (const candidate of candidates()) {
    const wanted = rangeOf(`${candidate}/${prefixLength}`)
    if (wanted !== null && !ranges.some((range) => range.first <= wanted.last && wanted.first <= range.last)) {
      return `${candidate}/${prefixLength}`
    }
  }
  throw new Error('No private IPv4 network is free on this host: all candidates overlap its routes or addresses.')
}

/** What a choice must not overlap on this host: routes of all tables, addresses, and name servers that are behind the default route. */
export async function takenNetworks(): Promise<string[]> {
  const [routes, addresses, nameServers] = await Promise.all([
    ip(['-j', 'route', 'show', 'table', 'all'], z.array(z.object({ dst: z.string().optional(), gateway: z.string().optional() }))),
    ip(
      ['-j', 'addr'],
      z.array(z.object({ addr_info: z.array(z.object({ local: z.string().optional(), prefixlen: z.number() })).default([]) })),
    ),
    readFile('/etc/resolv.conf', 'utf8').catch(() => ''),
  ])
  return [
    ...routes.flatMap((route) => [route.dst, route.gateway]),
    ...addresses.flatMap((link) =>
      link.addr_info.map(({ local, prefixlen }) => (local === undefined ? undefined : `${local}/${prefixlen}`)),
    ),
    ...[...nameServers.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1]),
  ].filter((text) => text !== undefined)
}

async function ip<T>(args: string[], shape: z.ZodType<T>): Promise<T> {
  const { stdout } = await execute('ip', args, { maxBuffer: 64 * 2 ** 20 })
  return shape.parse(JSON.parse(stdout.trim() === '' ? '[]' : stdout))
}

interface Range {
  first: number
  last: number
}

function rangeOf(text: string): Range | null {
  const [address = '', length = '32'] = text.split('/')
  if (!ipaddr.IPv4.isValidFourPartDecimal(address)) return null
  const bits = Number(length)
  // A route to everything takes nothing.
  if (!Number.isInteger(bits) || bits < 1 || bits > 32) return null
  const size = 2 ** (32 - bits)
  const number = ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0)
  const first = number - (number % size)
  return { first, last: first + size - 1 }
}
