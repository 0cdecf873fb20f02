/**
 * Creates something in Linear under an id that this process chose, so that a repetition finds what the first attempt
 * made, also when the answer to it was lost.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { LinearError } from "../LinearError.ts"
import * as DerivedId from "./DerivedId.ts"

export interface Creation<A> {
  /** What is created, and what makes it this one. */
  readonly words: ReadonlyArray<string>
  readonly create: (id: string) => Effect.Effect<A, LinearError>
  /** What has that id now; null when there is nothing, or nothing that can stand for it. */
  readonly find: (id: string) => Effect.Effect<A | null, LinearError>
  /** How many ids may be tried when one is taken by something that is gone. */
  readonly generations: number
}

export interface Created<A> {
  readonly value: A
  /** False when an earlier attempt had created it. */
  readonly isNew: boolean
}

/** Whether the thing may exist although creating it failed: the id was taken, or the answer was lost. */
const mayExist = (error: LinearError): boolean => {
  switch (error._tag) {
    case "LinearInvalidArgument":
    case "LinearRefused":
    case "LinearTransportError":
    case "LinearTimeout":
    case "LinearBadResponse":
    case "LinearPartialData":
      return true
    default:
      return false
  }
}

const isAnswered = (error: LinearError): boolean =>
  error._tag === "LinearInvalidArgument" || error._tag === "LinearRefused"

/** Whether Linear said, in one way or another, that there is nothing under that id. */
const isAbsence = (error: LinearError): boolean => error._tag === "LinearNotFound" || isAnswered(error)

/**
 * Creates it, or returns what an earlier attempt created. Fails with what Linear said about the creation, or with why it
 * could not be looked up: then nothing else is tried, because what is there already must not be made again.
 */
export const createOnce = <A>(creation: Creation<A>): Effect.Effect<Created<A>, LinearError> => {
  const attempt = (generation: number): Effect.Effect<Created<A>, LinearError> =>
    Effect.gen(function* () {
      const id = yield* DerivedId.derive(...creation.words, String(generation))
      return yield* creation.create(id).pipe(
        Effect.map((value) => ({ value, isNew: true })),
        Effect.catch((error) =>
          Effect.gen(function* () {
            if (!mayExist(error)) return yield* Effect.fail(error)
            const lookUp = yield* Effect.result(creation.find(id))
            if (Result.isFailure(lookUp) && !isAbsence(lookUp.failure)) {
              return yield* Effect.fail(isAnswered(error) ? lookUp.failure : error)
            }
            const found = Result.getOrElse(lookUp, () => null)
            if (found !== null) return { value: found, isNew: false }
            if (!isAnswered(error) || generation + 1 >= creation.generations) return yield* Effect.fail(error)
            return yield* attempt(generation + 1)
          })
        )
      )
    })
  return attempt(0)
}
