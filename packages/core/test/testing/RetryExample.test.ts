import { it, assert } from "@effect/vitest"
import { Configuration, Issue, IssueId, MemoryRunStore, Orchestrator, Outcome, Policy } from "@opensymphony/core"
import { MemoryTracker, MemoryWorkers, MemoryWorkspaces, VirtualTime } from "@opensymphony/core/testing"
import { Effect, Layer } from "effect"

const issue = Issue.make({ id: IssueId("1"), identifier: "A-1", title: "First", state: "Todo" })

it.effect("retries a failed run after its backoff", () =>
  Effect.gen(function* () {
    const tracker = yield* MemoryTracker.make([issue])
    const workspaces = yield* MemoryWorkspaces.make()
    const workers = yield* MemoryWorkers.make({ autoFinish: () => Outcome.Outcome.Failed({ reason: "no luck" }) })
    const layer = Orchestrator.layer.pipe(
      Layer.provide(Configuration.layer(Policy.defaults)),
      Layer.provide([tracker.layer, workspaces.layer, workers.layer, MemoryRunStore.layer])
    )
    yield* Effect.gen(function* () {
      const orchestrator = yield* Orchestrator.Orchestrator
      yield* VirtualTime.advance("1 second")
      const [view] = (yield* orchestrator.snapshot).issues
      assert.strictEqual(view?.phase, "retry_queued")
      yield* VirtualTime.advance("10 seconds")
      assert.strictEqual((yield* orchestrator.snapshot).issues[0]?.runs, 2)
    }).pipe(Effect.provide(layer))
  })
)
