/**
 * The rules of {@link AgentRuntime} as cases. The subject has an agent play what a case wants (see {@link AgentPlay}) and
 * looks at it from outside; the suite opens sessions and runs turns through the port.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { type RunId, SessionId } from "../../domain/Ids.ts"
import type { PreparedRun } from "../../domain/Run.ts"
import * as Usage from "../../domain/Usage.ts"
import type { AgentEvent, AgentRuntimeService, AgentSession, OpenSession } from "../../ports/AgentRuntime.ts"
import { noTools } from "../../ports/AgentTools.ts"
import * as UsageLedger from "../../session/UsageLedger.ts"
import * as AgentPlay from "./AgentPlay.ts"
import { type ConformanceCase, expectEqual, expectFailure, expectSoon, expectThat, rule } from "./ConformanceCase.ts"

/**
 * What is wrong with the runtime. `unstoppable`: its agents cannot be made to stop, or their end cannot be made certain.
 * `down`: it cannot take work, and no issue is to blame.
 */
export type RuntimeCondition = "sound" | "unstoppable" | "down"

/** A runtime of its own for one case. */
export interface RuntimeScene {
  readonly runtime: AgentRuntimeService
  /** The next run: of another issue, in another workspace, that its agent can work in. */
  readonly nextRun: Effect.Effect<PreparedRun, unknown>
  /** Whether the agent of a run is at work, seen from outside: its process lives, its server is busy. */
  readonly working: (runId: RunId) => Effect.Effect<boolean, unknown>
  /** The prompts that reached the agent of a run, oldest first. */
  readonly prompts: (runId: RunId) => Effect.Effect<ReadonlyArray<string>, unknown>
}

/** How to make the runtime under test. What an unstoppable agent leaves is the subject's to end with the scope. */
export interface RuntimeSubject<R = never> {
  readonly make: (
    play: AgentPlay.AgentPlay,
    condition: RuntimeCondition
  ) => Effect.Effect<RuntimeScene, unknown, R | Scope.Scope>
}

const longestSummary = 1_024
const session = SessionId("session-1")
const used: Usage.Usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 3, costUsd: 0.5 }

const opening = (run: PreparedRun, overrides: Partial<OpenSession> = {}): OpenSession => ({
  run,
  resume: null,
  onProcess: () => Effect.void,
  tools: noTools,
  ...overrides
})

/** Runs one turn to its end and answers with its events. */
const play = Effect.fnUntraced(function* (agent: AgentSession, number = 1, prompt = "Do it.") {
  const events: Array<AgentEvent> = []
  const turn = agent.runTurn({ number, prompt }, (event) => Effect.sync(() => events.push(event)))
  const result = yield* expectSoon("the turn to come to rest", turn)
  return { result, events }
})

const open = Effect.fnUntraced(function* ({ nextRun, runtime }: RuntimeScene, overrides: Partial<OpenSession> = {}) {
  const run = yield* nextRun
  return { run, agent: yield* runtime.openSession(opening(run, overrides)) }
})

/** A turn in the background whose agent was heard and hangs now. */
const underWay = Effect.fnUntraced(function* (scene: RuntimeScene) {
  const { agent, run } = yield* open(scene)
  const heard = Deferred.makeUnsafe<void>()
  const turn = yield* agent
    .runTurn({ number: 1, prompt: "Do it." }, () => Deferred.succeed(heard, undefined))
    .pipe(Effect.forkScoped)
  yield* expectSoon("an event while the turn goes on", Deferred.await(heard))
  yield* expectEqual("whether the agent is at work", yield* scene.working(run.runId), true)
  return { agent, run, turn }
})

const expectAtRest = ({ working }: RuntimeScene, run: PreparedRun) =>
  Effect.flatMap(working(run.runId), (busy) => expectEqual("whether the agent is still at work", busy, false))

/** The rules of the port to agents; register each of them. */
export const runtimeSuite = <R = never>(
  subject: RuntimeSubject<R>
): ReadonlyArray<ConformanceCase<Exclude<R, Scope.Scope>>> => {
  const on = (
    name: string,
    agent: AgentPlay.AgentPlay,
    play: (scene: RuntimeScene) => Effect.Effect<void, unknown, Scope.Scope>,
    condition: RuntimeCondition = "sound"
  ) => rule(name, Effect.flatMap(subject.make(agent, condition), play))

  const limited = (name: string, untilMs: number | null) =>
    on(
      name,
      AgentPlay.ending(AgentPlay.AgentEnding.UsageLimited({ untilMs })),
      Effect.fnUntraced(function* (scene) {
        const { result } = yield* play((yield* open(scene)).agent)
        yield* expectThat("a turn that is UsageLimited", result._tag === "UsageLimited", result)
        if (result._tag === "UsageLimited") yield* expectEqual("when the limit ends", result.untilMs, untilMs)
      })
    )

  return [
    on(
      "hands the prompt to the agent as it is",
      AgentPlay.completes,
      Effect.fnUntraced(function* (scene) {
        const { agent, run } = yield* open(scene)
        const prompt = 'Do "this", $HOME and `that` – all\nof it.\n'
        yield* play(agent, 1, prompt)
        yield* expectEqual("what reached the agent", yield* scene.prompts(run.runId), [prompt])
      })
    ),
    on(
      "completes a turn with what the agent said at its end",
      AgentPlay.completes,
      Effect.fnUntraced(function* (scene) {
        const { result } = yield* play((yield* open(scene)).agent)
        yield* expectEqual("the result", result, { _tag: "Completed", summary: "all done" } as const)
      })
    ),
    on(
      "fails a turn that the agent failed, with a reason",
      AgentPlay.fails,
      Effect.fnUntraced(function* (scene) {
        const { result } = yield* play((yield* open(scene)).agent)
        yield* expectThat("a turn that Failed, with a reason", result._tag === "Failed" && result.reason !== "", result)
      })
    ),
    on(
      "runs turn after turn in one session",
      AgentPlay.completes,
      Effect.fnUntraced(function* (scene) {
        const { agent, run } = yield* open(scene)
        yield* play(agent, 1, "one")
        yield* play(agent, 2, "two")
        yield* expectEqual("what reached the agent", yield* scene.prompts(run.runId), ["one", "two"])
      })
    ),
    limited("says until when its provider refuses work", 1_924_992_000_000),
    limited("says that its provider refuses work when nobody knows until when", null),
    on(
      "reports every sign of life, in order",
      { ...AgentPlay.completes, says: ["one", "two", "three"] },
      Effect.fnUntraced(function* (scene) {
        const { events } = yield* play((yield* open(scene)).agent)
        const said = events.flatMap((event) => (event._tag === "Activity" ? [event.summary] : []))
        yield* expectEqual("what the agent said", said.slice(0, 3), ["one", "two", "three"])
      })
    ),
    on(
      "sums up a sign of life in one line of bounded length",
      { ...AgentPlay.completes, says: ["x".repeat(100_000), "two\tparts\u0007"] },
      Effect.fnUntraced(function* (scene) {
        const { events } = yield* play((yield* open(scene)).agent)
        for (const event of events) {
          if (event._tag !== "Activity") continue
          const { summary } = event
          yield* expectThat(`at most ${longestSummary} characters`, summary.length <= longestSummary, summary)
          yield* expectThat("a line without control characters", !/\p{Cc}/u.test(summary), summary)
        }
      })
    ),
    on(
      "names the process before anything is heard of it",
      AgentPlay.completes,
      Effect.fnUntraced(function* (scene) {
        const order: Array<number | "event"> = []
        const { agent } = yield* open(scene, { onProcess: (pid) => Effect.sync(() => order.push(pid)) })
        yield* agent.runTurn({ number: 1, prompt: "" }, () => Effect.sync(() => order.push("event")))
        const processes = order.filter((entry) => entry !== "event")
        yield* expectThat(
          "processes by number, each before the first event, if there are any",
          processes.every((pid) => Number.isInteger(pid) && pid > 0) &&
            !order.slice(order.indexOf("event")).some(Number),
          order
        )
      })
    ),
    on(
      "reports what was used as a total of the session",
      { ...AgentPlay.completes, uses: used },
      Effect.fnUntraced(function* (scene) {
        const { agent } = yield* open(scene)
        let ledger = UsageLedger.empty
        for (const turn of [1, 2]) {
          for (const event of (yield* play(agent, turn)).events) {
            if (event._tag === "UsageReported") ledger = UsageLedger.report(ledger, event.source, event.usage)
          }
          const total = turn === 1 ? used : Usage.add(used, used)
          yield* expectEqual(`the total over all sources after turn ${turn}`, ledger.total, total)
        }
      })
    ),
    on(
      "counts nothing of an earlier run again when a session is resumed",
      { ...AgentPlay.completes, session, uses: used },
      Effect.fnUntraced(function* (scene) {
        const run = yield* scene.nextRun
        for (const resume of [null, session]) {
          const { events } = yield* Effect.scoped(
            Effect.flatMap(scene.runtime.openSession(opening(run, { resume })), (agent) => play(agent))
          )
          let ledger = UsageLedger.empty
          for (const event of events) {
            if (event._tag === "UsageReported") ledger = UsageLedger.report(ledger, event.source, event.usage)
          }
          yield* expectEqual("the total of one run", ledger.total, used)
        }
      })
    ),
    on(
      "reports the session once the agent named it",
      { ...AgentPlay.completes, session },
      Effect.fnUntraced(function* (scene) {
        const { agent } = yield* open(scene)
        const { events } = yield* play(agent)
        const reported = events.flatMap((event) => (event._tag === "SessionReported" ? [event.session] : []))
        yield* expectThat("a report that names the session", reported.includes(session), events)
        yield* expectEqual("the session as known", yield* agent.session, session)
      })
    ),
    on(
      "goes on with the session that it is asked to resume",
      { ...AgentPlay.completes, session },
      Effect.fnUntraced(function* (scene) {
        const run = yield* scene.nextRun
        yield* Effect.scoped(Effect.flatMap(scene.runtime.openSession(opening(run)), (agent) => play(agent)))
        const agent = yield* scene.runtime.openSession(opening(run, { resume: session }))
        yield* expectEqual("the session", yield* agent.session, session)
      })
    ),
    on(
      "confirms a stop when nothing goes on",
      AgentPlay.completes,
      Effect.fnUntraced(function* (scene) {
        const { agent } = yield* open(scene)
        yield* expectEqual("the answer before the first turn", yield* agent.stop, "confirmed")
      })
    ),
    on(
      "confirms a stop after a turn has ended",
      AgentPlay.completes,
      Effect.fnUntraced(function* (scene) {
        const { agent } = yield* open(scene)
        yield* play(agent)
        yield* expectEqual("the answer after the turn", yield* agent.stop, "confirmed")
      })
    ),
    on(
      "confirms a stop only when the agent is at rest, and ends its turn",
      AgentPlay.hangs,
      Effect.fnUntraced(function* (scene) {
        const { agent, run, turn } = yield* underWay(scene)
        yield* expectEqual("the answer", yield* expectSoon("an answer", agent.stop), "confirmed")
        yield* expectAtRest(scene, run)
        const exit = yield* expectSoon("the turn to come to rest", Fiber.await(turn))
        yield* expectThat("a turn that did not complete", Exit.isFailure(exit) || exit.value._tag !== "Completed", exit)
      })
    ),
    on(
      "does not confirm the stop of an agent that goes on",
      AgentPlay.hangs,
      Effect.fnUntraced(function* (scene) {
        const { agent, run } = yield* underWay(scene)
        yield* expectEqual("the answer", yield* expectSoon("an answer", agent.stop), "unconfirmed")
        yield* expectEqual("whether the agent is still at work", yield* scene.working(run.runId), true)
      }),
      "unstoppable"
    ),
    on(
      "stops the agent when its turn is interrupted",
      AgentPlay.hangs,
      Effect.fnUntraced(function* (scene) {
        const { run, turn } = yield* underWay(scene)
        yield* expectSoon("the turn to end", Fiber.interrupt(turn))
        yield* expectAtRest(scene, run)
      })
    ),
    on(
      "stops the agent when its session is closed",
      AgentPlay.hangs,
      Effect.fnUntraced(function* (scene) {
        const scope = yield* Scope.fork(yield* Effect.scope)
        const { run } = yield* Scope.provide(
          Effect.gen(function* () {
            const { agent, run } = yield* open(scene)
            const heard = Deferred.makeUnsafe<void>()
            // Not a part of the session's scope: only the session itself may end this turn.
            yield* Effect.forkDetach(agent.runTurn({ number: 1, prompt: "" }, () => Deferred.succeed(heard, undefined)))
            yield* expectSoon("an event", Deferred.await(heard))
            return { run }
          }),
          scope
        )
        yield* expectSoon("the session to close", Scope.close(scope, Exit.void))
        yield* expectAtRest(scene, run)
      })
    ),
    on(
      "keeps sessions apart: the stop of one touches no other",
      AgentPlay.hangs,
      Effect.fnUntraced(function* (scene) {
        const first = yield* underWay(scene)
        const second = yield* underWay(scene)
        yield* expectEqual("the answer", yield* first.agent.stop, "confirmed")
        yield* expectAtRest(scene, first.run)
        yield* expectEqual("whether the other is at work", yield* scene.working(second.run.runId), true)
      })
    ),
    on(
      "blames itself, not the issue, when it is down",
      AgentPlay.completes,
      Effect.fnUntraced(function* (scene) {
        const attempt = Effect.flatMap(open(scene), ({ agent }) =>
          agent.runTurn({ number: 1, prompt: "" }, () => Effect.void)
        )
        const error = yield* expectFailure("a turn of a runtime that is down", attempt)
        yield* expectThat(
          "a RuntimeError that is `unavailable` and says what happened",
          typeof error === "object" &&
            error !== null &&
            "unavailable" in error &&
            error.unavailable === true &&
            "message" in error &&
            error.message !== "",
          error
        )
      }),
      "down"
    )
  ]
}
