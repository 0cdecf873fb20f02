/** Pages and counts of a conversation's events, with the agent-server's filters and oddities. */
import type { StampedEvent } from "./AgentEvents.ts"
import { asRecord } from "../LocalServer.ts"

/** A page of things: `next_page_id` is the first one of the next page. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next_page_id: string | null
}

/**
 * A page of events. The page id is inclusive; one that is unknown silently starts from the beginning. `kind` is a bare or
 * a qualified class name; older servers know the qualified one only, and a bare kind finds nothing there.
 */
export const search = (
  events: ReadonlyArray<StampedEvent>,
  query: URLSearchParams,
  limit: number,
  bareKinds: boolean
): Page<StampedEvent> => {
  const ordered = query.get("sort_order") === "TIMESTAMP_DESC" ? events.toReversed() : events
  const start = Math.max(
    0,
    ordered.findIndex(({ id }) => id === query.get("page_id"))
  )
  const items: Array<StampedEvent> = []
  for (const event of ordered.slice(start)) {
    if (!matches(event, query, bareKinds)) continue
    if (items.length === limit) return { items, next_page_id: event.id }
    items.push(event)
  }
  return { items, next_page_id: null }
}

/** How many events match. */
export const count = (events: ReadonlyArray<StampedEvent>, query: URLSearchParams, bareKinds: boolean): number =>
  events.filter((event) => matches(event, query, bareKinds)).length

const matches = (event: StampedEvent, query: URLSearchParams, bareKinds: boolean): boolean => {
  const [kind, source, body] = [query.get("kind"), query.get("source"), query.get("body")]
  const [from, before] = [query.get("timestamp__gte"), query.get("timestamp__lt")]
  if (kind !== null && !kind.endsWith(`.${event.kind}`) && !(bareKinds && kind === event.kind)) return false
  if (source !== null && event.source !== source) return false
  if (body !== null && !(event.kind === "MessageEvent" && bodyOf(event).includes(body.toLowerCase()))) return false
  if (from !== null && event.timestamp < naive(from)) return false
  return before === null || event.timestamp < naive(before)
}

const bodyOf = (event: StampedEvent): string =>
  JSON.stringify(asRecord(event["llm_message"])["content"] ?? "").toLowerCase()

/** The instant as events carry it; the server's zone is UTC unless an offset is set. */
const naive = (text: string): string => text.replace(/(Z|[+-]\d\d:\d\d)$/, "")
