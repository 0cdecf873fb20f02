/** The log of a conversation read backwards over REST, as far as somebody wants to know. */
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import type { ApiError } from "../client/ApiError.ts"
import * as WireEvent from "./WireEvent.ts"

/** `stopped`: the visitor had enough. `beginning`: there is nothing older. `cut`: there is more than was to be read. */
export type WalkEnd = "stopped" | "beginning" | "cut"

/** Shows the events to `visit`, the newest first, until it answers false; at most so many pages. */
export const walkBack = Effect.fnUntraced(function* (
  api: AgentServerApi,
  conversation: string,
  maxPages: number,
  visit: (event: WireEvent.WireEvent) => boolean
): Effect.fn.Return<WalkEnd, ApiError> {
  const visited = new Set<string>()
  let pageId: string | null = null
  for (let page = 0; page < maxPages; page++) {
    const { items, nextPageId }: { items: ReadonlyArray<unknown>; nextPageId: string | null } = yield* api.newestEvents(
      conversation,
      pageId
    )
    for (const item of items) {
      const event = WireEvent.fromJson(item)
      if (event === null) continue
      if (event.id !== null) {
        // A page id that the server does not know makes it begin again from the newest.
        if (visited.has(event.id)) return "cut"
        visited.add(event.id)
      }
      if (!visit(event)) return "stopped"
    }
    if (nextPageId === null) return "beginning"
    pageId = nextPageId
  }
  return "cut"
})
