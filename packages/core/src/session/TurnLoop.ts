/**
 * The turns of one run over an open session: which prompt each turn gets, when the tracker is asked, and what outcome
 * the turns add up to. Reporting and stopping belong to `SessionRun`.
 */
import * as Effect from "effect/Effect"
import type { Issue } from "../domain/Issue.ts"
import { Outcome } from "../domain/Outcome.ts"
import type { AgentEvent, AgentSession, RuntimeError } from "../ports/AgentRuntime.ts"
import type { WorkerRequest } from "../ports/WorkerBackend.ts"
import * as ContinuationPrompt from "./ContinuationPrompt.ts"

/** Renders the workflow's template. The message of its error says what is wrong with the template. */
export type RenderPrompt = (facts: {
  readonly issue: Issue
  readonly attempt: number | null
}) => Effect.Effect<string, { readonly message: string }>

export interface TurnLoop {
  readonly request: WorkerRequest
  readonly session: AgentSession
  readonly renderPrompt: RenderPrompt
  /** What the first turn gets: the rendered template. */
  readonly firstPrompt: string
  /** Runs right before a turn is handed to the agent. */
  readonly onTurnStarted: (turn: number) => Effect.Effect<void>
  readonly onTurnCompleted: (turn: number, summary: string | null) => Effect.Effect<void>
  readonly onEvent: (event: AgentEvent) => Effect.Effect<void>
  /** Why a stop was ordered, null when none was. What began may end then; no turn begins. */
  readonly stopReason: Effect.Effect<string | null>
}

const laterPrompt = Effect.fnUntraced(function* (self: TurnLoop, issue: Issue, turn: number) {
  const continuation = { issue, turn, maxTurns: self.request.maxTurns }
  if (yield* self.session.remembers) return ContinuationPrompt.guidance(continuation)
  const prompt = yield* self.renderPrompt({ issue, attempt: self.request.attempt })
  return ContinuationPrompt.complete(prompt, continuation)
})

/**
 * Runs turns until one does not complete, the last allowed one completed, or the orchestrator says stop. Fails when
 * the runtime broke in the middle of a turn.
 */
export const run = Effect.fnUntraced(function* (self: TurnLoop): Effect.fn.Return<Outcome, RuntimeError> {
  const { maxTurns } = self.request
  let prompt = self.firstPrompt
  for (let turn = 1; ; turn++) {
    const stopReason = yield* self.stopReason
    if (stopReason !== null) return Outcome.Cancelled({ reason: stopReason })
    yield* self.onTurnStarted(turn)
    const result = yield* self.session.runTurn({ number: turn, prompt }, self.onEvent)
    if (result._tag === "Failed") return Outcome.Failed({ reason: result.reason })
    if (result._tag === "UsageLimited") return Outcome.UsageLimited({ untilMs: result.untilMs, reason: result.reason })
    yield* self.onTurnCompleted(turn, result.summary)
    const succeeded = Outcome.Succeeded({ summary: result.summary })
    if (turn >= maxTurns || (yield* self.stopReason) !== null) return succeeded
    const verdict = yield* self.request.betweenTurns(turn)
    if (verdict._tag === "Stop") {
      yield* Effect.logDebug(`no turn ${turn + 1}: ${verdict.reason}`)
      return succeeded
    }
    const next = yield* Effect.result(laterPrompt(self, verdict.issue, turn + 1))
    if (next._tag === "Failure") {
      return Outcome.Failed({ reason: `the prompt of turn ${turn + 1} could not be rendered: ${next.failure.message}` })
    }
    prompt = next.success
  }
})
