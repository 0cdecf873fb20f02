/** What the orchestrator's tests share: the live driver on the in-memory doubles, under the test clock. */
import { Context, Effect, Exit, Layer, Queue, Scope, Stream } from "effect"
import { IssueId, type RunId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Policy from "../../src/domain/Policy.ts"
import {
  type Backends,
  type Configuration,
  ConfigurationError,
  ConfigurationSource,
  ConfigurationUpdate
} from "../../src/orchestrator/Configuration.ts"
import * as MemoryRunStore from "../../src/orchestrator/MemoryRunStore.ts"
import * as Orchestrator from "../../src/orchestrator/Orchestrator.ts"
import { RunStore, type RunStoreService } from "../../src/ports/RunStore.ts"
import type { RuntimeHealth } from "../../src/ports/AgentRuntime.ts"
import * as MemoryTracker from "../../src/testing/MemoryTracker.ts"
import * as MemoryWorkers from "../../src/testing/MemoryWorkers.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"
import * as VirtualTime from "../../src/testing/VirtualTime.ts"

export const { advance, settle } = VirtualTime

export const id = (name: string): IssueId => IssueId(name)

export const issue = (name: string, fields: Partial<Issue.Issue> = {}): Issue.Issue =>
  Issue.make({ id: id(name), identifier: name, title: name, state: "Todo", ...fields })

export const succeeded = Outcome.Succeeded({ summary: null })
export const failed = Outcome.Failed({ reason: "broken" })

export interface Options {
  readonly policy?: Partial<Policy.Policy>
  readonly issues?: ReadonlyArray<Issue.Issue>
  readonly store?: RunStoreService
  /** Changes what the orchestrator gets to use. */
  readonly backends?: (backends: Backends) => Backends
}

export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const policy: Policy.Policy = { ...Policy.defaults, ...options.policy }
  const tracker = yield* MemoryTracker.make(options.issues ?? [])
  const workspaces = yield* MemoryWorkspaces.make()
  const workers = yield* MemoryWorkers.make()
  const store = options.store ?? MemoryRunStore.make()
  const health = yield* Queue.unbounded<RuntimeHealth>()
  const updates = yield* Queue.unbounded<ConfigurationUpdate>()
  const doubles: Backends = {
    tracker: tracker.service,
    workspaces: workspaces.service,
    workers: workers.service,
    health: Stream.fromQueue(health)
  }
  const backends = options.backends?.(doubles) ?? doubles
  const first: Configuration = { policy, adapters: "first", open: Effect.succeed(backends) }
  const source = Layer.succeed(ConfigurationSource, {
    initial: Effect.succeed(first),
    updates: Stream.fromQueue(updates)
  })
  const scope = yield* Scope.make()
  const close = Scope.close(scope, Exit.void)
  yield* Effect.addFinalizer(() => close)
  const layer = Orchestrator.layer.pipe(Layer.provide([source, Layer.succeed(RunStore, store)]))
  const orchestrator = Context.get(yield* Layer.buildWithScope(layer, scope), Orchestrator.Orchestrator)
  yield* settle

  const view = (name: string) =>
    Effect.flatMap(orchestrator.snapshot, ({ issues }) => {
      const found = issues.find(({ identifier }) => identifier === name)
      return found === undefined ? Effect.die(new Error(`${name} is not known`)) : Effect.succeed(found)
    })

  const runOf = (name: string): Effect.Effect<RunId> =>
    Effect.flatMap(workers.live, (live) => {
      const found = live.find((request) => request.issue.identifier === name)
      return found === undefined ? Effect.die(new Error(`no agent works on ${name}`)) : Effect.succeed(found.runId)
    })

  return {
    orchestrator,
    tracker,
    workspaces,
    workers,
    health,
    close,
    backends: doubles,
    first,
    view,
    runOf,
    phase: (name: string) => Effect.map(view(name), ({ phase }) => phase),
    /** The issues that agents work on now. */
    working: Effect.map(workers.live, (live) => live.map((request) => request.issue.identifier).sort()),
    gates: Effect.map(orchestrator.snapshot, (snapshot) => snapshot.gates.map(({ gate }) => gate)),
    finish: (name: string, outcome: Outcome = succeeded) =>
      Effect.flatMap(runOf(name), (runId) => Effect.andThen(workers.finish(runId, outcome), settle)),
    reload: (configuration: Partial<Configuration>) => {
      const changed = ConfigurationUpdate.Changed({ configuration: { ...first, ...configuration } })
      return Effect.andThen(Queue.offer(updates, changed), settle)
    },
    breakConfiguration: (problem: string) =>
      Effect.andThen(Queue.offer(updates, ConfigurationUpdate.Broken({ problem })), settle),
    unbuildable: Effect.fail(new ConfigurationError({ message: "no such folder" }))
  }
})

/** Waits, without time passing, until this is so; a test that waits in vain fails. */
export const until = <E>(condition: Effect.Effect<boolean, E>): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    for (let turn = 0; turn < 10_000; turn++) {
      if (yield* condition) return
      yield* Effect.yieldNow
    }
    return yield* Effect.die(new Error("waited in vain"))
  })
