/** Workflow settings of simulated worlds: drawn, edited by people, and the sane ones of the calm phase. */
import * as Policy from "../../domain/Policy.ts"
import type { Prng } from "./Prng.ts"

type Draw = (random: Prng) => Partial<Policy.Policy>

const limit = (random: Prng, low: number, high: number): number => (random.chance(0.5) ? 0 : random.scale(low, high))

/** Settings that change together; an edit draws one of them anew. */
const draws: ReadonlyArray<Draw> = [
  (random) => ({ maxConcurrentAgents: random.scale(1, 12) }),
  (random) => ({
    maxConcurrentAgentsByState: random.chance(0.6)
      ? {}
      : { todo: random.int(1, 3), ...(random.chance(0.5) ? { "in progress": random.int(1, 3) } : {}) }
  }),
  (random) => ({ pollIntervalMs: random.scale(10_000, 180_000) }),
  (random) => ({ maxTurns: random.scale(1, 12) }),
  (random) => ({ maxRetryBackoffMs: random.pick([5_000, 60_000, 300_000]) }),
  (random) => ({ stallTimeoutMs: random.pick([0, 120_000, 600_000]) }),
  (random) => ({ turnTimeoutMs: random.pick([0, 600_000, 3_600_000]) }),
  (random) => ({ launchTimeoutMs: random.pick([5_000, 60_000]) }),
  (random) => ({ handoffGraceMs: random.pick([0, 10_000, 60_000, 300_000]) }),
  (random) => ({ stopTimeoutMs: random.pick([2_000, 30_000]) }),
  (random) => ({ workspaceTimeoutMs: random.pick([20_000, 180_000]) }),
  (random) => ({ maxFailures: limit(random, 1, 10) }),
  (random) => ({ maxIdleContinuations: limit(random, 1, 6) }),
  (random) => ({ maxRunsPerIssue: limit(random, 2, 30) }),
  (random) => ({ maxTokensPerIssue: limit(random, 1_000, 500_000) }),
  (random) => ({ maxCostUsdPerIssue: limit(random, 1, 20) }),
  (random) => ({ maxTokensPerDay: random.chance(0.7) ? 0 : random.scale(20_000, 2_000_000) }),
  (random) => ({ maxCostUsdPerDay: random.chance(0.7) ? 0 : random.scale(1, 50) }),
  (random) => ({ requiredLabels: random.chance(0.7) ? [] : ["agent"] }),
  (random) => ({
    activeStates: random.chance(0.7) ? ["todo", "in progress"] : random.pick([["todo"], ["todo", "review", "done"]])
  })
]

/** Settings to begin with. */
export const drawn = (random: Prng): Policy.Policy =>
  Object.assign({}, Policy.defaults, ...draws.map((draw) => draw(random)))

/** The same with one setting changed. */
export const edited = (policy: Policy.Policy, random: Prng): Policy.Policy => ({
  ...policy,
  ...random.pick(draws)(random)
})

/** The same with limits under which every issue can come to rest soon. */
export const calmed = (policy: Policy.Policy): Policy.Policy => {
  const { activeStates, maxConcurrentAgents, requiredLabels } = policy
  return {
    ...Policy.defaults,
    activeStates,
    requiredLabels,
    maxConcurrentAgents: Math.max(maxConcurrentAgents, 6),
    pollIntervalMs: 90_000,
    maxTurns: 3,
    maxFailures: 5,
    maxIdleContinuations: 3
  }
}
