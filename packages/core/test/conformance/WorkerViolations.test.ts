import { describe } from "@effect/vitest"
import { Effect, Semaphore, Stream } from "effect"
import type { RunId } from "../../src/domain/Ids.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Usage from "../../src/domain/Usage.ts"
import {
  TurnVerdict,
  type WorkerBackendService,
  type WorkerRequest,
  WorkerUpdate
} from "../../src/ports/WorkerBackend.ts"
import * as UpdateQueue from "../../src/session/UpdateQueue.ts"
import { type WorkerScene, workerSuite } from "../../src/testing/conformance/WorkerSuite.ts"
import { plantAll, type Violations } from "./PlantedViolation.ts"
import { memorySessionWorkers } from "./Workers.ts"

const backend =
  (change: (workers: WorkerBackendService) => Partial<WorkerBackendService>) =>
  (scene: WorkerScene): WorkerScene => ({ ...scene, workers: { ...scene.workers, ...change(scene.workers) } })

const updates = (change: (update: WorkerUpdate) => ReadonlyArray<WorkerUpdate>) =>
  backend((workers) => ({ updates: Stream.flattenIterable(Stream.map(workers.updates, change)) }))

const endings = (change: (outcome: Outcome) => Outcome) =>
  updates((update) => [update._tag === "Finished" ? { ...update, outcome: change(update.outcome) } : update])

const requests = (change: (request: WorkerRequest) => WorkerRequest) =>
  backend(({ startWorker }) => ({ startWorker: (request) => startWorker(change(request)) }))

/** A backend that can report an end of its own invention. */
const inventive =
  (
    change: (
      workers: WorkerBackendService,
      invent: (runId: RunId) => Effect.Effect<void>
    ) => Partial<WorkerBackendService>
  ) =>
  (scene: WorkerScene): WorkerScene => {
    const queue = Effect.runSync(UpdateQueue.make)
    const invent = (runId: RunId) =>
      queue.offer(WorkerUpdate.Finished({ runId, outcome: Outcome.Cancelled({ reason: "again" }), usage: Usage.zero }))
    return backend((workers) => ({
      updates: Stream.merge(queue.updates, workers.updates),
      ...change(workers, invent)
    }))(scene)
  }

const finishesTwice = inventive(({ abortWorker }, invent) => ({
  abortWorker: (runId, reason) => Effect.tap(abortWorker(runId, reason), () => invent(runId))
}))

const violations: Violations<WorkerScene> = {
  "reports a run from its first turn to its one Finished": updates((update) =>
    update._tag === "Finished" ? [update, update] : [update]
  ),
  "runs turns while it is told to go on, up to the last allowed one": updates((update) =>
    update._tag === "TurnStarted" && update.turn === 2 ? [] : [update]
  ),
  "ends a run whose turn failed": endings(() => Outcome.Succeeded({ summary: null })),
  "ends a run whose provider refuses work": endings((outcome) =>
    outcome._tag === "UsageLimited" ? Outcome.Failed({ reason: outcome.reason }) : outcome
  ),
  "says why a run failed": endings(() => Outcome.Failed({ reason: "" })),
  "asks after every completed turn but the last allowed one": requests((request) => ({
    ...request,
    maxTurns: request.maxTurns + 1
  })),
  "ends the run with its outcome when it is told not to go on": requests((request) => ({
    ...request,
    betweenTurns: () => Effect.succeed(TurnVerdict.Continue({ issue: request.issue }))
  })),
  "reports the session and the total of what was used": updates((update) => [
    update._tag === "Finished" ? { ...update, usage: Usage.zero } : update
  ]),
  "fails a launch with its reason, and never reports that run": inventive(({ startWorker }, invent) => ({
    startWorker: (request) => Effect.tapError(startWorker(request), () => invent(request.runId))
  })),
  "leaves nothing of a launch that its caller gave up": inventive(({ startWorker }, invent) => ({
    startWorker: (request) => Effect.onInterrupt(startWorker(request), () => invent(request.runId))
  })),
  "launches runs at the same time, answers in their order, and lets no failure touch another": (scene) => {
    let latest: RunId | null = null
    return backend(({ startWorker }) => ({
      startWorker: (request) =>
        Effect.map(startWorker(request), (launch) => ({ ...launch, runId: (latest ??= launch.runId) }))
    }))(scene)
  },
  "does not let a launch that hangs keep the others waiting": (scene) => {
    const one = Semaphore.makeUnsafe(1)
    return backend(({ startWorker }) => ({ startWorker: (request) => one.withPermits(1)(startWorker(request)) }))(scene)
  },
  "confirms an abort when the agent is at rest and Finished was offered": backend(({ abortWorker }) => ({
    abortWorker: (runId, reason) => Effect.as(Effect.forkDetach(abortWorker(runId, reason)), "confirmed")
  })),
  "finishes an aborted run once, and says nothing of it after that": finishesTwice,
  "takes an unknown run for stopped": backend(() => ({ abortWorker: () => Effect.succeed("unconfirmed") })),
  "takes a finished run for stopped, and lets its outcome be": finishesTwice,
  "aborts one run and leaves the others alone": (scene) => {
    const started: Array<RunId> = []
    return backend(({ abortWorker, startWorker }) => ({
      startWorker: (request) => {
        started.push(request.runId)
        return startWorker(request)
      },
      abortWorker: (_, reason) =>
        Effect.as(
          Effect.forEach(started, (runId) => abortWorker(runId, reason)),
          "confirmed" as const
        )
    }))(scene)
  },
  "does not confirm the stop of an agent that goes on, and finishes its run when that ends": backend(
    ({ abortWorker }) => ({
      abortWorker: (runId, reason) => Effect.as(abortWorker(runId, reason), "confirmed")
    })
  ),
  "ends every agent when it is closed": (scene) => ({ ...scene, close: Effect.void })
}

describe("the worker suite", () => {
  plantAll(violations, (plant) =>
    workerSuite({ ...memorySessionWorkers, make: Effect.map(memorySessionWorkers.make, plant) })
  )
})
