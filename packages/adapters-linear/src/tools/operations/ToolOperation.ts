/** What all requests of the tools have in common. */
import type * as Schema from "effect/Schema"
import type { LinearOperation } from "../../LinearApi.ts"

/**
 * A request of a tool. All of them may be sent again after a lost answer: they read, set a value, or create under an
 * id that was chosen here.
 */
export const toolOperation = <A>(
  name: string,
  document: string,
  variables: Readonly<Record<string, unknown>>,
  result: Schema.Decoder<A>
): LinearOperation<A> => ({ name, document, variables, result, purpose: "tools", repeatable: true })
