/**
 * Finds the conversations of an issue on the server by the tag that they were created with: for issues whose workspace,
 * which names the conversation otherwise, is gone.
 */
import * as Effect from "effect/Effect"
import type { ApiError } from "../client/ApiError.ts"
import type { Connection } from "../client/Connection.ts"
import * as ConversationInfo from "../client/ConversationInfo.ts"
import { patiently } from "../client/Patience.ts"

const pageSize = 100
const maxPages = 20
const timeoutMs = 60_000

/** The newest conversation that is tagged with this identifier; null when none of the newest 2000 is. */
export const newest = Effect.fnUntraced(function* (
  { request }: Connection,
  identifier: string
): Effect.fn.Return<ConversationInfo.ConversationInfo | null, ApiError> {
  const visited = new Set<string>()
  let from: string | null = null
  for (let pages = 0; pages < maxPages; pages++) {
    const body: unknown = yield* patiently(
      request({
        operation: "list conversations",
        method: "GET",
        path:
          `/api/conversations/search?limit=${pageSize}&sort_order=CREATED_AT_DESC` +
          (from === null ? "" : `&page_id=${encodeURIComponent(from)}`),
        timeoutMs
      })
    )
    const { items, next_page_id: next } = body as { readonly [name: string]: unknown }
    for (const item of Array.isArray(items) ? items : []) {
      const info = ConversationInfo.decode(item)
      if (info === null) continue
      if (info.tags["issue"] === identifier.slice(0, 256)) return info
      if (visited.has(info.id)) return null
      visited.add(info.id)
    }
    if (typeof next !== "string" || next === "") return null
    from = next
  }
  return null
})
