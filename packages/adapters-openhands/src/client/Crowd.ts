/** Keeps apart what many conversations would do at the same moment: one server has to bear all of it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Who waited that long for a server did not wait alone. */
const crowdMs = 1_000
/** Over so long a crowd disperses. */
const dispersalMs = 1_000

/** Waits, and a moment more after a long wait: all who waited are let in at once, and should not come in at once. */
export const dispersed = <A, E, R>(wait: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Effect.timed(wait), ([waited, value]) =>
    Duration.toMillis(waited) < crowdMs
      ? Effect.succeed(value)
      : Effect.flatMap(Random.nextBetween(0, dispersalMs), (ms) => Effect.as(Effect.sleep(ms), value))
  )

/** A time around this one, up to a quarter more or less: what began together does not go on in step. */
export const around = (ms: number): Effect.Effect<number> => Random.nextBetween(0.75 * ms, 1.25 * ms)
