/**
 * What one run has used, kept per source so that nothing is counted twice: a later report of a source replaces its
 * earlier one, sources add up, and the run's total never goes down. Pure.
 */
import * as Usage from "../domain/Usage.ts"

export interface UsageLedger {
  /** The latest report of each source, the least recently reported first. */
  readonly sources: ReadonlyMap<string, Usage.Usage>
  /** What sources that are no longer kept apart have used. */
  readonly settled: Usage.Usage
  /** The run's total so far. */
  readonly total: Usage.Usage
}

/**
 * How many sources are kept apart. Sources are turns or conversations, of which few are alive at a time; beyond this
 * the least recently reported one is settled, so that an agent that invents names cannot fill memory.
 */
export const maxSources = 64

export const empty: UsageLedger = { sources: new Map(), settled: Usage.zero, total: Usage.zero }

/** An agent may report anything; an amount that is no amount counts as nothing. */
const amount = (reported: number): number => (Number.isFinite(reported) && reported > 0 ? reported : 0)

const sound = (reported: Usage.Usage): Usage.Usage => ({
  inputTokens: amount(reported.inputTokens),
  outputTokens: amount(reported.outputTokens),
  cacheReadTokens: amount(reported.cacheReadTokens),
  costUsd: amount(reported.costUsd)
})

/** The ledger after `source` reported `usage` as its total so far. */
export const report = (self: UsageLedger, source: string, usage: Usage.Usage): UsageLedger => {
  const sources = new Map(self.sources)
  sources.delete(source)
  sources.set(source, sound(usage))
  let settled = self.settled
  for (const [name, oldest] of sources) {
    if (sources.size <= maxSources) break
    settled = Usage.add(settled, oldest)
    sources.delete(name)
  }
  let sum = settled
  for (const latest of sources.values()) sum = Usage.add(sum, latest)
  return { sources, settled, total: Usage.max(self.total, sum) }
}
