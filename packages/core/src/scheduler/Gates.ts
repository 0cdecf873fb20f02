/** The fleet-wide reasons not to start anything: which are closed now, and when each opens. */
import type { RunId } from "../domain/Ids.ts"
import * as Usage from "../domain/Usage.ts"
import type { ClosedGate, Instant, State } from "./State.ts"

const dayMs = 86_400_000

/** Days since the Unix epoch, UTC. */
export const dayOf = (wallTime: number): number => Math.floor(wallTime / dayMs)

export const usageToday = (state: State, wallTime: number): Usage.Usage =>
  state.usageByDay.find((entry) => entry.day === dayOf(wallTime))?.usage ?? Usage.zero

const dailyBudget = (state: State, at: Instant): ClosedGate | null => {
  const { maxTokensPerDay, maxCostUsdPerDay } = state.policy
  if (maxTokensPerDay <= 0 && maxCostUsdPerDay <= 0) return null
  const today = usageToday(state, at.wallTime)
  const opensInMs = (dayOf(at.wallTime) + 1) * dayMs - at.wallTime
  if (maxTokensPerDay > 0 && Usage.tokens(today) >= maxTokensPerDay) {
    const reason = `${Usage.tokens(today)} tokens used today (limits.max_tokens_per_day is ${maxTokensPerDay})`
    return { gate: "daily_budget", reason, opensInMs, opensByItself: true }
  }
  if (maxCostUsdPerDay > 0 && today.costUsd >= maxCostUsdPerDay) {
    const reason = `${today.costUsd.toFixed(2)} USD spent today (limits.max_cost_usd_per_day is ${maxCostUsdPerDay})`
    return { gate: "daily_budget", reason, opensInMs, opensByItself: true }
  }
  return null
}

/** Every gate that is closed at this instant, the operator's first. */
export const closed = (state: State, at: Instant): ReadonlyArray<ClosedGate> => {
  const { gates, tracker } = state
  const result: Array<ClosedGate> = []
  if (gates.draining !== null) {
    result.push({ gate: "draining", reason: "shutting down", opensInMs: null, opensByItself: false })
  }
  if (gates.paused !== null) {
    const reason = gates.paused === "" ? "paused by an operator" : `paused by an operator: ${gates.paused}`
    result.push({ gate: "paused", reason, opensInMs: null, opensByItself: false })
  }
  if (gates.configuration !== null) {
    result.push({ gate: "configuration", reason: gates.configuration, opensInMs: null, opensByItself: false })
  }
  if (tracker.limitedUntil !== null && at.now < tracker.limitedUntil) {
    const reason = `the tracker asks for patience: ${tracker.error?.message ?? "rate limited"}`
    result.push({ gate: "tracker", reason, opensInMs: tracker.limitedUntil - at.now, opensByItself: true })
  }
  const down = gates.runtimeDown
  if (down !== null && (down.retryAt === null || at.now < down.retryAt)) {
    const opensInMs = down.retryAt === null ? null : down.retryAt - at.now
    result.push({
      gate: "runtime_down",
      reason: `the agent runtime is down: ${down.reason}`,
      opensInMs,
      opensByItself: true
    })
  }
  if (gates.usageLimited !== null && at.now < gates.usageLimited.until) {
    const reason = `the provider's usage limit is reached: ${gates.usageLimited.reason}`
    result.push({ gate: "usage_limit", reason, opensInMs: gates.usageLimited.until - at.now, opensByItself: true })
  }
  const failing = gates.failing
  if (failing !== null && (failing.trial !== null || at.now < failing.trialAt)) {
    const opensInMs = failing.trial === null ? failing.trialAt - at.now : null
    const reason = `runs of many issues fail before a turn completes (${failing.reason}); one trial at a time`
    result.push({ gate: "runtime_failing", reason, opensInMs, opensByItself: true })
  }
  const budget = dailyBudget(state, at)
  if (budget !== null) result.push(budget)
  return result
}

/** Whether a gate keeps this run from launching. The trial of a failing runtime is what may reopen that one gate. */
export const holdsBack = (state: State, runId: RunId, at: Instant): boolean => {
  const isTrial = state.gates.failing?.trial === runId
  return closed(state, at).some(({ gate }) => !isTrial || gate !== "runtime_failing")
}

/** The next instant at which a gate opens by itself; null when none will. */
export const nextOpening = (state: State, at: Instant): number | null => {
  const times = closed(state, at).flatMap((gate) => (gate.opensInMs === null ? [] : [at.now + gate.opensInMs]))
  return times.length === 0 ? null : Math.min(...times)
}
