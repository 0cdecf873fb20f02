/** What a double was asked to do, in order: the newest calls, up to a bound, and how many there were in all. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** How many calls are kept unless told otherwise. */
export const defaultCapacity = 10_000

export interface CallLog<A> {
  /** Adds a call with the time at which it came. The oldest one goes when there is no room. */
  readonly record: (call: A) => Effect.Effect<void>
  /** The calls that are kept, oldest first. */
  readonly calls: Effect.Effect<ReadonlyArray<Logged<A>>>
  /** How many calls there were, also those no longer kept. */
  readonly total: Effect.Effect<number>
  readonly clear: Effect.Effect<void>
}

/** A call and when it came, in epoch milliseconds of the Clock. */
export type Logged<A> = A & { readonly atMs: number }

/** An empty log. */
export const makeUnsafe = <A extends object>(capacity = defaultCapacity): CallLog<A> => {
  let kept: Array<Logged<A>> = []
  let total = 0
  return {
    record: (call) =>
      Effect.map(Clock.currentTimeMillis, (atMs) => {
        total++
        kept.push({ ...call, atMs })
        // Twice the room, halved when full: dropping the oldest one by one would cost a copy per call.
        if (kept.length >= 2 * capacity) kept = kept.slice(-capacity)
      }),
    calls: Effect.sync(() => kept.slice(-capacity)),
    total: Effect.sync(() => total),
    clear: Effect.sync(() => {
      kept = []
      total = 0
    })
  }
}
