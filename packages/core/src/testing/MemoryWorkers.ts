/**
 * Workers in memory: a WorkerBackend whose agents a test plays. Launches are recorded; the handle reports activity,
 * turns, usage and the end of each run, and decides how launches fail and how stops are answered.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RunId, SessionId } from "../domain/Ids.ts"
import { Outcome } from "../domain/Outcome.ts"
import * as Usage from "../domain/Usage.ts"
import type { StopResult } from "../ports/AgentRuntime.ts"
import {
  type LaunchError,
  LaunchFailed,
  TurnVerdict,
  WorkerBackend,
  type WorkerBackendService,
  type WorkerRequest,
  WorkerUpdate
} from "../ports/WorkerBackend.ts"
import * as UpdateQueue from "../session/UpdateQueue.ts"
import * as CallLog from "./CallLog.ts"
import * as Script from "./Script.ts"

/** What an order to stop leads to. `never`: no answer until the run ends by itself. */
export type StopBehaviour = StopResult | "never"

export interface Options {
  /**
   * Ends every run right after its launch, with what this returns. Benchmarks use it; no test has to end runs then.
   */
  readonly autoFinish?: (request: WorkerRequest) => Outcome
}

export interface Abort {
  readonly runId: RunId
  readonly reason: string
}

export interface MemoryWorkers {
  readonly service: WorkerBackendService
  readonly layer: Layer.Layer<WorkerBackend>
  /** Rules for launches that fail, hang or take long; see {@link Script}. */
  readonly script: Script.Script<"startWorker", LaunchError>
  readonly setStop: (behaviour: StopBehaviour) => Effect.Effect<void>
  readonly activity: (runId: RunId, summary?: string) => Effect.Effect<void>
  /** Reports the session and the run's total usage so far. */
  readonly sessionUpdated: (runId: RunId, session: SessionId | null, usage?: Usage.Usage) => Effect.Effect<void>
  /**
   * Completes the turn and, unless it was the last allowed one, asks whether to go on; begins the next turn when told
   * so. Answers with the verdict; ending the run stays with the caller.
   */
  readonly turnCompleted: (runId: RunId, summary?: string) => Effect.Effect<TurnVerdict>
  /** Ends a run, also one whose stop was not confirmed. An unknown run does nothing. */
  readonly finish: (runId: RunId, outcome: Outcome, usage?: Usage.Usage) => Effect.Effect<void>
  /** The runs that are under way, oldest first. */
  readonly live: Effect.Effect<ReadonlyArray<WorkerRequest>>
  readonly launches: CallLog.CallLog<WorkerRequest>
  readonly aborts: CallLog.CallLog<Abort>
}

interface LiveRun {
  readonly request: WorkerRequest
  readonly ended: Deferred.Deferred<void>
  turn: number
  usage: Usage.Usage
}

/** Workers that have nothing to do. */
export const make = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<MemoryWorkers> {
  const queue = yield* UpdateQueue.make
  const runs = new Map<RunId, LiveRun>()
  const launches = CallLog.makeUnsafe<WorkerRequest>()
  const aborts = CallLog.makeUnsafe<Abort>()
  const script = Script.makeUnsafe<"startWorker", LaunchError>()
  let stopBehaviour: StopBehaviour = "confirmed"

  const withRun = <A>(runId: RunId, unknown: A, act: (run: LiveRun) => Effect.Effect<A>): Effect.Effect<A> =>
    Effect.suspend(() => {
      const run = runs.get(runId)
      return run === undefined ? Effect.succeed(unknown) : act(run)
    })

  const finish = (runId: RunId, outcome: Outcome, usage?: Usage.Usage): Effect.Effect<void> =>
    withRun(runId, undefined, (run) =>
      Effect.suspend(() => {
        runs.delete(runId)
        return Effect.andThen(
          queue.offer(WorkerUpdate.Finished({ runId, outcome, usage: usage ?? run.usage })),
          Effect.asVoid(Deferred.succeed(run.ended, undefined))
        )
      })
    )

  const beginTurn = (run: LiveRun): Effect.Effect<void> =>
    Effect.suspend(() => {
      run.turn++
      return queue.offer(WorkerUpdate.TurnStarted({ runId: run.request.runId, turn: run.turn }))
    })

  const startWorker: WorkerBackendService["startWorker"] = (request) =>
    Effect.gen(function* () {
      const { issue, runId } = request
      yield* launches.record(request)
      yield* script.play("startWorker", issue.id)
      if (runs.has(runId)) {
        return yield* new LaunchFailed({ runId, message: `run ${runId} exists already`, unavailable: false })
      }
      const run: LiveRun = { request, ended: Deferred.makeUnsafe(), turn: 0, usage: Usage.zero }
      runs.set(runId, run)
      yield* beginTurn(run)
      // In a fiber of its own, which begins after this launch is reported.
      if (options.autoFinish !== undefined) yield* Effect.forkDetach(finish(runId, options.autoFinish(request)))
      return { runId, session: null }
    })

  const abortWorker: WorkerBackendService["abortWorker"] = (runId, reason) =>
    Effect.andThen(
      aborts.record({ runId, reason }),
      withRun<StopResult>(runId, "confirmed", (run) => {
        switch (stopBehaviour) {
          case "confirmed":
            return Effect.as(finish(runId, Outcome.Cancelled({ reason })), "confirmed")
          case "unconfirmed":
            return Effect.succeed("unconfirmed")
          case "never":
            return Effect.as(Deferred.await(run.ended), "confirmed")
        }
      })
    )

  const turnCompleted = (runId: RunId, summary?: string): Effect.Effect<TurnVerdict> =>
    withRun(runId, TurnVerdict.Stop({ reason: "the run is over" }), (run) =>
      Effect.gen(function* () {
        yield* queue.offer(WorkerUpdate.TurnCompleted({ runId, turn: run.turn, summary: summary ?? null }))
        if (run.turn >= run.request.maxTurns) return TurnVerdict.Stop({ reason: "the last allowed turn" })
        const verdict = yield* run.request.betweenTurns(run.turn)
        if (verdict._tag === "Continue" && runs.has(runId)) yield* beginTurn(run)
        return verdict
      })
    )

  const service: WorkerBackendService = { startWorker, abortWorker, updates: queue.updates }

  return {
    service,
    layer: Layer.succeed(WorkerBackend, service),
    script,
    setStop: (behaviour) =>
      Effect.sync(() => {
        stopBehaviour = behaviour
      }),
    activity: (runId, summary = "working") =>
      withRun(runId, undefined, () => queue.offer(WorkerUpdate.Activity({ runId, kind: "message", summary }))),
    sessionUpdated: (runId, session, usage) =>
      withRun(runId, undefined, (run) => {
        run.usage = usage ?? run.usage
        return queue.offer(WorkerUpdate.SessionUpdated({ runId, session, usage: run.usage }))
      }),
    turnCompleted,
    finish,
    live: Effect.sync(() => [...runs.values()].map(({ request }) => request)),
    launches,
    aborts
  }
})
