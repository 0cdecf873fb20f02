/**
 * SIGINT, SIGTERM, and SIGHUP of a terminal that goes away: the first asks for a drain, the second leaves at once. What
 * a terminal or a wrapper sends twice within a moment is one signal.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** 128 + the number of the signal. */
export const exitStatus = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
export type StopSignal = keyof typeof exitStatus

const echoMs = 100

/** Completes with the first signal. From then on, another one ends this process at once. */
export const first: Effect.Effect<Deferred.Deferred<StopSignal>, never, Scope.Scope> = Effect.gen(function* () {
  const received = yield* Deferred.make<StopSignal>()
  let lastAt = Number.NEGATIVE_INFINITY
  let count = 0
  const listenerOf = (signal: StopSignal) => () => {
    const now = performance.now()
    const isEcho = now - lastAt < echoMs
    lastAt = now
    if (isEcho) return
    count++
    if (count > 1) process.exit(exitStatus[signal])
    Deferred.doneUnsafe(received, Effect.succeed(signal))
  }
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    const listener = listenerOf(signal)
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on(signal, listener)),
      () => Effect.sync(() => process.off(signal, listener))
    )
  }
  return received
})
