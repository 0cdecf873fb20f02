/** Linear's lists: pages of nodes with a cursor, and how to walk through them without walking for ever. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { LinearBadResponse } from "../LinearError.ts"

export const PageInfo = Schema.Struct({
  hasNextPage: Schema.Boolean,
  endCursor: Schema.optional(Schema.NullOr(Schema.String))
})

/** Nodes are decoded one by one, so that an odd one costs only itself. */
export const Page = Schema.Struct({ nodes: Schema.Array(Schema.Unknown), pageInfo: PageInfo })
export type Page = typeof Page.Type

/** Every list that is walked through ends here: at 50 on a page, more than the hourly budget could poll anyway. */
export const maxPages = 200

const broken = (what: string, problem: string) =>
  Effect.fail(new LinearBadResponse({ message: `the list of ${what} cannot be read to its end: ${problem}` }))

/** All pages of a list of `what`, in order. An incomplete list is a failure, never a shorter list. */
export const walk = Effect.fnUntraced(function* <P extends Pick<Page, "pageInfo">, E, R>(
  what: string,
  page: (after: string | null) => Effect.Effect<P, E, R>
): Effect.fn.Return<ReadonlyArray<P>, E | LinearBadResponse, R> {
  const pages: Array<P> = []
  const cursors = new Set<string>()
  let after: string | null = null
  while (true) {
    const next: P = yield* page(after)
    pages.push(next)
    if (!next.pageInfo.hasNextPage) return pages
    const cursor: string | null = next.pageInfo.endCursor ?? null
    if (cursor === null || cursor === "") return yield* broken(what, "Linear promised more and gave no cursor")
    if (cursors.has(cursor)) return yield* broken(what, "Linear gave the same cursor twice")
    if (pages.length >= maxPages) return yield* broken(what, `it has more than ${maxPages} pages`)
    cursors.add(cursor)
    after = cursor
  }
})
