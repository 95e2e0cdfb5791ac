/** Relay connections: one shape for every list (contract rule 3). */
import { ArgsType, type ClassType, Field, Int, InterfaceType, ObjectType } from 'type-graphql'
import type { Page } from '../db/paging.js'

@ObjectType({ description: 'Where a page lies in its list. Paging goes forward only.', simpleResolvers: true })
export class PageInfo {
  @Field(() => Boolean)
  hasNextPage!: boolean
  @Field(() => Boolean)
  hasPreviousPage!: boolean
  @Field(() => String, { nullable: true })
  startCursor!: string | null
  @Field(() => String, { nullable: true, description: 'Pass as after to get the next page.' })
  endCursor!: string | null
}

@InterfaceType({
  description: 'A page of a list. Lists are stable under concurrent changes: cursors name the sort key values of an item.',
})
export abstract class Connection {
  @Field(() => PageInfo)
  pageInfo!: PageInfo
  @Field(() => Int, { description: 'Items over all pages that match the filter, counted over the cells that answered.' })
  totalCount!: number
  @Field(() => Boolean, {
    description: 'True when a cell did not answer, so items may be missing or reduced to what is known centrally.',
  })
  isPartial!: boolean
}

@InterfaceType({ description: 'An item of a page with the cursor to continue after it.' })
export abstract class Edge {
  @Field(() => String, { description: 'Opaque; only valid with the same filter and order.' })
  cursor!: string
}

/** The connection and edge types of one noun. */
export function connectionOf<T extends object>(node: () => ClassType<T>, typeName: string, plural: string) {
  @ObjectType(`${typeName}Edge`, { implements: Edge, description: `One of the ${plural} with its cursor.`, simpleResolvers: true })
  class EdgeType extends Edge {
    @Field(node)
    node!: T
  }
  @ObjectType(`${typeName}Connection`, { implements: Connection, description: `One page of ${plural}.` })
  class ConnectionType {
    constructor(readonly page: Page<T>) {}
    @Field(() => [EdgeType])
    edges(): readonly EdgeType[] {
      return this.page.edges
    }
    @Field(() => [node()])
    nodes(): T[] {
      return this.page.edges.map((edge) => edge.node)
    }
    @Field(() => PageInfo)
    pageInfo(): PageInfo {
      const { edges, hasNextPage, hasPreviousPage } = this.page
      return { hasNextPage, hasPreviousPage, startCursor: edges[0]?.cursor ?? null, endCursor: edges.at(-1)?.cursor ?? null }
    }
    @Field(() => Int)
    totalCount(): Promise<number> {
      return this.page.totalCount()
    }
    @Field(() => Boolean)
    isPartial(): boolean {
      return this.page.isPartial
    }
  }
  return ConnectionType
}

/** The arguments of a list: `first`, `after`, `filter`, `orderBy`. */
export function listArgs<F extends object, O extends object>(filter: () => ClassType<F>, order: () => ClassType<O>) {
  @ArgsType()
  class ListArgs {
    @Field(() => Int, { nullable: true, defaultValue: 50, description: 'At most 1000.' })
    first!: number
    @Field(() => String, { nullable: true, description: 'Cursor.' })
    after?: string | null
    @Field(filter, { nullable: true, description: 'Filter.' })
    filter?: F | null
    @Field(() => [order()], { nullable: true, description: 'Sort keys.' })
    orderBy?: O[] | null
  }
  return ListArgs
}
