/** One request as the rest of the adapter describes it, and the ranks by which requests share the budget. */
import type * as Schema from "effect/Schema"

/**
 * What a request is for, the most important first: the issues that run or are held, the candidates, what agents ask for
 * through their tools, and what is only nice to have. When the budget sinks, the last ones are refused first.
 */
export const purposes = ["refresh", "candidates", "tools", "cosmetics"] as const
export type Purpose = (typeof purposes)[number]

export interface LinearOperation<A> {
  /** The name of the operation in the document; messages and logs name it. */
  readonly name: string
  /** A GraphQL document with this one operation. */
  readonly document: string
  readonly variables: Readonly<Record<string, unknown>>
  /** Decodes the `data` of the answer. */
  readonly result: Schema.Decoder<A>
  readonly purpose: Purpose
  /** Whether it may be sent again after its answer was lost: reads, and changes that are the same when made twice. */
  readonly repeatable: boolean
}
