/**
 * What one run has used of a conversation, whose own figures go on over all runs, come late, and may fall behind: a
 * server that dies forgets the usage of the step that it was in. Pure.
 */
import * as Usage from "@opensymphony/core/domain/Usage"

export interface UsageMeter {
  /** The run's total so far; it never goes down. */
  readonly used: Usage.Usage
  /** The conversation's total from which it is counted... */
  readonly baseline: Usage.Usage
  /** ...and what the run had used by then. */
  readonly carried: Usage.Usage
}

/** A run that begins in a conversation with this total. */
export const begin = (baseline: Usage.Usage): UsageMeter => ({ used: Usage.zero, baseline, carried: Usage.zero })

/** Takes the conversation's total as it is told now. One that comes late takes nothing back. */
export const read = (self: UsageMeter, total: Usage.Usage): UsageMeter => ({
  ...self,
  used: Usage.max(self.used, Usage.add(self.carried, Usage.beyond(total, self.baseline)))
})

/** Counts on from the total that a server has after it died: what it forgot was used all the same. */
export const countOn = (self: UsageMeter, total: Usage.Usage): UsageMeter => ({
  used: self.used,
  baseline: total,
  carried: self.used
})

/** The conversation's total up to which the run's usage is told, when it was told `told` of it. */
export const toldUpTo = ({ baseline, carried }: UsageMeter, told: Usage.Usage): Usage.Usage =>
  Usage.add(baseline, Usage.beyond(told, carried))
