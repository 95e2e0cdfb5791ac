/** The scalars of the contract. Times are milliseconds inside and ISO 8601 with milliseconds outside. */
import { isIP } from 'node:net'
import { GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import ipaddr from 'ipaddr.js'

interface ScalarRule<T> {
  name: string
  description: string
  parse: (value: string) => T | null
  serialize?: (value: unknown) => unknown
}

function textScalar<T>(rule: ScalarRule<T>): GraphQLScalarType<T, unknown> {
  const parse = (value: unknown): T => {
    const parsed = typeof value === 'string' ? rule.parse(value) : null
    if (parsed === null) throw new TypeError(`${rule.name} cannot represent ${JSON.stringify(value)?.slice(0, 80)}`)
    return parsed
  }
  return new GraphQLScalarType<T, unknown>({
    name: rule.name,
    description: rule.description,
    serialize: rule.serialize ?? ((value) => value),
    parseValue: parse,
    parseLiteral: (node) => parse(node.kind === Kind.STRING || node.kind === Kind.INT ? node.value : null),
  })
}

const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/

export const DateTime = textScalar<number>({
  name: 'DateTime',
  description: 'Date and time, ISO 8601 in UTC, for example 2026-08-21T09:30:00.000Z.',
  parse: (value) => (isoTime.test(value) && !Number.isNaN(Date.parse(value)) ? Date.parse(value) : null),
  serialize: (value) => new Date(value as number).toISOString(),
})

export const BigInteger = textScalar<number>({
  name: 'BigInt',
  description: 'Integer beyond 32 bits, sent as a decimal string.',
  parse: (value) => (/^-?\d{1,15}$/.test(value) ? Number(value) : null),
  serialize: (value) => String(value),
})

export const Base64 = textScalar<string>({
  name: 'Base64',
  description: 'Bytes in standard base64 with padding.',
  parse: (value) => (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value) ? value : null),
})

export const IPAddress = textScalar<string>({
  name: 'IPAddress',
  description: 'IPv4 or IPv6 address.',
  parse: (value) => (isIP(value) === 0 ? null : ipaddr.parse(value).toString()),
})

export const MACAddress = textScalar<string>({
  name: 'MACAddress',
  description: 'MAC address, six lower-case hex pairs with colons.',
  parse: (value) => (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(value) ? value : null),
})

export const CIDR = textScalar<string>({
  name: 'CIDR',
  description: 'IPv4 or IPv6 network in prefix notation, for example 10.0.0.0/24.',
  parse: (value) => (ipaddr.isValidCIDR(value) ? value : null),
})

function literalToJson(node: ValueNode): unknown {
  switch (node.kind) {
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, literalToJson(field.value)]))
    case Kind.LIST:
      return node.values.map(literalToJson)
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value)
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value
    case Kind.NULL:
    case Kind.VARIABLE:
      return null
  }
}

export const JsonValue = new GraphQLScalarType({
  name: 'JSON',
  description: 'Free-form JSON, only where the shape belongs to somebody else.',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: literalToJson,
})
