import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { IssueId, RunId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Policy from "../../src/domain/Policy.ts"
import { TrackerRateLimited } from "../../src/ports/TrackerBackend.ts"
import * as Configuration from "../../src/orchestrator/Configuration.ts"
import * as MemoryRunStore from "../../src/orchestrator/MemoryRunStore.ts"
import * as Orchestrator from "../../src/orchestrator/Orchestrator.ts"
import * as MemoryTracker from "../../src/testing/MemoryTracker.ts"
import * as MemoryWorkers from "../../src/testing/MemoryWorkers.ts"
import * as MemoryWorkspaces from "../../src/testing/MemoryWorkspaces.ts"
import * as VirtualTime from "../../src/testing/VirtualTime.ts"

const issue = (identifier: string, priority: Issue.Priority) =>
  Issue.make({ id: IssueId(identifier), identifier, title: identifier, state: "Todo", priority })

const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 3, costUsd: 0.5 }

/** An orchestrator of one slot, and what it works with. */
const make = Effect.gen(function* () {
  const tracker = yield* MemoryTracker.make([issue("A-1", 1), issue("A-2", 2)])
  const workspaces = yield* MemoryWorkspaces.make()
  const workers = yield* MemoryWorkers.make()
  const layer = Orchestrator.layer.pipe(
    Layer.provide(Configuration.layer({ ...Policy.defaults, maxConcurrentAgents: 1 })),
    Layer.provide([tracker.layer, workspaces.layer, workers.layer, MemoryRunStore.layer])
  )
  const context = yield* Layer.build(layer)
  const orchestrator = yield* Effect.provideContext(Orchestrator.Orchestrator, context)
  yield* VirtualTime.advance("1 second")
  const row = (identifier: string) =>
    Effect.map(orchestrator.snapshot, ({ issues }) => issues.find((view) => view.identifier === identifier))
  /** The one run that is live. */
  const live = Effect.map(workers.live, ([run]) => run?.runId ?? RunId("none"))
  const fail = Effect.flatMap(live, (runId) => workers.finish(runId, Outcome.Failed({ reason: "no luck" }), usage))
  return { tracker, workers, orchestrator, row, live, fail }
})

describe("the snapshot of an orchestrator", () => {
  it.effect("has a row for a queued retry: identifier, runs so far, when it is due, and the error", () =>
    Effect.gen(function* () {
      const { fail, row } = yield* make
      yield* fail
      yield* VirtualTime.advance("2 seconds")
      const retry = yield* row("A-1")
      assert.deepInclude(retry, { phase: "retry_queued", runs: 1, lastOutcome: "failed", retryInMs: 8_000 })
      assert.include(retry?.reason, "no luck")
    })
  )

  it.effect("says of a retry that is due that it waits for a slot", () =>
    Effect.gen(function* () {
      const { fail, row } = yield* make
      yield* fail
      yield* VirtualTime.advance("11 seconds")
      const retry = yield* row("A-1")
      assert.deepInclude(retry, { phase: "retry_queued", retryInMs: 0 })
      assert.include(retry?.reason, "waits for a slot: 1 of 1 are taken")
    })
  )

  it.effect("has a row for a running agent, and the totals of what was used", () =>
    Effect.gen(function* () {
      const { fail, live, orchestrator, row, workers } = yield* make
      yield* fail
      yield* VirtualTime.advance("1 second")
      const runId = yield* live
      yield* workers.sessionUpdated(runId, null, usage)
      yield* VirtualTime.settle
      assert.deepInclude((yield* row("A-2"))?.run, { runId, attempt: null, turn: 1, usage })
      assert.deepInclude((yield* orchestrator.snapshot).usageToday, { inputTokens: 200, costUsd: 1 })
    })
  )

  it.effect("has the rate limit of the tracker", () =>
    Effect.gen(function* () {
      const { orchestrator, tracker } = yield* make
      yield* tracker.failWith(new TrackerRateLimited({ message: "too many requests", retryAtMs: 600_000 }))
      yield* VirtualTime.advance("40 seconds")
      const snapshot = yield* orchestrator.snapshot
      assert.deepInclude(snapshot.tracker, { healthy: false, error: "too many requests" })
      assert.strictEqual(snapshot.gates.length, 1)
    })
  )

  it.effect("asks the tracker about nobody where nothing runs and nothing waits", () =>
    Effect.gen(function* () {
      const { fail, tracker } = yield* make
      yield* tracker.remove(IssueId("A-1"))
      yield* tracker.remove(IssueId("A-2"))
      yield* fail
      yield* VirtualTime.advance("3 minutes", 1_000)
      yield* tracker.requests.clear
      yield* VirtualTime.advance("1 minute", 1_000)
      const operations = (yield* tracker.requests.calls).map(({ operation }) => operation)
      assert.deepStrictEqual([...new Set(operations)], ["candidateIssues"])
    })
  )
})
