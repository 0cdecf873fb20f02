/** Finds an agent that repeats itself, as the agent-server's own detector does for its most common case. */
import type { StampedEvent } from "./AgentEvents.ts"

/** The same action with the same result, four times in a row. */
export const isStuck = (events: ReadonlyArray<StampedEvent>): boolean => {
  const turn = events.slice(
    events.findLastIndex(({ kind, source }) => kind === "MessageEvent" && source === "user") + 1
  )
  const shape = (kind: string, field: string) =>
    turn
      .filter((event) => event.kind === kind)
      .slice(-4)
      .map((event) => JSON.stringify([event["tool_name"], event[field]]))
  const same = (shapes: ReadonlyArray<string>) => shapes.length === 4 && new Set(shapes).size === 1
  return same(shape("ActionEvent", "action")) && same(shape("ObservationEvent", "observation"))
}
