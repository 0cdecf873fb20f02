/** An agent in memory that plays what a conformance case wants. */
import { Effect } from "effect"
import { AgentEvent, TurnResult } from "../../src/ports/AgentRuntime.ts"
import type { AgentPlay } from "../../src/testing/conformance/AgentPlay.ts"
import type { TurnContext } from "../../src/testing/MemoryRuntime.ts"

/** One turn of the play; `hang` is what a turn that hangs does. */
export const play = Effect.fnUntraced(function* (
  { ending, says, session, uses }: AgentPlay,
  turn: TurnContext,
  hang: Effect.Effect<void> = Effect.never
): Effect.fn.Return<TurnResult> {
  yield* turn.process(4711)
  yield* Effect.forEach(says, turn.activity)
  if (session !== null) yield* turn.emit(AgentEvent.SessionReported({ session }))
  if (uses !== null) yield* turn.emit(AgentEvent.UsageReported({ source: `turn ${turn.turn}`, usage: uses }))
  switch (ending._tag) {
    case "Completes":
      return TurnResult.Completed({ summary: ending.summary })
    case "Fails":
      return TurnResult.Failed({ reason: "the agent gave up" })
    case "UsageLimited":
      return TurnResult.UsageLimited({ untilMs: ending.untilMs, reason: "the window is closed" })
    case "Hangs":
      yield* hang
      return TurnResult.Completed({ summary: null })
  }
})
