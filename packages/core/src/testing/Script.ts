/**
 * How a double misbehaves: rules that a test adds, each for one operation, optionally for one issue and a number of
 * times. The first rule that matches a call decides what happens before the operation itself.
 */
import * as Effect from "effect/Effect"
import type { IssueId } from "../domain/Ids.ts"

export type Behaviour<E> =
  | { readonly _tag: "Fail"; readonly error: E }
  /** Never returns; interruption ends it. */
  | { readonly _tag: "Hang" }
  /** Goes on after this many milliseconds of the Clock. */
  | { readonly _tag: "Delay"; readonly millis: number }
  /** A bug in the adapter. */
  | { readonly _tag: "Die"; readonly defect: unknown }

export interface Rule<Operation, E> {
  readonly operation: Operation
  readonly behaviour: Behaviour<E>
  /** Only for this issue; for every issue when absent. */
  readonly issueId?: IssueId
  /** How many calls it applies to; all when absent. */
  readonly times?: number
}

export interface Script<Operation, E> {
  readonly add: (rule: Rule<Operation, E>) => Effect.Effect<void>
  /** Drops all rules. A call that hangs already stays that way. */
  readonly clear: Effect.Effect<void>
  /** What an operation runs first. */
  readonly play: (operation: Operation, issueId: IssueId | null) => Effect.Effect<void, E>
}

const perform = <E>(behaviour: Behaviour<E>): Effect.Effect<void, E> => {
  switch (behaviour._tag) {
    case "Fail":
      return Effect.fail(behaviour.error)
    case "Hang":
      return Effect.never
    case "Delay":
      return Effect.sleep(behaviour.millis)
    case "Die":
      return Effect.die(behaviour.defect)
  }
}

/** A script without rules. */
export const makeUnsafe = <Operation, E>(): Script<Operation, E> => {
  let rules: ReadonlyArray<{ readonly rule: Rule<Operation, E>; left: number }> = []
  return {
    add: (rule) =>
      Effect.sync(() => {
        rules = [...rules, { rule, left: rule.times ?? Number.POSITIVE_INFINITY }]
      }),
    clear: Effect.sync(() => {
      rules = []
    }),
    play: (operation, issueId) =>
      Effect.suspend(() => {
        const match = rules.find(
          ({ rule }) => rule.operation === operation && (rule.issueId === undefined || rule.issueId === issueId)
        )
        if (match === undefined) return Effect.void
        match.left--
        if (match.left <= 0) rules = rules.filter((entry) => entry !== match)
        return perform(match.rule.behaviour)
      })
  }
}
