/** What the tests of `session/` share: workers over an agent function, with everything they report at hand. */
import { Context, Effect, Exit, Layer, Scope, Stream } from "effect"
import { IssueId, RunId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { AgentRuntime, type OpenSession, TurnResult } from "../../src/ports/AgentRuntime.ts"
import {
  TurnVerdict,
  WorkerBackend,
  type WorkerBackendService,
  type WorkerRequest,
  type WorkerUpdate
} from "../../src/ports/WorkerBackend.ts"
import * as SessionWorkers from "../../src/session/SessionWorkers.ts"
import type { RenderPrompt } from "../../src/session/TurnLoop.ts"
import * as MemoryRuntime from "../../src/testing/MemoryRuntime.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"

export const issue = Issue.make({ id: IssueId("1"), identifier: "ABC-1", title: "A title", state: "Todo" })

export const renderPrompt: RenderPrompt = ({ issue, attempt }) =>
  Effect.succeed(`prompt for ${issue.identifier} in ${issue.state}, attempt ${attempt}`)

export const completed = TurnResult.Completed({ summary: "done" })

export interface World {
  readonly workers: WorkerBackendService
  readonly runtime: MemoryRuntime.MemoryRuntime
  readonly workspaces: MemoryWorkspaces.MemoryWorkspaces
  /** A request in a workspace that exists; the run is told to stop after its first turn unless the test says more. */
  readonly request: (overrides?: Partial<WorkerRequest>) => Effect.Effect<WorkerRequest>
  /** What the workers reported so far, if `listen` was not switched off. */
  readonly updates: ReadonlyArray<WorkerUpdate>
  /** Closes the workers' layer. */
  readonly close: Effect.Effect<void>
}

export interface WorldOptions extends MemoryRuntime.Options {
  readonly renderPrompt?: RenderPrompt
  readonly stopTimeoutMs?: number
  readonly listen?: boolean
  /** Runs before a session is opened. */
  readonly beforeOpen?: Effect.Effect<unknown>
  /** Runs while a session is closed. */
  readonly whileClosing?: Effect.Effect<unknown>
}

export const make = Effect.fnUntraced(function* (agent: MemoryRuntime.Agent, options: WorldOptions = {}) {
  const runtime = yield* MemoryRuntime.make(agent, options)
  const workspaces = yield* MemoryWorkspaces.make()
  const observed = {
    ...runtime.service,
    openSession: (request: OpenSession) =>
      Effect.andThen(options.beforeOpen ?? Effect.void, runtime.service.openSession(request)).pipe(
        Effect.tap(() => Effect.addFinalizer(() => options.whileClosing ?? Effect.void))
      )
  }
  const scope = yield* Scope.make()
  const layer = SessionWorkers.layer({ renderPrompt, ...options }).pipe(
    Layer.provide([Layer.succeed(AgentRuntime, observed), workspaces.layer])
  )
  const workers = Context.get(yield* Layer.buildWithScope(layer, scope), WorkerBackend)
  const updates: Array<WorkerUpdate> = []
  if (options.listen !== false) {
    yield* workers.updates.pipe(
      Stream.runForEach((update) => Effect.sync(() => updates.push(update))),
      Effect.forkScoped
    )
  }
  const close = Scope.close(scope, Exit.void)
  yield* Effect.addFinalizer(() => close)
  const request: World["request"] = (overrides = {}) =>
    Effect.gen(function* () {
      const subject = overrides.issue ?? issue
      return {
        runId: RunId("run-1"),
        issue: subject,
        attempt: null,
        maxTurns: 3,
        workspace: yield* Effect.orDie(workspaces.service.ensureWorkspace(subject)),
        betweenTurns: () => Effect.succeed(TurnVerdict.Stop({ reason: "not active any more" })),
        ...overrides
      }
    })
  const world: World = { workers, runtime, workspaces, request, updates, close }
  return world
})

/** Lets other fibers run until this is true; a test that waits in vain fails. */
export const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let step = 0; step < 10_000; step++) {
      if (condition()) return
      yield* Effect.yieldNow
    }
    return yield* Effect.die(new Error(`waited in vain for ${condition.toString()}`))
  })

/** Lets other fibers do all they can do now. */
export const settle: Effect.Effect<void> = Effect.gen(function* () {
  for (let step = 0; step < 200; step++) yield* Effect.yieldNow
})

export const finishedOf = (updates: ReadonlyArray<WorkerUpdate>) =>
  updates.filter((update) => update._tag === "Finished")

/** Waits for the one `Finished` and answers with it. */
export const finished = (world: World) =>
  Effect.gen(function* () {
    yield* until(() => finishedOf(world.updates).length > 0)
    yield* settle
    const all = finishedOf(world.updates)
    if (all.length !== 1) return yield* Effect.die(new Error(`${all.length} Finished instead of one`))
    return all[0]!
  })
