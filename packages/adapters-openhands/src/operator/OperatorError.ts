/** What keeps an operator's command from its work, in words for that operator. */
import * as Data from "effect/Data"

export class OperatorError extends Data.TaggedError("OperatorError")<{
  /** What happened to what, and what to do; never a secret. */
  readonly message: string
}> {}

/** Any error that has a message for people. */
export const from = ({ message }: { readonly message: string }): OperatorError => new OperatorError({ message })
