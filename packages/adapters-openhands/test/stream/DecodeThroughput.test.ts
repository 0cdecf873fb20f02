import { assert, describe, it } from "@effect/vitest"
import * as SeenIds from "../../src/stream/SeenIds.ts"
import * as WireEvent from "../../src/stream/WireEvent.ts"

const base = {
  timestamp: "2026-11-22T19:48:21.077335",
  source: "agent",
  parent_id: "c633cd72-92d5-4d7a-8b5c-f98a95e2163f"
}
const content = [{ cache_prompt: false, type: "text", text: `${"line of output\n".repeat(60)}` }]

/** What a run sends for one step: a call, its result, the statistics. About 2.5 kB together. */
const step = (index: number): ReadonlyArray<string> =>
  [
    {
      ...base,
      kind: "ActionEvent",
      id: `a-${index}`,
      tool_name: "terminal",
      action: { kind: "TerminalAction", command: "npm test", is_input: false },
      thought: [{ type: "text", text: "" }],
      tool_call: { id: "call_1", name: "terminal", arguments: `{"command":"npm test"}` }
    },
    {
      ...base,
      kind: "ObservationEvent",
      id: `o-${index}`,
      tool_name: "terminal",
      observation: { kind: "TerminalObservation", content, exit_code: 0 }
    },
    {
      ...base,
      kind: "ConversationStateUpdateEvent",
      id: `s-${index}`,
      key: "stats",
      value: {
        usage_to_metrics: {
          agent: { accumulated_cost: index, accumulated_token_usage: { prompt_tokens: index, completion_tokens: 1 } }
        }
      }
    }
  ].map((event) => JSON.stringify(event))

describe("decoding", () => {
  it(
    "takes a million events with memory that stays, far faster than two hundred agents speak",
    { timeout: 120_000 },
    () => {
      const frames = Array.from({ length: 1_000 }, (_, index) => step(index)).flat()
      const seen = SeenIds.make()
      const pass = (round: number) => {
        for (const frame of frames) {
          const event = WireEvent.fromFrame(frame)
          if (event?.id != null) seen.add(`${round} ${event.id}`)
        }
      }
      for (let round = 0; round < 34; round++) pass(round)
      const before = process.memoryUsage().heapUsed
      const startedAt = performance.now()
      for (let round = 34; round < 368; round++) pass(round)
      const seconds = (performance.now() - startedAt) / 1_000
      const perSecond = Math.round((334 * frames.length) / seconds)
      const grownMb = (process.memoryUsage().heapUsed - before) / 1_048_576
      console.log(
        `${perSecond} events decoded a second; the heap grew by ${grownMb.toFixed(1)} MB over 1,002,000 events`
      )
      // 200 conversations at 20 events a second are 4,000.
      assert.isAbove(perSecond, 20_000)
      assert.isBelow(grownMb, 100)
      assert.isAtMost(seen.size(), 4_096)
    }
  )
})
