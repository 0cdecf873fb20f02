/**
 * What the socket may have missed, read over REST: the newest events backwards until they are known. So a reconnect
 * costs what was missed, never the whole history.
 */
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import type { ApiError } from "../client/ApiError.ts"
import type { SeenIds } from "./SeenIds.ts"
import * as WireEvent from "./WireEvent.ts"

/** Pages of 100; what was missed beyond that is not reported one by one. */
export const maxPages = 10
/** So many known events in a row: what is older is known too. A few may be known that are newer than a missed one. */
const enoughKnown = 30

/** The events that are not known yet, oldest first, and whether older ones were left out. */
export interface Missed {
  readonly events: ReadonlyArray<WireEvent.WireEvent>
  readonly cut: boolean
}

export const missed = Effect.fnUntraced(function* (
  api: AgentServerApi,
  conversation: string,
  seen: SeenIds,
  pages: number
): Effect.fn.Return<Missed, ApiError> {
  const events: Array<WireEvent.WireEvent> = []
  const read = new Set<string>()
  let pageId: string | null = null
  let known = 0
  for (let page = 0; page < pages; page++) {
    const { items, nextPageId }: { items: ReadonlyArray<unknown>; nextPageId: string | null } =
      yield* api.newestEvents(conversation, pageId)
    for (const item of items) {
      const event = WireEvent.fromJson(item)
      if (event === null || event.id === null) continue
      if (seen.has(event.id)) {
        if (++known >= enoughKnown) return { events: events.reverse(), cut: false }
        continue
      }
      known = 0
      // An unknown page id makes the server begin again from the newest.
      if (read.has(event.id)) return { events: events.reverse(), cut: true }
      read.add(event.id)
      events.push(event)
    }
    if (nextPageId === null) return { events: events.reverse(), cut: false }
    pageId = nextPageId
  }
  return { events: events.reverse(), cut: true }
})
