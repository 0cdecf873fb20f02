// The real orchestrator on the in-memory doubles, on a clock that can be moved on, with an eye on every launch.
import type { RunId } from "@opensymphony/core/domain/Ids"
import type { Issue } from "@opensymphony/core/domain/Issue"
import { Outcome } from "@opensymphony/core/domain/Outcome"
import * as Policy from "@opensymphony/core/domain/Policy"
import * as Configuration from "@opensymphony/core/orchestrator/Configuration"
import * as MemoryRunStore from "@opensymphony/core/orchestrator/MemoryRunStore"
import * as Orchestrator from "@opensymphony/core/orchestrator/Orchestrator"
import { RunStore } from "@opensymphony/core/ports/RunStore"
import { WorkerBackend, type WorkerBackendService, type WorkerRequest } from "@opensymphony/core/ports/WorkerBackend"
import { MemoryTracker, MemoryWorkers, MemoryWorkspaces } from "@opensymphony/core/testing"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"

export interface Launch {
  readonly request: WorkerRequest
  /** `performance.now()` when the worker was asked to start. */
  readonly at: number
}

export interface Fleet {
  readonly orchestrator: Orchestrator.OrchestratorService
  readonly tracker: MemoryTracker.MemoryTracker
  readonly workers: MemoryWorkers.MemoryWorkers
  /** Every launch so far, oldest first. */
  readonly launches: ReadonlyArray<Launch>
  /** Returns when there were this many launches. */
  readonly launched: (count: number) => Effect.Effect<void>
  /** Moves both clocks on; nothing that waits is woken. */
  readonly moveOn: (ms: number) => void
  /** What an agent does last: moves its issue to Done, then ends. Returns the instant of the end. */
  readonly complete: (run: { readonly runId: RunId; readonly issue: Issue }) => Effect.Effect<number>
}

/** The live clock with an offset: only what a program reads moves, not what it sleeps. */
const movableClock = (real: Clock.Clock) => {
  let offsetMs = 0
  const offsetNanos = () => BigInt(offsetMs) * 1_000_000n
  const millis = () => real.currentTimeMillisUnsafe() + offsetMs
  const nanos = () => real.currentTimeNanosUnsafe() + offsetNanos()
  const monotonic = () => real.monotonicTimeNanosUnsafe() + offsetNanos()
  const clock: Clock.Clock = {
    sleep: (duration) => real.sleep(duration),
    currentTimeMillisUnsafe: millis,
    currentTimeNanosUnsafe: nanos,
    monotonicTimeNanosUnsafe: monotonic,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanos: Effect.sync(monotonic)
  }
  const moveOn = (ms: number): void => {
    offsetMs += ms
  }
  return { clock, moveOn }
}

/** Lets everything else run, whatever it takes, until the condition holds. */
const settled = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.andThen(Effect.yieldNow, settled(condition))))

export interface FleetOptions {
  readonly issues: ReadonlyArray<Issue>
  readonly slots: number
  /** Starts with the operator's pause. */
  readonly paused?: boolean
}

/** Builds a fleet that lives as long as the scope. Polls once; later polls do not fall due by themselves. */
export const make = (options: FleetOptions): Effect.Effect<Fleet, Orchestrator.StartError, Scope.Scope> =>
  Effect.gen(function* () {
    const { clock, moveOn } = movableClock(yield* Clock.Clock)
    const tracker = yield* MemoryTracker.make(options.issues)
    const workspaces = yield* MemoryWorkspaces.make()
    const workers = yield* MemoryWorkers.make()
    const launches: Array<Launch> = []
    const service: WorkerBackendService = {
      ...workers.service,
      startWorker: (request) => {
        launches.push({ request, at: performance.now() })
        return workers.service.startWorker(request)
      }
    }
    const policy: Policy.Policy = {
      ...Policy.defaults,
      maxConcurrentAgents: options.slots,
      pollIntervalMs: 86_400_000,
      stallTimeoutMs: 86_400_000
    }
    const fleet = options.paused === true ? { paused: "", usageByDay: [] } : null
    const store = MemoryRunStore.make({ issues: [], fleet })
    const layer = Orchestrator.layer.pipe(
      Layer.provide(Configuration.layer(policy)),
      Layer.provide(Layer.succeed(RunStore, store)),
      Layer.provide([tracker.layer, workspaces.layer, Layer.succeed(WorkerBackend, service)]),
      Layer.provide(Layer.succeed(Clock.Clock, clock)),
      Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
    )
    const orchestrator = Context.get(yield* Layer.build(layer), Orchestrator.Orchestrator)
    return {
      orchestrator,
      tracker,
      workers,
      launches,
      launched: (count) => settled(() => launches.length >= count),
      moveOn,
      complete: ({ runId, issue }) =>
        Effect.gen(function* () {
          yield* tracker.move(issue.id, "Done")
          const at = performance.now()
          yield* workers.finish(runId, Outcome.Succeeded({ summary: null }))
          return at
        })
    }
  })
