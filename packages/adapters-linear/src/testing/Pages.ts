/** Connections: Linear's order, its bounds of a page, and cursors that stay good when entities come and go. */
import type { Entity } from "./Entities.ts"
import { invalidArgument, Unimplemented } from "./Refusal.ts"

/** The arguments that all connections share. */
export interface PageArguments {
  readonly first?: number | null
  readonly last?: number | null
  readonly after?: string | null
  readonly before?: string | null
  readonly includeArchived?: boolean | null
  readonly orderBy?: string | null
}

/** Lies about pages. */
export type PageFault = "missingCursor" | "repeatedCursor" | "endlessPages" | "duplicateAcrossPages"

export interface PageOptions {
  readonly fault?: PageFault | undefined
  /** Tells one endless page from the next. */
  readonly nonce?: number
}

export interface Connection<A> {
  readonly nodes: ReadonlyArray<A>
  readonly edges: ReadonlyArray<{ readonly node: A; readonly cursor: string }>
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

const defaultSize = 50
const largestSize = 250

/** The page that the arguments ask for: newest first, archived entities only when asked for. */
export function page<A extends Entity>(
  entities: ReadonlyArray<A>,
  args: PageArguments,
  options: PageOptions = {}
): Connection<A> {
  const { first, last } = args
  for (const [name, size] of [
    ["first", first],
    ["last", last]
  ] as const) {
    if (size != null && (size < 1 || size > largestSize)) {
      throw invalidArgument(`${name} must be between 1 and ${largestSize}`)
    }
  }
  if (first != null && last != null) throw invalidArgument("first and last cannot be used together")
  const order = args.orderBy ?? "createdAt"
  if (order !== "createdAt" && order !== "updatedAt") throw new Unimplemented(`orderBy: ${order}`)
  const key = (entity: A): Key => [entity[order], entity.sequence]
  const sorted = entities
    .filter(({ archivedAt }) => args.includeArchived === true || archivedAt === null)
    .sort((a, b) => compare(key(a), key(b)))
  const endless = options.fault === "endlessPages"
  const after = args.after == null || endless ? null : decode(args.after)
  const before = args.before == null ? null : decode(args.before)
  const overlap = options.fault === "duplicateAcrossPages" && after !== null
  const within = sorted.filter((entity) => {
    const isAfter = after === null || compare(key(entity), after) > 0 || (overlap && compare(key(entity), after) === 0)
    return isAfter && (before === null || compare(key(entity), before) < 0)
  })
  const size = first ?? last ?? defaultSize
  const nodes = last == null ? within.slice(0, size) : within.slice(-size)
  const edges = nodes.map((node) => ({ node, cursor: encode(key(node)) }))
  const more = within.length > nodes.length
  const pageInfo = {
    hasNextPage: last == null ? more : before !== null,
    hasPreviousPage: last == null ? after !== null : more,
    startCursor: edges[0]?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null
  }
  return { nodes, edges, pageInfo: { ...pageInfo, ...lie(pageInfo.endCursor, args, options) } }
}

function lie(endCursor: string | null, args: PageArguments, { fault, nonce = 0 }: PageOptions) {
  switch (fault) {
    case "missingCursor":
      return { hasNextPage: true, endCursor: null }
    case "repeatedCursor":
      return { hasNextPage: true, endCursor: args.after ?? endCursor }
    case "endlessPages":
      return { hasNextPage: true, endCursor: encode([-1, nonce]) }
    default:
      return {}
  }
}

/** An instant and the sequence of the entity. */
type Key = readonly [number, number]

const compare = (a: Key, b: Key): number => b[0] - a[0] || b[1] - a[1]

const encode = (key: Key): string => Buffer.from(`after:${key.join(":")}`).toString("base64url")

function decode(cursor: string): Key {
  const [, at, sequence] = /^after:(-?\d+):(\d+)$/.exec(Buffer.from(cursor, "base64url").toString()) ?? []
  if (at === undefined || sequence === undefined) throw invalidArgument(`"${cursor}" is not a cursor`)
  return [Number(at), Number(sequence)]
}
