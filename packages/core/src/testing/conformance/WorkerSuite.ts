/**
 * The rules of {@link WorkerBackend} as cases. The subject has the agent of each run do what the case planned; the suite
 * launches, listens and aborts through the port.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { RunId, SessionId } from "../../domain/Ids.ts"
import * as Outcome from "../../domain/Outcome.ts"
import type { PreparedRun } from "../../domain/Run.ts"
import * as Usage from "../../domain/Usage.ts"
import {
  startWorkers,
  TurnVerdict,
  WorkerBackend,
  type WorkerBackendService,
  type WorkerRequest,
  type WorkerUpdate
} from "../../ports/WorkerBackend.ts"
import { settle } from "../VirtualTime.ts"
import * as AgentPlay from "./AgentPlay.ts"
import { type ConformanceCase, expectEqual, expectFailure, expectSoon, expectThat, rule } from "./ConformanceCase.ts"

/** What becomes of one run. */
export interface WorkerPlan {
  readonly agent: AgentPlay.AgentPlay
  /** `fails`: the launch is refused. `hangs`: it is never reported, until its caller gives up. */
  readonly launch: "succeeds" | "fails" | "hangs"
  /** `unconfirmed`: the agent cannot be made to stop, or its end cannot be made certain. */
  readonly stop: "confirmed" | "unconfirmed"
}

/** Workers of their own for one case. */
export interface WorkerScene {
  readonly workers: WorkerBackendService
  /** The next run: of another issue, in another workspace, and it will go as planned. */
  readonly prepare: (plan: WorkerPlan) => Effect.Effect<PreparedRun, unknown>
  /** Whether the agent of a run is at work, seen from outside. */
  readonly working: (runId: RunId) => Effect.Effect<boolean, unknown>
  /** Lets an agent that hangs come to its end by itself. */
  readonly release: (runId: RunId) => Effect.Effect<void, unknown>
  /** Ends the workers as the end of their program does. */
  readonly close: Effect.Effect<void, unknown>
}

/** How to make the workers under test. What an unstoppable agent leaves is the subject's to end with the scope. */
export interface WorkerSubject<R = never> {
  readonly make: Effect.Effect<WorkerScene, unknown, R | Scope.Scope>
  /** Whether the workers are a resource that `close` gives back. */
  readonly closes: boolean
}

const goesOn: WorkerPlan = { agent: AgentPlay.hangs, launch: "succeeds", stop: "confirmed" }
const completes: WorkerPlan = { ...goesOn, agent: AgentPlay.completes }
const refused: WorkerPlan = { ...completes, launch: "fails" }

/** A request that allows one turn unless the case says more. */
const requestFor = (run: PreparedRun, overrides: Partial<WorkerRequest> = {}): WorkerRequest => ({
  ...run,
  maxTurns: 1,
  betweenTurns: () => Effect.succeed(TurnVerdict.Continue({ issue: run.issue })),
  ...overrides
})

interface Ear {
  /** All that was reported of a run so far. */
  readonly of: (run: PreparedRun) => ReadonlyArray<WorkerUpdate>
  /** Waits for an update of this kind. */
  readonly hear: (run: PreparedRun, tag: WorkerUpdate["_tag"]) => Effect.Effect<void, unknown>
}

/** The one consumer of the updates. */
const listen = Effect.fnUntraced(function* ({ workers }: WorkerScene): Effect.fn.Return<Ear, never, Scope.Scope> {
  const heard: Array<WorkerUpdate> = []
  const more = Latch.makeUnsafe(false)
  const listening = Stream.runForEach(workers.updates, (update) =>
    Effect.sync(() => {
      heard.push(update)
      more.openUnsafe()
    })
  )
  yield* Effect.forkScoped(listening)
  const of: Ear["of"] = ({ runId }) => heard.filter((update) => update.runId === runId)
  const hear: Ear["hear"] = (run, tag) =>
    expectSoon(
      `${tag} of ${run.runId}`,
      Effect.gen(function* () {
        while (!of(run).some(({ _tag }) => _tag === tag)) {
          more.closeUnsafe()
          yield* more.await
        }
      })
    )
  return { of, hear }
})

const tags = (updates: ReadonlyArray<WorkerUpdate>): ReadonlyArray<string> => updates.map(({ _tag }) => _tag)
const milestones = (updates: ReadonlyArray<WorkerUpdate>): ReadonlyArray<string> =>
  updates.flatMap((update) => {
    if (update._tag === "Finished") return [`Finished: ${Outcome.name(update.outcome)}`]
    return update._tag === "TurnStarted" || update._tag === "TurnCompleted" ? [`${update._tag} ${update.turn}`] : []
  })

/** Everything that a run can still say was said when another one, begun later, has come and gone. */
const afterAnother = Effect.fnUntraced(function* (scene: WorkerScene, ear: Ear) {
  const another = yield* scene.prepare(completes)
  yield* scene.workers.startWorker(requestFor(another))
  yield* ear.hear(another, "Finished")
})

/** A run that goes on, with its agent at work. */
const launched = Effect.fnUntraced(function* (scene: WorkerScene, ear: Ear, plan: WorkerPlan = goesOn) {
  const run = yield* scene.prepare(plan)
  yield* scene.workers.startWorker(requestFor(run))
  yield* ear.hear(run, "Activity")
  yield* expectEqual("whether the agent is at work", yield* scene.working(run.runId), true)
  return run
})

/** The rules of the port to workers; register each of them. */
export const workerSuite = <R = never>(
  subject: WorkerSubject<R>
): ReadonlyArray<ConformanceCase<Exclude<R, Scope.Scope>>> => {
  const on = (name: string, play: (scene: WorkerScene, ear: Ear) => Effect.Effect<void, unknown, Scope.Scope>) =>
    rule(
      name,
      Effect.gen(function* () {
        const scene = yield* subject.make
        yield* play(scene, yield* listen(scene))
      })
    )

  /** A run with this plan has these milestones, and `Finished` as its one end. */
  const tells = (name: string, plan: WorkerPlan, maxTurns: number, expected: ReadonlyArray<string>) =>
    on(
      name,
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* scene.prepare(plan)
        const launch = yield* scene.workers.startWorker(requestFor(run, { maxTurns }))
        yield* expectEqual("the run of the launch", launch.runId, run.runId)
        yield* ear.hear(run, "Finished")
        yield* afterAnother(scene, ear)
        yield* expectEqual("the milestones", milestones(ear.of(run)), expected)
        yield* expectEqual("the last update", tags(ear.of(run)).at(-1), "Finished")
      })
    )

  const closes = on(
    "ends every agent when it is closed",
    Effect.fnUntraced(function* (scene, ear) {
      const runs = [yield* launched(scene, ear), yield* launched(scene, ear)]
      yield* expectSoon("the workers to close", scene.close)
      for (const { runId } of runs) {
        yield* expectEqual("whether the agent is still at work", yield* scene.working(runId), false)
      }
    })
  )

  return [
    tells("reports a run from its first turn to its one Finished", completes, 1, [
      "TurnStarted 1",
      "TurnCompleted 1",
      "Finished: succeeded"
    ]),
    tells("runs turns while it is told to go on, up to the last allowed one", completes, 3, [
      "TurnStarted 1",
      "TurnCompleted 1",
      "TurnStarted 2",
      "TurnCompleted 2",
      "TurnStarted 3",
      "TurnCompleted 3",
      "Finished: succeeded"
    ]),
    tells("ends a run whose turn failed", { ...goesOn, agent: AgentPlay.fails }, 3, [
      "TurnStarted 1",
      "Finished: failed"
    ]),
    tells(
      "ends a run whose provider refuses work",
      { ...goesOn, agent: AgentPlay.ending(AgentPlay.AgentEnding.UsageLimited({ untilMs: null })) },
      3,
      ["TurnStarted 1", "Finished: usage_limited"]
    ),
    on(
      "says why a run failed",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* scene.prepare({ ...goesOn, agent: AgentPlay.fails })
        yield* scene.workers.startWorker(requestFor(run))
        yield* ear.hear(run, "Finished")
        const reasons = ear
          .of(run)
          .flatMap((update) => (update._tag === "Finished" ? [Outcome.reason(update.outcome)] : []))
        yield* expectThat(
          "a reason",
          reasons.every((reason) => reason !== null && reason !== ""),
          reasons
        )
      })
    ),
    on(
      "asks after every completed turn but the last allowed one",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* scene.prepare(completes)
        const asked: Array<number> = []
        const betweenTurns = (turn: number) =>
          Effect.sync(() => {
            asked.push(turn)
            return TurnVerdict.Continue({ issue: run.issue })
          })
        yield* scene.workers.startWorker(requestFor(run, { maxTurns: 3, betweenTurns }))
        yield* ear.hear(run, "Finished")
        yield* expectEqual("the turns after which it asked", asked, [1, 2])
      })
    ),
    on(
      "ends the run with its outcome when it is told not to go on",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* scene.prepare(completes)
        const betweenTurns = () => Effect.succeed(TurnVerdict.Stop({ reason: "done" }))
        yield* scene.workers.startWorker(requestFor(run, { maxTurns: 3, betweenTurns }))
        yield* ear.hear(run, "Finished")
        yield* expectEqual("the milestones", milestones(ear.of(run)), [
          "TurnStarted 1",
          "TurnCompleted 1",
          "Finished: succeeded"
        ])
      })
    ),
    on(
      "reports the session and the total of what was used",
      Effect.fnUntraced(function* (scene, ear) {
        const session = SessionId("session-1")
        const uses: Usage.Usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 3, costUsd: 0.5 }
        const run = yield* scene.prepare({ ...completes, agent: { ...AgentPlay.completes, session, uses } })
        yield* scene.workers.startWorker(requestFor(run, { maxTurns: 2 }))
        yield* ear.hear(run, "Finished")
        const updates = ear.of(run)
        const sessions = updates.flatMap((update) => (update._tag === "SessionUpdated" ? [update.session] : []))
        yield* expectEqual("the session", sessions.at(-1), session)
        const totals = updates.flatMap((update) => (update._tag === "Finished" ? [update.usage] : []))
        yield* expectEqual("what the run used", totals, [Usage.add(uses, uses)])
      })
    ),
    on(
      "fails a launch with its reason, and never reports that run",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* scene.prepare(refused)
        const error = yield* expectFailure("the launch", scene.workers.startWorker(requestFor(run)))
        yield* expectEqual("whose launch failed", error.runId, run.runId)
        yield* expectThat("a message that says what happened", error.message.trim() !== "", error.message)
        yield* afterAnother(scene, ear)
        yield* expectEqual("the updates of that run", ear.of(run), [])
      })
    ),
    on(
      "leaves nothing of a launch that its caller gave up",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* scene.prepare({ ...goesOn, launch: "hangs" })
        const launching = yield* Effect.forkScoped(scene.workers.startWorker(requestFor(run)))
        yield* settle
        yield* expectSoon("the launch to be given up", Fiber.interrupt(launching))
        yield* afterAnother(scene, ear)
        yield* expectEqual("the updates of that run", ear.of(run), [])
        yield* expectEqual("whether its agent is at work", yield* scene.working(run.runId), false)
      })
    ),
    on(
      "launches runs at the same time, answers in their order, and lets no failure touch another",
      Effect.fnUntraced(function* (scene, ear) {
        const runs = yield* Effect.forEach([completes, refused, goesOn], scene.prepare)
        const results = yield* startWorkers(runs.map((run) => requestFor(run))).pipe(
          Effect.provideService(WorkerBackend, scene.workers)
        )
        yield* expectEqual(
          "the launches",
          results.map((result) => (Result.isSuccess(result) ? result.success.runId : `not ${result.failure.runId}`)),
          runs.map(({ runId }, index) => (index === 1 ? `not ${runId}` : runId))
        )
        for (const [index, tag] of [
          [0, "Finished"],
          [2, "Activity"]
        ] as const) {
          const run = runs[index]
          if (run !== undefined) yield* ear.hear(run, tag)
        }
      })
    ),
    on(
      "does not let a launch that hangs keep the others waiting",
      Effect.fnUntraced(function* (scene, ear) {
        const slow = yield* scene.prepare({ ...goesOn, launch: "hangs" })
        const quick = yield* scene.prepare(completes)
        const launching = startWorkers([requestFor(slow), requestFor(quick)])
        yield* Effect.forkScoped(Effect.provideService(launching, WorkerBackend, scene.workers))
        yield* ear.hear(quick, "Finished")
      })
    ),
    on(
      "confirms an abort when the agent is at rest and Finished was offered",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* launched(scene, ear)
        const answer = yield* expectSoon("an answer", scene.workers.abortWorker(run.runId, "not needed"))
        yield* expectEqual("the answer", answer, "confirmed")
        yield* expectEqual("whether the agent is still at work", yield* scene.working(run.runId), false)
        // What was offered needs turns of the fiber scheduler to get here, and no time.
        yield* settle
        const outcomes = ear.of(run).flatMap((update) => (update._tag === "Finished" ? [update.outcome] : []))
        yield* expectEqual("the outcomes", outcomes, [Outcome.Outcome.Cancelled({ reason: "not needed" })])
      })
    ),
    on(
      "finishes an aborted run once, and says nothing of it after that",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* launched(scene, ear)
        const abort = scene.workers.abortWorker(run.runId, "not needed")
        const answers = yield* Effect.all([abort, abort], { concurrency: "unbounded" })
        yield* expectEqual("the answers", answers, ["confirmed", "confirmed"])
        yield* afterAnother(scene, ear)
        yield* expectEqual("the milestones", milestones(ear.of(run)), ["TurnStarted 1", "Finished: cancelled"])
        yield* expectEqual("the last update", tags(ear.of(run)).at(-1), "Finished")
      })
    ),
    on(
      "takes an unknown run for stopped",
      Effect.fnUntraced(function* (scene) {
        const answer = yield* expectSoon("an answer", scene.workers.abortWorker(RunId("nobody's"), "to be sure"))
        yield* expectEqual("the answer", answer, "confirmed")
      })
    ),
    on(
      "takes a finished run for stopped, and lets its outcome be",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* scene.prepare(completes)
        yield* scene.workers.startWorker(requestFor(run))
        yield* ear.hear(run, "Finished")
        yield* expectEqual("the answer", yield* scene.workers.abortWorker(run.runId, "too late"), "confirmed")
        yield* afterAnother(scene, ear)
        yield* expectEqual("the last milestone", milestones(ear.of(run)).slice(2), ["Finished: succeeded"])
      })
    ),
    on(
      "aborts one run and leaves the others alone",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* launched(scene, ear)
        const other = yield* launched(scene, ear)
        yield* scene.workers.abortWorker(run.runId, "not needed")
        yield* expectEqual("whether the other agent is at work", yield* scene.working(other.runId), true)
        yield* expectEqual("the milestones of the other run", milestones(ear.of(other)), ["TurnStarted 1"])
      })
    ),
    on(
      "does not confirm the stop of an agent that goes on, and finishes its run when that ends",
      Effect.fnUntraced(function* (scene, ear) {
        const run = yield* launched(scene, ear, { ...goesOn, stop: "unconfirmed" })
        const answer = yield* expectSoon("an answer", scene.workers.abortWorker(run.runId, "not needed"))
        yield* expectEqual("the answer", answer, "unconfirmed")
        yield* settle
        yield* expectEqual("the milestones", milestones(ear.of(run)), ["TurnStarted 1"])
        yield* scene.release(run.runId)
        yield* ear.hear(run, "Finished")
      })
    ),
    ...(subject.closes ? [closes] : [])
  ]
}
