/**
 * The log of a conversation over REST, in whole events: its newest part, and from there what is added. Forward reading
 * asks for what came after the last known event, so that following costs what is new and not what is old.
 */
import * as Effect from "effect/Effect"
import type { ApiError } from "../client/ApiError.ts"
import type { Connection } from "../client/Connection.ts"
import { patiently } from "../client/Patience.ts"
import * as TranscriptEntry from "./TranscriptEntry.ts"

export interface Excerpt {
  /** Oldest first. */
  readonly entries: ReadonlyArray<TranscriptEntry.TranscriptEntry>
  /** The newest event, shown or not: where {@link since} goes on. Null: there is none yet. */
  readonly last: string | null
  /** Whether there may be older entries. */
  readonly cut: boolean
}

const pageSize = 100
/** Most events are no entries, so more pages may be needed than the entries alone would. */
const pagesPerEntries = 4
const leastPages = 3
const maxForwardPages = 20
const timeoutMs = 30_000

interface Page {
  readonly items: ReadonlyArray<unknown>
  readonly next: string | null
}

const page = (
  { request }: Connection,
  conversation: string,
  order: "TIMESTAMP" | "TIMESTAMP_DESC",
  from: string | null
): Effect.Effect<Page, ApiError> =>
  Effect.map(
    request({
      operation: "list events",
      method: "GET",
      path:
        `/api/conversations/${encodeURIComponent(conversation)}/events/search?limit=${pageSize}&sort_order=${order}` +
        (from === null ? "" : `&page_id=${encodeURIComponent(from)}`),
      timeoutMs
    }),
    (body) => {
      const { items, next_page_id: next } = body as { readonly [name: string]: unknown }
      return { items: Array.isArray(items) ? items : [], next: typeof next === "string" && next !== "" ? next : null }
    }
  )

/** The newest `limit` entries. */
export const newest = Effect.fnUntraced(function* (
  connection: Connection,
  conversation: string,
  limit: number
): Effect.fn.Return<Excerpt, ApiError> {
  const entries: Array<TranscriptEntry.TranscriptEntry> = []
  const visited = new Set<string>()
  const maxPages = leastPages + Math.ceil((pagesPerEntries * limit) / pageSize)
  let last: string | null = null
  let from: string | null = null
  for (let pages = 0; pages < maxPages; pages++) {
    const { items, next }: Page = yield* patiently(page(connection, conversation, "TIMESTAMP_DESC", from))
    for (const item of items) {
      const id = TranscriptEntry.idOf(item)
      last ??= id
      // A page id that the server does not know makes it begin again from the newest.
      if (id !== null && visited.has(id)) return { entries: entries.toReversed(), last, cut: true }
      if (id !== null) visited.add(id)
      const entry = TranscriptEntry.fromJson(item)
      if (entry === null) continue
      if (entries.length === limit) return { entries: entries.toReversed(), last, cut: true }
      entries.push(entry)
    }
    if (next === null) return { entries: entries.toReversed(), last, cut: false }
    from = next
  }
  return { entries: entries.toReversed(), last, cut: true }
})

/** What came after the event `last`, or everything when that is null; what is more than some pages is left to the next call. */
export const since = Effect.fnUntraced(function* (
  connection: Connection,
  conversation: string,
  last: string | null
): Effect.fn.Return<Excerpt, ApiError> {
  const entries: Array<TranscriptEntry.TranscriptEntry> = []
  let newestId = last
  let from = last
  for (let pages = 0; pages < maxForwardPages; pages++) {
    const { items, next }: Page = yield* page(connection, conversation, "TIMESTAMP", from)
    // The page begins with the event that was asked for; where it is not known, it begins with the oldest of all.
    const isKnown = from === null || TranscriptEntry.idOf(items[0]) === from
    if (!isKnown) return { entries, last: newestId, cut: true }
    for (const item of pages === 0 && last !== null ? items.slice(1) : items) {
      newestId = TranscriptEntry.idOf(item) ?? newestId
      const entry = TranscriptEntry.fromJson(item)
      if (entry !== null) entries.push(entry)
    }
    if (next === null) return { entries, last: newestId, cut: false }
    from = next
  }
  return { entries, last: newestId, cut: false }
})
