/** What operations are called, and which of them consist of others. */
import type { OperationFieldsFragment } from '../generated/graphql.js'
import { words } from '../lib/format.js'

/** "Create web-1". */
export function operationName({ kind, server, image }: OperationFieldsFragment): string {
  const target = server?.name ?? image?.name
  return target === null || target === undefined ? words(kind) : `${words(kind)} ${target}`
}

/** Several servers are made, or acted on, by parts of one operation. */
export const isParent = ({ kind, serverId }: OperationFieldsFragment): boolean =>
  kind === 'BULK' || (kind === 'CREATE' && serverId === null)
