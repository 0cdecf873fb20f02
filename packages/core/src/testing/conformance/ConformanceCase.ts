/**
 * What a conformance suite is made of: cases with a name and an effect, which any test runner registers, and the few
 * ways in which a case states what it expects. A case that fails says which rule was broken, what was expected and what
 * came instead.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Formatter from "effect/Formatter"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"

/**
 * One rule of a port, ready to run. `R` is what the subject needs (a filesystem, for instance). Cases are independent:
 * each makes its own instance of the subject and gives it back, so they may run in any order and at the same time. They
 * wait on the Clock, so they want a real one.
 */
export interface ConformanceCase<R = never> {
  readonly name: string
  readonly effect: Effect.Effect<void, RuleBroken, R>
}

/** The subject does not keep a rule of its port. */
export class RuleBroken extends Data.TaggedError("RuleBroken")<{
  /** The name of the case. */
  readonly rule: string
  readonly expected: string
  readonly actual: string
  /** All of it in one text. */
  readonly message: string
}> {}

class Mismatch extends Data.TaggedError("Mismatch")<{ readonly expected: string; readonly actual: string }> {}

/** How long a case waits for something that does not depend on time. */
const patience = "10 seconds"

/** How long a case may take in all. */
const longest = "25 seconds"

/** Of a value that is shown, in UTF-16 units. */
const longestText = 500

const format = (value: unknown): string => {
  const text = Formatter.format(value)
  return text.length <= longestText ? text : `${text.slice(0, longestText)}…`
}

const broken = (rule: string, expected: string, actual: string) =>
  new RuleBroken({ rule, expected, actual, message: `${rule}: expected ${expected}; got ${actual}` })

const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const text = error instanceof Error ? `${error.name}: ${error.message}` : format(error)
  return Cause.hasDies(cause) ? `a defect, ${text}` : text
}

const fromCause = (rule: string, cause: Cause.Cause<unknown>): RuleBroken => {
  const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
  return failure instanceof Mismatch
    ? broken(rule, failure.expected, failure.actual)
    : broken(rule, "every operation of the case to succeed", describe(cause))
}

/** A case that plays `program` in a scope of its own. Whatever `program` fails with breaks the rule. */
export const rule = <R>(
  name: string,
  program: Effect.Effect<void, unknown, R | Scope.Scope>
): ConformanceCase<Exclude<R, Scope.Scope>> => ({
  name,
  effect: Effect.scoped(program).pipe(
    Effect.catchCause((cause) => Effect.fail(fromCause(name, cause))),
    Effect.timeoutOrElse({
      duration: longest,
      orElse: () => Effect.fail(broken(name, `an end within ${longest}`, "none"))
    })
  )
})

/** `what` is said of the value: "the state of the moved issue". */
export const expectEqual = <A>(what: string, actual: A, expected: A): Effect.Effect<void, Mismatch> =>
  Equal.equals(actual, expected)
    ? Effect.void
    : Effect.fail(new Mismatch({ expected: `${what} to be ${format(expected)}`, actual: format(actual) }))

/** `expected` is the whole sentence; `actual` is shown when it does not hold. */
export const expectThat = (expected: string, holds: boolean, actual: unknown): Effect.Effect<void, Mismatch> =>
  holds ? Effect.void : Effect.fail(new Mismatch({ expected, actual: format(actual) }))

/** The value, which must be there. `actual` is shown when it is not. */
export const expectFound = <A>(what: string, value: A | undefined, actual: unknown): Effect.Effect<A, Mismatch> =>
  value === undefined ? Effect.fail(new Mismatch({ expected: what, actual: format(actual) })) : Effect.succeed(value)

/** The error that `effect` fails with. */
export const expectFailure = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>): Effect.Effect<E, Mismatch, R> =>
  Effect.matchEffect(effect, {
    onFailure: Effect.succeed,
    onSuccess: (value) =>
      Effect.fail(new Mismatch({ expected: `${what} to fail`, actual: `a success with ${format(value)}` }))
  })

/** What `effect` answers, as long as it does not keep the case waiting. */
export const expectSoon = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Mismatch, R> =>
  Effect.timeoutOrElse(effect, {
    duration: patience,
    orElse: () => Effect.fail(new Mismatch({ expected: `${what} within ${patience}`, actual: "nothing" }))
  })

/** Waits until `look` is true, for what no signal announces: a process that ends, a file that appears. */
export const expectEventually = <E, R>(
  what: string,
  look: Effect.Effect<boolean, E, R>
): Effect.Effect<void, E | Mismatch, R> =>
  expectSoon(
    what,
    Effect.gen(function* () {
      while (!(yield* look)) yield* Effect.sleep("10 millis")
    })
  )
