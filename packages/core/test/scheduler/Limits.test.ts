import { assert, describe, it } from "@effect/vitest"
import { Hold } from "../../src/domain/Hold.ts"
import { RunId } from "../../src/domain/Ids.ts"
import { noCounters } from "../../src/domain/Journal.ts"
import * as Policy from "../../src/domain/Policy.ts"
import * as Usage from "../../src/domain/Usage.ts"
import * as Limits from "../../src/scheduler/Limits.ts"
import * as Order from "../../src/scheduler/Order.ts"
import { type Entry, newEntry } from "../../src/scheduler/State.ts"
import { issue, tokens } from "./World.ts"

const off: Partial<Policy.Policy> = { maxFailures: 0, maxIdleContinuations: 0, maxRunsPerIssue: 0 }
const policy = (fields: Partial<Policy.Policy>): Policy.Policy => ({ ...Policy.defaults, ...off, ...fields })

const entry = (counters: Partial<Entry["counters"]>, usage: Usage.Usage = Usage.zero): Entry => ({
  ...newEntry(issue("A"), Order.keyOf(issue("A")), 0),
  counters: { ...noCounters, ...counters },
  usage
})

const many = entry({ failures: 100, idleContinuations: 100, runs: 100 }, tokens(100, 100))

describe("a limit", () => {
  it("that is 0 is none, also for an issue that has used nothing", () => {
    assert.isNull(Limits.reached(many, policy({}), null))
    assert.isNull(Limits.reached(entry({}), policy({}), null))
  })

  it.each([
    [{ maxFailures: 3 }, { failures: 2 }, { failures: 3 }, Hold.Failures({ failures: 3, lastReason: "broken" })],
    [
      { maxIdleContinuations: 3 },
      { idleContinuations: 2 },
      { idleContinuations: 3 },
      Hold.IdleContinuations({ continuations: 3 })
    ],
    [{ maxRunsPerIssue: 3 }, { runs: 2 }, { runs: 3 }, Hold.Runs({ runs: 3 })]
  ])("of %j is reached exactly at that count", (limit, below, at, hold) => {
    assert.isNull(Limits.reached(entry(below), policy(limit), "broken"))
    assert.deepStrictEqual(Limits.reached(entry(at), policy(limit), "broken"), hold)
  })

  it.each([
    [{ maxTokensPerIssue: 100 }, tokens(99), tokens(100), Hold.Tokens({ tokens: 100 })],
    [{ maxCostUsdPerIssue: 2 }, tokens(5, 1.99), tokens(5, 2), Hold.Cost({ costUsd: 2 })]
  ])("of %j is reached exactly at that amount", (limit, below, at, hold) => {
    assert.isNull(Limits.spending(entry({}, below), policy(limit)))
    assert.deepStrictEqual(Limits.spending(entry({}, at), policy(limit)), hold)
    assert.deepStrictEqual(Limits.reached(entry({}, at), policy(limit), null), hold)
  })

  it("leaves out what was used before the last release", () => {
    const released = { ...entry({}, tokens(150)), allowanceBase: tokens(60) }
    assert.isNull(Limits.spending(released, policy({ maxTokensPerIssue: 100 })))
    assert.deepStrictEqual(Limits.spending(released, policy({ maxTokensPerIssue: 90 })), Hold.Tokens({ tokens: 90 }))
  })

  it("says so when nobody knows why the runs failed", () => {
    const hold = Limits.reached(entry({ failures: 1 }), policy({ maxFailures: 1 }), null)
    assert.deepStrictEqual(hold, Hold.Failures({ failures: 1, lastReason: "unknown" }))
  })
})

describe("a policy lifts a hold", () => {
  it.each([
    [Hold.Runs({ runs: 3 }), "maxRunsPerIssue"],
    [Hold.Tokens({ tokens: 3 }), "maxTokensPerIssue"],
    [Hold.Cost({ costUsd: 3 }), "maxCostUsdPerIssue"]
  ] as const)("of the kind %j when its limit is raised or off, and else not", (hold, key) => {
    const isLifted = (limit: number) => Limits.isLiftedBy(hold, policy({ [key]: limit }))
    assert.deepStrictEqual([2, 3, 4, 0].map(isLifted), [false, false, true, true])
    assert.isFalse(Limits.isLiftedBy(hold, { ...policy({ maxFailures: 0 }), [key]: 1 }))
  })

  it.each([
    Hold.Failures({ failures: 1, lastReason: "broken" }),
    Hold.IdleContinuations({ continuations: 1 }),
    Hold.Operator({ note: "" }),
    Hold.StopUnconfirmed({ runId: RunId("r"), workspace: null, why: "" })
  ])("never of the kind %j", (hold) => {
    assert.isFalse(Limits.isLiftedBy(hold, policy({})))
  })
})
