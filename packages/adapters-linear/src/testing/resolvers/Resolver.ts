/** How the fields of the schema are answered, and the little that resolvers share. */
import type * as Board from "../Board.ts"
import type { Entity } from "../Entities.ts"
import type { Filter } from "../Filters.ts"
import { type Connection, page, type PageArguments, type PageFault } from "../Pages.ts"
import type { RateLimitStatus } from "../RateLimits.ts"
import { Unimplemented } from "../Refusal.ts"

/** One request, as resolvers see it. */
export interface RequestContext {
  readonly board: Board.Board
  /** Who asks. */
  readonly viewerId: string
  /** Of this server, for the addresses of uploads. */
  readonly origin: string
  readonly pageFault: { readonly kind: PageFault; readonly connection?: string } | null
  /** The field that is being answered. */
  readonly field: { readonly name: string; readonly isRoot: boolean }
  /** Unique to the request. */
  readonly nonce: number
  readonly rateLimits: () => ReadonlyArray<RateLimitStatus>
}

/** The schema has checked the arguments; each resolver names the type that it says they have. */
export type Resolver = (source: never, args: never, context: RequestContext) => unknown

/** By type and field. A field that is in no table is read from the entity, and refused when it is not there either. */
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>

const pageNames: ReadonlyArray<string> = ["first", "last", "after", "before", "includeArchived", "orderBy", "filter"]

export interface ConnectionArguments extends PageArguments {
  readonly filter?: object | null
}

interface ConnectionOptions<A> {
  readonly filter?: Filter<A>
}

/** A page of those entities that the filter lets through. */
export function connection<A extends Entity>(
  entities: ReadonlyArray<A>,
  args: ConnectionArguments,
  context: RequestContext,
  options: ConnectionOptions<A> = {}
): Connection<A> {
  only(args, pageNames, "the connection")
  const { filter: wanted } = args
  const judge = options.filter
  if (wanted != null && judge === undefined) throw new Unimplemented("a filter on this connection")
  // Judged once on nothing, so that an unknown key is refused on an empty board too.
  if (wanted != null) judge?.(null, wanted, context)
  const found = wanted == null || judge === undefined ? entities : entities.filter((it) => judge(it, wanted, context))
  const { field, nonce, pageFault } = context
  const isMeant = pageFault?.connection === undefined ? field.isRoot : pageFault.connection === field.name
  return page(found, args, isMeant ? { fault: pageFault?.kind, nonce } : {})
}

/** Refuses what is set and not among the names: an argument that is ignored makes a test pass for the wrong reason. */
export function only(given: object, names: ReadonlyArray<string>, where: string): void {
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !names.includes(name)) throw new Unimplemented(`${where}: ${name}`)
  }
}

/** The fields that are always null here: the fake knows nothing of what they are about. */
export const unset = (...names: ReadonlyArray<string>): Readonly<Record<string, Resolver>> =>
  Object.fromEntries(names.map((name) => [name, () => null]))
