import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { RunId } from "../../src/domain/Ids.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Usage from "../../src/domain/Usage.ts"
import { WorkerUpdate } from "../../src/ports/WorkerBackend.ts"
import * as UpdateQueue from "../../src/session/UpdateQueue.ts"

const a = RunId("a")
const b = RunId("b")
const activity = (runId: RunId, summary: string) => WorkerUpdate.Activity({ runId, kind: "line", summary })
const started = (runId: RunId, turn: number) => WorkerUpdate.TurnStarted({ runId, turn })
const completed = (runId: RunId, turn: number) => WorkerUpdate.TurnCompleted({ runId, turn, summary: null })
const session = (runId: RunId, inputTokens: number) =>
  WorkerUpdate.SessionUpdated({ runId, session: null, usage: { ...Usage.zero, inputTokens } })
const finished = (runId: RunId) =>
  WorkerUpdate.Finished({ runId, outcome: Outcome.Succeeded({ summary: null }), usage: Usage.zero })

/** Everything that waits in the queue, after which it is over. */
const drain = (queue: UpdateQueue.UpdateQueue) => Effect.andThen(queue.end, Stream.runCollect(queue.updates))

const offered = Effect.fnUntraced(function* (...updates: ReadonlyArray<WorkerUpdate>) {
  const queue = yield* UpdateQueue.make
  for (const update of updates) yield* queue.offer(update)
  return queue
})

describe("UpdateQueue", () => {
  it.effect("keeps only the newest activity of a run", () =>
    Effect.gen(function* () {
      const queue = yield* offered(activity(a, "1"), activity(a, "2"), activity(a, "3"))
      assert.deepStrictEqual(yield* drain(queue), [activity(a, "3")])
    })
  )

  it.effect("keeps only the newest session update of a run", () =>
    Effect.gen(function* () {
      const queue = yield* offered(session(a, 1), session(a, 2))
      assert.deepStrictEqual(yield* drain(queue), [session(a, 2)])
    })
  )

  it.effect("keeps the activity of different runs apart", () =>
    Effect.gen(function* () {
      const queue = yield* offered(activity(a, "1"), activity(b, "1"), activity(a, "2"))
      assert.deepStrictEqual(yield* drain(queue), [activity(b, "1"), activity(a, "2")])
    })
  )

  it.effect("loses nothing else and keeps it in order", () =>
    Effect.gen(function* () {
      const updates = [started(a, 1), completed(a, 1), started(b, 1), started(a, 2), completed(a, 2), finished(a)]
      assert.deepStrictEqual(yield* drain(yield* offered(...updates)), updates)
    })
  )

  it.effect("never shows activity before the turn that it belongs to", () =>
    Effect.gen(function* () {
      const queue = yield* offered(
        started(a, 1),
        activity(a, "in turn 1"),
        completed(a, 1),
        started(a, 2),
        activity(a, "in turn 2")
      )
      assert.deepStrictEqual(yield* drain(queue), [
        started(a, 1),
        completed(a, 1),
        started(a, 2),
        activity(a, "in turn 2")
      ])
    })
  )

  it.effect("does not grow while a run floods it", () =>
    Effect.gen(function* () {
      const queue = yield* UpdateQueue.make
      for (let n = 0; n < 100_000; n++) yield* queue.offer(n % 2 === 0 ? activity(a, `${n}`) : session(a, n))
      assert.strictEqual(yield* queue.size, 2)
    })
  )

  it.effect("lets activity through again once the earlier one was taken", () =>
    Effect.gen(function* () {
      const queue = yield* offered(activity(a, "1"))
      const taken = yield* Effect.forkChild(Stream.runCollect(Stream.take(queue.updates, 2)))
      yield* Effect.yieldNow
      yield* queue.offer(activity(a, "2"))
      assert.deepStrictEqual(yield* Fiber.join(taken), [activity(a, "1"), activity(a, "2")])
    })
  )

  it.effect("wakes a consumer that waits", () =>
    Effect.gen(function* () {
      const queue = yield* UpdateQueue.make
      const taken = yield* Effect.forkChild(Stream.runCollect(Stream.take(queue.updates, 1)))
      yield* Effect.yieldNow
      yield* queue.offer(started(a, 1))
      assert.deepStrictEqual(yield* Fiber.join(taken), [started(a, 1)])
    })
  )

  it.effect("ends for a consumer that waits", () =>
    Effect.gen(function* () {
      const queue = yield* UpdateQueue.make
      const taken = yield* Effect.forkChild(Stream.runCollect(queue.updates))
      yield* Effect.yieldNow
      yield* queue.end
      assert.deepStrictEqual(yield* Fiber.join(taken), [])
    })
  )

  it.effect("takes nothing after its end", () =>
    Effect.gen(function* () {
      const queue = yield* UpdateQueue.make
      yield* queue.end
      yield* queue.offer(started(a, 1))
      assert.strictEqual(yield* queue.size, 0)
    })
  )
})
