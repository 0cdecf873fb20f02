/**
 * A WorkerBackend over an AgentRuntime: one session per run, turns until the work is done. It keeps the runs that are
 * not over, their updates, and sees to it that nothing outlives the layer.
 *
 * The silence limit and the cap of a turn's time are not judged here. The scheduler judges them from what is reported
 * (every update is a sign of life), so that one place orders stops; here that is only done truthfully and at once.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RunId } from "../domain/Ids.ts"
import * as Policy from "../domain/Policy.ts"
import { AgentRuntime } from "../ports/AgentRuntime.ts"
import { AgentTools } from "../ports/AgentTools.ts"
import {
  type LaunchError,
  LaunchFailed,
  WorkerBackend,
  type WorkerLaunch,
  type WorkerRequest
} from "../ports/WorkerBackend.ts"
import { WorkspaceBackend } from "../ports/WorkspaceBackend.ts"
import * as SessionRun from "./SessionRun.ts"
import type { RenderPrompt } from "./TurnLoop.ts"
import * as UpdateQueue from "./UpdateQueue.ts"

export interface Options {
  /** Renders the workflow's template for the first turn of a run, and again where the agent remembers nothing. */
  readonly renderPrompt: RenderPrompt
  /**
   * How long a stop may take until it counts as unconfirmed, in milliseconds; 30 s unless told. A stop that is
   * confirmed later is still acted on.
   */
  readonly stopTimeoutMs?: number
}

const make = Effect.fnUntraced(function* (options: Options) {
  const runtime = yield* AgentRuntime
  const workspaces = yield* WorkspaceBackend
  const tools = yield* AgentTools
  const queue = yield* UpdateQueue.make
  const stopTimeoutMs = options.stopTimeoutMs ?? Policy.defaults.stopTimeoutMs
  const runs = new Map<RunId, SessionRun.SessionRun>()
  let closed = false

  const begin = (request: WorkerRequest): Effect.Effect<SessionRun.SessionRun, LaunchFailed> =>
    Effect.suspend(() => {
      const { runId } = request
      if (closed) {
        return new LaunchFailed({ runId, message: "no run starts any more: workers are shut down", unavailable: true })
      }
      if (runs.has(runId)) {
        return new LaunchFailed({
          runId,
          message: `run ${runId} exists already; give each run its own id`,
          unavailable: false
        })
      }
      const run = SessionRun.makeUnsafe(
        {
          runtime,
          workspaces,
          tools,
          renderPrompt: options.renderPrompt,
          stopTimeoutMs,
          offer: queue.offer,
          forget: Effect.sync(() => runs.delete(runId))
        },
        request
      )
      runs.set(runId, run)
      return Effect.as(run.begin, run)
    })

  const giveUp = (run: SessionRun.SessionRun) =>
    Effect.andThen(run.silence, run.stop("nobody waits for the launch any more"))

  const startWorker = (request: WorkerRequest): Effect.Effect<WorkerLaunch, LaunchError> =>
    Effect.suspend(() => {
      let begun: SessionRun.SessionRun | null = null
      const started = Effect.tap(begin(request), (run) =>
        Effect.sync(() => {
          begun = run
        })
      )
      return Effect.uninterruptible(started).pipe(
        Effect.flatMap((run) => run.launched),
        Effect.onInterrupt(() => (begun === null ? Effect.void : giveUp(begun)))
      )
    })

  const abortWorker = (runId: RunId, reason: string) =>
    Effect.suspend(() => runs.get(runId)?.stop(reason) ?? Effect.succeed("confirmed" as const))

  const shutDown = Effect.gen(function* () {
    closed = true
    const left = [...runs.values()]
    if (left.length > 0) yield* Effect.logInfo(`stopping ${left.length} runs: workers are shut down`)
    yield* Effect.forEach(
      left,
      (run) =>
        Effect.flatMap(run.stop("the orchestrator shuts down"), (result) =>
          result === "unconfirmed" ? run.abandon : Effect.void
        ),
      { concurrency: "unbounded", discard: true }
    )
    yield* queue.end
  })

  yield* Effect.addFinalizer(() => shutDown)
  return WorkerBackend.of({ startWorker, abortWorker, updates: queue.updates })
})

/** Executes runs with the agents of an {@link AgentRuntime}. Closing the layer stops all of them at once. */
export const layer = (options: Options): Layer.Layer<WorkerBackend, never, AgentRuntime | WorkspaceBackend> =>
  Layer.effect(WorkerBackend, make(options))
