/** Starts a run of a conversation, and is patient with what the server may answer to that. */
import type { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import { ApiError, isUncertain } from "../client/ApiError.ts"
import type { Timing } from "./Timing.ts"

export interface RunStart {
  readonly api: AgentServerApi
  readonly conversation: string
  readonly timing: Timing
  /**
   * Guards one request to run: null when a stop was ordered and it is not sent. Not interruptible, so that no request is
   * under way unseen when a stop is given.
   */
  readonly guard: (request: Effect.Effect<void, ApiError>) => Effect.Effect<Attempt | null>
  /** Whether the run showed itself. */
  readonly began: () => boolean
  /** Whether the server took this run before: then "already running" means that it is about to begin. */
  readonly wasTaken: () => boolean
}

/** `taken`: the server has it now. `under way`: it had it already. `stopped`: a stop came before it. */
export type Started = "taken" | "under way" | "stopped"

/** How a request to run was answered; null: it was taken. */
export type Attempt = { readonly refused: ApiError | null }

const firstDelayMs = 250
const longestDelayMs = 5_000

/** Asks until it is certain. A second run is never started: while one goes on the server refuses it. */
export const start = Effect.fnUntraced(function* (self: RunStart): Effect.fn.Return<Started, ApiError | RuntimeError> {
  const { api, conversation, timing } = self
  const startMs = yield* Clock.currentTimeMillis
  let delayMs = firstDelayMs
  let interrupted = false
  const isRunning = Effect.map(
    Effect.result(api.get(conversation)),
    (seen) => seen._tag === "Success" && seen.success.status === "running"
  )
  while (true) {
    const attempt = yield* self.guard(api.run(conversation))
    if (attempt === null) return "stopped"
    const error = attempt.refused
    if (error === null) return "taken"
    if (self.began()) return "under way"
    const waitedMs = (yield* Clock.currentTimeMillis) - startMs
    if (error.problem === "conflict") {
      if (self.wasTaken() || (yield* isRunning)) return "under way"
      if (waitedMs >= timing.wedgeMs) {
        if (interrupted) {
          return yield* new ApiError({
            ...error,
            detail: `it says that the conversation runs already, and shows it at rest, for ${waitedMs} ms; restart the server`
          })
        }
        yield* Effect.logWarning(`conversation ${conversation} is at rest and cannot be run; interrupting it`)
        yield* Effect.ignore(api.interrupt(conversation))
        interrupted = true
      }
    } else if (error.problem === "capacity") {
      if (waitedMs >= timing.capacityMs) return yield* error
    } else if (isUncertain(error)) {
      if (yield* isRunning) return "under way"
      if (waitedMs >= timing.outageMs) return yield* error
    } else {
      return yield* error
    }
    yield* Effect.sleep(delayMs)
    delayMs = Math.min(2 * delayMs, longestDelayMs)
  }
})
