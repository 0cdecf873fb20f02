import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as MemoryRunStore from "../../src/orchestrator/MemoryRunStore.ts"
import { RunStoreError, type RunStoreService, type StampedRecord } from "../../src/ports/RunStore.ts"
import { advance, failed, id, issue, make, settle } from "./World.ts"

/** A store whose disk can be full. */
const makeStore = () => {
  const inner = MemoryRunStore.make()
  const disk = { works: true, hangs: false, tries: 0 }
  const store: RunStoreService = {
    load: inner.load,
    append: (records) =>
      Effect.suspend(() => {
        disk.tries++
        if (disk.hangs) return Effect.never
        return disk.works ? inner.append(records) : new RunStoreError({ message: "the disk is full" })
      })
  }
  return { store, disk, inner }
}

const tags = (history: ReadonlyArray<StampedRecord>) => history.map(({ record }) => record._tag)

describe("a run store that fails", () => {
  it.effect("starts nothing until it works, and then at once", () =>
    Effect.gen(function* () {
      const { disk, inner, store } = makeStore()
      const world = yield* make({ store })
      disk.works = false
      yield* world.tracker.put(issue("A"))
      yield* world.orchestrator.refresh
      yield* advance("20 seconds")
      assert.deepStrictEqual(yield* world.working, [])
      assert.deepStrictEqual((yield* world.workspaces.calls.calls).length, 1)
      disk.works = true
      yield* advance("1 second")
      assert.deepStrictEqual(yield* world.working, ["A"])
      assert.deepStrictEqual(
        tags(inner.history()).filter((tag) => tag.startsWith("Run")),
        ["RunClaimed", "RunLaunched"]
      )
    })
  )

  it.effect("is tried again every second, however much happens", () =>
    Effect.gen(function* () {
      const { disk, store } = makeStore()
      const world = yield* make({ store, issues: [issue("A")] })
      disk.works = false
      disk.tries = 0
      const runId = yield* world.runOf("A")
      for (let index = 1; index <= 50; index++) {
        const usage = { inputTokens: index, outputTokens: 0, cacheReadTokens: 0, costUsd: 0 }
        yield* world.workers.sessionUpdated(runId, null, usage)
        yield* advance("100 millis")
      }
      assert.isAtMost(disk.tries, 7)
      assert.isAtLeast(disk.tries, 5)
    })
  )

  it.effect("delays no stop", () =>
    Effect.gen(function* () {
      const { disk, store } = makeStore()
      const world = yield* make({ store, issues: [issue("A"), issue("B")] })
      disk.works = false
      yield* world.orchestrator.hold(id("A"), "")
      yield* settle
      assert.deepStrictEqual(yield* world.working, ["B"])
      yield* world.orchestrator.hold(id("B"), "")
      yield* settle
      assert.deepStrictEqual(yield* world.working, [])
    })
  )

  it.effect("keeps no stall from being noticed", () =>
    Effect.gen(function* () {
      const { disk, store } = makeStore()
      const world = yield* make({ store, policy: { stallTimeoutMs: 60_000 }, issues: [issue("A")] })
      disk.works = false
      yield* world.orchestrator.pause("to have something to write down")
      yield* advance("61 seconds", 1_000)
      assert.deepStrictEqual(yield* world.working, [])
    })
  )

  it.effect("that hangs is given up and delays no stop for long", () =>
    Effect.gen(function* () {
      const { disk, store } = makeStore()
      const world = yield* make({ store, issues: [issue("A")] })
      disk.hangs = true
      yield* world.orchestrator.hold(id("A"), "")
      yield* advance("11 seconds", 1_000)
      assert.deepStrictEqual(yield* world.working, [])
      assert.strictEqual(yield* world.phase("A"), "held")
    })
  )

  it.effect("does not start what was stopped meanwhile", () =>
    Effect.gen(function* () {
      const { disk, store } = makeStore()
      const world = yield* make({ store })
      disk.works = false
      yield* world.tracker.put(issue("A"))
      yield* world.orchestrator.refresh
      yield* settle
      assert.strictEqual(yield* world.phase("A"), "claimed")
      yield* world.orchestrator.hold(id("A"), "not now")
      yield* settle
      assert.strictEqual(yield* world.phase("A"), "held")
      disk.works = true
      yield* advance("2 seconds")
      const operations = (yield* world.workspaces.calls.calls).map(({ operation }) => operation)
      assert.notInclude(operations, "ensureWorkspace")
    })
  )

  it.effect("loses no record of the outage", () =>
    Effect.gen(function* () {
      const { disk, inner, store } = makeStore()
      const world = yield* make({ store, issues: [issue("A")] })
      disk.works = false
      yield* world.finish("A", failed)
      yield* world.orchestrator.hold(id("A"), "")
      yield* advance("5 seconds")
      disk.works = true
      yield* advance("1 second")
      assert.deepStrictEqual(
        tags(inner.history()).filter((tag) => !tag.endsWith("Saved")),
        ["RunClaimed", "RunLaunched", "RunEnded", "RetryQueued", "HoldPlaced"]
      )
    })
  )
})

describe("a restart", () => {
  it.effect("knows counters, due times, holds and interrupted runs", () =>
    Effect.gen(function* () {
      const store = MemoryRunStore.make()
      const issues = [issue("A"), issue("B"), issue("C")]
      const before = yield* make({ store, issues })
      yield* before.finish("A", failed)
      yield* before.orchestrator.hold(id("B"), "not today")
      yield* settle
      const after = yield* make({ store: MemoryRunStore.make(yield* store.load), issues })
      assert.strictEqual(yield* after.phase("A"), "retry_queued")
      assert.strictEqual((yield* after.view("A")).retryInMs, 10_000)
      assert.strictEqual(yield* after.phase("B"), "held")
      assert.deepStrictEqual(yield* after.working, ["C"])
      assert.strictEqual((yield* after.view("C")).runs, 2)
      yield* advance("10 seconds")
      assert.deepStrictEqual(yield* after.working, ["A", "C"])
    })
  )
})
