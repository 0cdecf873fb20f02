/** Lets the changes to one issue happen one after the other. What is not in use takes no memory. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

export type IssueLocks = (issueId: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** Issues are independent of each other. Not reentrant. */
export const make = (): IssueLocks => {
  const locks = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>()
  return (issueId) => (effect) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(issueId) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
        lock.users += 1
        locks.set(issueId, lock)
        return lock
      }),
      (lock) => lock.semaphore.withPermits(1)(effect),
      (lock) =>
        Effect.sync(() => {
          lock.users -= 1
          if (lock.users === 0) locks.delete(issueId)
        })
    )
}
