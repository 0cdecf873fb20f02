/**
 * What an agent consumed. Amounts are totals of something (a turn, a run, an issue, a day); adding is explicit.
 */
export interface Usage {
  /** Tokens read that were not served from a cache. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** Tokens served from the provider's cache. Shown, but not counted against token limits. */
  readonly cacheReadTokens: number
  /** US dollars. */
  readonly costUsd: number
}

export const zero: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsd: 0 }

export const add = (self: Usage, that: Usage): Usage => ({
  inputTokens: self.inputTokens + that.inputTokens,
  outputTokens: self.outputTokens + that.outputTokens,
  cacheReadTokens: self.cacheReadTokens + that.cacheReadTokens,
  costUsd: self.costUsd + that.costUsd
})

/** What `total` has beyond `part`, never below zero: a source that counts backwards takes nothing away. */
export const beyond = (total: Usage, part: Usage): Usage => ({
  inputTokens: Math.max(0, total.inputTokens - part.inputTokens),
  outputTokens: Math.max(0, total.outputTokens - part.outputTokens),
  cacheReadTokens: Math.max(0, total.cacheReadTokens - part.cacheReadTokens),
  costUsd: Math.max(0, total.costUsd - part.costUsd)
})

/** The larger amount, field by field. */
export const max = (self: Usage, that: Usage): Usage => ({
  inputTokens: Math.max(self.inputTokens, that.inputTokens),
  outputTokens: Math.max(self.outputTokens, that.outputTokens),
  cacheReadTokens: Math.max(self.cacheReadTokens, that.cacheReadTokens),
  costUsd: Math.max(self.costUsd, that.costUsd)
})

/** Tokens that count against limits: input and output, without what a cache served. */
export const tokens = (self: Usage): number => self.inputTokens + self.outputTokens

export const isZero = (self: Usage): boolean =>
  self.inputTokens === 0 && self.outputTokens === 0 && self.cacheReadTokens === 0 && self.costUsd === 0
