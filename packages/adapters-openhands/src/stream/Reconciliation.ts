/**
 * What the socket may have missed, read over REST: the newest events backwards until they are known. So a reconnect
 * costs what was missed, never the whole history.
 */
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import type { ApiError } from "../client/ApiError.ts"
import * as EventHistory from "./EventHistory.ts"
import type { SeenIds } from "./SeenIds.ts"
import type * as WireEvent from "./WireEvent.ts"

/** Pages of up to 100; what was missed beyond that is not reported one by one. */
export const maxPages = 10
/** So many known events in a row: what is older is known too. A few may be known that are newer than a missed one. */
const enoughKnown = 16
/** An event is published before it is in the log; so much later it certainly is. */
export const publishLagMs = 1_000

/** The events that are not known yet, oldest first, and whether older ones were left out. */
export interface Missed {
  readonly events: ReadonlyArray<WireEvent.WireEvent>
  readonly cut: boolean
}

/** `newer`: how many known events may be newer than a missed one, beyond a few. */
export const missed = (
  api: AgentServerApi,
  conversation: string,
  seen: SeenIds,
  pages: number,
  newer = 0
): Effect.Effect<Missed, ApiError> =>
  Effect.suspend(() => {
    const events: Array<WireEvent.WireEvent> = []
    let known = 0
    const walk = EventHistory.walkBack(api, conversation, pages, (event) => {
      if (event.id === null) return true
      if (seen.has(event.id)) return ++known < enoughKnown + newer
      known = 0
      events.push(event)
      return true
    })
    return Effect.map(walk, (end) => ({ events: events.toReversed(), cut: end === "cut" }))
  })
