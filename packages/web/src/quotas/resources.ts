/** How limits are named and counted for people. */
import type { QuotaResource } from '../generated/graphql.js'
import { formatMb } from '../lib/format.js'
import { text } from '../text/text.js'

interface ResourceWords {
  label: string
  /** Label of an input, with the unit. */
  input: string
  /** Shared limits have use and a bar; the others hold for each server or user. */
  isShared: boolean
  format: (amount: number) => string
}

const { resources: names, unlimited } = text.quotas

export const resourceWords: Record<QuotaResource, ResourceWords> = {
  SERVERS: { ...names.SERVERS, isShared: true, format: String },
  CORES: { ...names.CORES, isShared: true, format: String },
  RAM_MB: { ...names.RAM_MB, isShared: true, format: formatMb },
  METADATA_ITEMS: { ...names.METADATA_ITEMS, isShared: false, format: String },
  KEY_PAIRS: { ...names.KEY_PAIRS, isShared: false, format: String },
}

export const formatLimit = (resource: QuotaResource, limit: number): string =>
  limit < 0 ? unlimited : resourceWords[resource].format(limit)
