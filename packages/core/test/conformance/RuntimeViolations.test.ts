import { describe } from "@effect/vitest"
import { Effect, Fiber, Scope } from "effect"
import {
  AgentEvent,
  type AgentSession,
  type OpenSession,
  RuntimeError,
  TurnResult
} from "../../src/ports/AgentRuntime.ts"
import { type RuntimeScene, runtimeSuite } from "../../src/testing/conformance/RuntimeSuite.ts"
import { plantAll, type Violations } from "./PlantedViolation.ts"
import { memoryRuntime } from "./Runtimes.ts"

type Open = RuntimeScene["runtime"]["openSession"]

const opening =
  (change: (open: Open) => Open) =>
  (scene: RuntimeScene): RuntimeScene => ({
    ...scene,
    runtime: { ...scene.runtime, openSession: change(scene.runtime.openSession) }
  })

const sessions = (change: (session: AgentSession, request: OpenSession) => Partial<AgentSession>) =>
  opening((open) => (request) => Effect.map(open(request), (session) => ({ ...session, ...change(session, request) })))

const results = (change: (result: TurnResult) => TurnResult) =>
  sessions(({ runTurn }) => ({ runTurn: (turn, onEvent) => Effect.map(runTurn(turn, onEvent), change) }))

/** What an event becomes; null when it is lost. */
const events = (change: (event: AgentEvent, request: OpenSession) => AgentEvent | null) =>
  sessions(({ runTurn }, request) => ({
    runTurn: (turn, onEvent) =>
      runTurn(turn, (event) => {
        const changed = change(event, request)
        return changed === null ? Effect.void : onEvent(changed)
      })
  }))

const confirmsAnything = sessions(({ stop }) => ({ stop: Effect.as(stop, "confirmed" as const) }))

const violations: Violations<RuntimeScene> = {
  "hands the prompt to the agent as it is": sessions(({ runTurn }) => ({
    runTurn: (turn, onEvent) => runTurn({ ...turn, prompt: turn.prompt.trim() }, onEvent)
  })),
  "completes a turn with what the agent said at its end": results(() => TurnResult.Completed({ summary: null })),
  "fails a turn that the agent failed, with a reason": results(() => TurnResult.Failed({ reason: "" })),
  "runs turn after turn in one session": sessions(({ runTurn }) => ({
    runTurn: (turn, onEvent) =>
      turn.number === 1 ? runTurn(turn, onEvent) : Effect.succeed(TurnResult.Completed({ summary: null }))
  })),
  "says until when its provider refuses work": results((result) =>
    result._tag === "UsageLimited" ? { ...result, untilMs: null } : result
  ),
  "says that its provider refuses work when nobody knows until when": results(() =>
    TurnResult.Failed({ reason: "no more today" })
  ),
  "reports every sign of life, in order": events((event) =>
    event._tag === "Activity" && event.summary === "two" ? null : event
  ),
  "sums up a sign of life in one line of bounded length": events((event) =>
    event._tag === "Activity" ? { ...event, summary: `${event.summary}\n` } : event
  ),
  "names the process before anything is heard of it": opening(
    (open) => (request) =>
      Effect.map(open({ ...request, onProcess: () => Effect.void }), (session) => ({
        ...session,
        runTurn: (turn, onEvent) => Effect.tap(session.runTurn(turn, onEvent), () => request.onProcess(4711))
      }))
  ),
  "reports what was used as a total of the session": events((event) =>
    event._tag === "UsageReported" ? { ...event, source: "every turn" } : event
  ),
  "counts nothing of an earlier run again when a session is resumed": events((event, { resume }) =>
    event._tag === "UsageReported" && resume !== null
      ? { ...event, usage: { ...event.usage, inputTokens: 2 * event.usage.inputTokens } }
      : event
  ),
  "reports the session once the agent named it": events((event) => (event._tag === "SessionReported" ? null : event)),
  "goes on with the session that it is asked to resume": opening(
    (open) => (request) => open({ ...request, resume: null })
  ),
  "confirms a stop when nothing goes on": sessions(() => ({ stop: Effect.succeed("unconfirmed") })),
  "confirms a stop after a turn has ended": sessions(({ runTurn, stop }) => {
    let hasRun = false
    return {
      runTurn: (turn, onEvent) =>
        Effect.tap(runTurn(turn, onEvent), () =>
          Effect.sync(() => {
            hasRun = true
          })
        ),
      stop: Effect.suspend(() => (hasRun ? Effect.succeed("unconfirmed" as const) : stop))
    }
  }),
  "confirms a stop only when the agent is at rest, and ends its turn": sessions(() => ({
    stop: Effect.succeed("confirmed")
  })),
  "does not confirm the stop of an agent that goes on": confirmsAnything,
  "stops the agent when its turn is interrupted": sessions(({ runTurn }) => ({
    runTurn: (turn, onEvent) => Effect.flatMap(Effect.forkDetach(runTurn(turn, onEvent)), Fiber.join)
  })),
  "stops the agent when its session is closed": opening(
    (open) => (request) => Effect.flatMap(Scope.make(), (scope) => Scope.provide(open(request), scope))
  ),
  "keeps sessions apart: the stop of one touches no other": (scene) => {
    const stops: Array<AgentSession["stop"]> = []
    return sessions(({ stop }) => {
      stops.push(stop)
      return { stop: Effect.as(Effect.all(stops), "confirmed" as const) }
    })(scene)
  },
  "blames itself, not the issue, when it is down": opening(
    (open) => (request) =>
      Effect.mapError(open(request), ({ message }) => new RuntimeError({ message, unavailable: false }))
  )
}

describe("the runtime suite", () => {
  plantAll(violations, (plant) =>
    runtimeSuite({ make: (play, condition) => Effect.map(memoryRuntime.make(play, condition), plant) })
  )
})
