import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Outcome } from "../../src/domain/Outcome.ts"
import { advance, failed, id, issue, make, settle, succeeded } from "./World.ts"

describe("those who watch", () => {
  it.effect("get the present first, and then every change up to the last", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      const seen: Array<string> = []
      yield* world.orchestrator.changes.pipe(
        Stream.runForEach((snapshot) => Effect.sync(() => seen.push(snapshot.issues[0]?.phase ?? "none"))),
        Effect.forkChild
      )
      yield* settle
      assert.deepStrictEqual(seen, ["running"])
      yield* world.finish("A", failed)
      yield* advance("1 second")
      assert.strictEqual(seen.at(-1), "retry_queued")
    })
  )

  it.effect("read what is written down, in order", () =>
    Effect.gen(function* () {
      const world = yield* make()
      const seen: Array<string> = []
      yield* world.orchestrator.journal.pipe(
        Stream.runForEach(({ record }) => Effect.sync(() => seen.push(record._tag))),
        Effect.forkChild
      )
      yield* settle
      yield* world.tracker.put(issue("A"))
      yield* world.orchestrator.refresh
      yield* settle
      yield* world.finish("A", Outcome.Succeeded({ summary: "done" }))
      assert.deepStrictEqual(
        seen.filter((tag) => tag !== "IssueSaved"),
        ["RunClaimed", "RunLaunched", "RunEnded", "RetryQueued"]
      )
    })
  )

  it.effect("see a pause, a resume, and the runtime's own word", () =>
    Effect.gen(function* () {
      const world = yield* make()
      yield* world.orchestrator.pause("lunch")
      yield* settle
      assert.deepStrictEqual(yield* world.gates, ["paused"])
      yield* world.orchestrator.resume
      yield* settle
      assert.deepStrictEqual(yield* world.gates, [])
    })
  )
})

describe("idle", () => {
  it.effect("comes after a poll that began after the last run ended", () =>
    Effect.gen(function* () {
      const world = yield* make({ issues: [issue("A")] })
      const idle = yield* Effect.forkChild(world.orchestrator.idle)
      yield* advance("1 second")
      yield* world.tracker.move(id("A"), "Backlog")
      yield* world.tracker.setLatency(500)
      yield* world.finish("A", succeeded)
      yield* advance("600 millis")
      assert.isUndefined(idle.pollUnsafe())
      yield* advance("30 seconds")
      assert.isDefined(idle.pollUnsafe())
      const requests = yield* world.tracker.requests.calls
      assert.strictEqual(
        requests.findLast(({ operation }) => operation === "candidateIssues")?.operation,
        "candidateIssues"
      )
    })
  )

  it.effect("does not wait for held and blocked issues", () =>
    Effect.gen(function* () {
      const blockedBy = [{ id: id("X"), identifier: "X", state: "Todo", note: null }]
      const world = yield* make({ issues: [issue("A", { blockedBy })] })
      const idle = yield* Effect.forkChild(world.orchestrator.idle)
      yield* advance("1 second")
      assert.isDefined(idle.pollUnsafe())
    })
  )
})
