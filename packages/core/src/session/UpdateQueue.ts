/**
 * The mailbox between running workers and their one consumer. It owns order, conflation and the bound; it knows
 * nothing of how runs are executed.
 *
 * Bound and overflow rule: of one run at most one `Activity` and one `SessionUpdated` wait here, the newest ones; a
 * newer one takes the place of the waiting one and moves to the end, so that what is taken is in the order in which it
 * happened. The other kinds are never dropped, and a run has at most two per turn and one at its end. Offering never
 * waits.
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import type { WorkerUpdate } from "../ports/WorkerBackend.ts"

export interface UpdateQueue {
  /** Adds an update, or replaces the one that it supersedes. Does nothing once the queue has ended. */
  readonly offer: (update: WorkerUpdate) => Effect.Effect<void>
  /** Ends {@link updates} after what is waiting now. */
  readonly end: Effect.Effect<void>
  /** How many updates are waiting. */
  readonly size: Effect.Effect<number>
  /** Takes everything that waits, in batches. For one consumer: an update is handed out once. */
  readonly updates: Stream.Stream<WorkerUpdate>
}

const supersedesEarlier = (update: WorkerUpdate): boolean =>
  update._tag === "Activity" || update._tag === "SessionUpdated"

/** An empty queue. */
export const make: Effect.Effect<UpdateQueue> = Effect.sync(() => {
  // A Map keeps insertion order: conflated updates have a name as key, the others a number of their own.
  const waiting = new Map<string | number, WorkerUpdate>()
  const ready = Latch.makeUnsafe(false)
  let sequence = 0
  let ended = false

  const offer = (update: WorkerUpdate): Effect.Effect<void> =>
    Effect.sync(() => {
      if (ended) return
      if (supersedesEarlier(update)) {
        const key = `${update._tag} ${update.runId}`
        waiting.delete(key)
        waiting.set(key, update)
      } else {
        waiting.set(++sequence, update)
      }
      ready.openUnsafe()
    })

  const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<WorkerUpdate>> = Effect.suspend(() => {
    const [first, ...rest] = waiting.values()
    if (first !== undefined) {
      waiting.clear()
      return Effect.succeed([first, ...rest] as const)
    }
    if (ended) return Cause.done()
    ready.closeUnsafe()
    return Effect.andThen(ready.await, pull)
  })

  return {
    offer,
    end: Effect.sync(() => {
      ended = true
      ready.openUnsafe()
    }),
    size: Effect.sync(() => waiting.size),
    updates: Stream.fromPull(Effect.succeed(pull))
  }
})
