/**
 * Up to which of its own figures each conversation's usage was told, so that what it uses while no run follows it, as
 * when the server cannot be reached and the agent goes on, is told by its next run. Bounded, and as old as this process:
 * a conversation that is not known here counts from what it has used by then.
 */
import * as Usage from "@opensymphony/core/domain/Usage"

export interface CountedUsage {
  /** The figures from which a run counts, in a conversation that has `total` now. */
  readonly baseline: (conversation: string, total: Usage.Usage) => Usage.Usage
  /** Everything up to `total` was told. */
  readonly note: (conversation: string, total: Usage.Usage) => void
}

const maxConversations = 10_000

export const make = (): CountedUsage => {
  const known = new Map<string, Usage.Usage>()
  return {
    baseline: (conversation, total) => {
      const counted = known.get(conversation) ?? total
      // A server that died forgot the step that it was in, and counts on from less.
      return Usage.beyond(counted, Usage.beyond(counted, total))
    },
    note: (conversation, total) => {
      known.delete(conversation)
      known.set(conversation, total)
      const [oldest] = known.keys()
      if (known.size > maxConversations && oldest !== undefined) known.delete(oldest)
    }
  }
}
