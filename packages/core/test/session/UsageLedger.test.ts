import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import * as Usage from "../../src/domain/Usage.ts"
import * as UsageLedger from "../../src/session/UsageLedger.ts"

const tokens = (inputTokens: number): Usage.Usage => ({ ...Usage.zero, inputTokens })

const after = (...reports: ReadonlyArray<readonly [source: string, inputTokens: number]>) =>
  reports.reduce(
    (ledger, [source, inputTokens]) => UsageLedger.report(ledger, source, tokens(inputTokens)),
    UsageLedger.empty
  )

describe("UsageLedger", () => {
  it("is zero before anything was reported", () => {
    assert.isTrue(Usage.isZero(UsageLedger.empty.total))
  })

  it("lets the latest report of a source replace its earlier ones", () => {
    assert.deepStrictEqual(after(["turn 1", 10], ["turn 1", 25]).total, tokens(25))
  })

  it("adds up sources", () => {
    assert.deepStrictEqual(after(["turn 1", 10], ["turn 2", 5], ["turn 1", 20]).total, tokens(25))
  })

  it("keeps the total when a source counts backwards", () => {
    assert.deepStrictEqual(after(["turn 1", 100], ["turn 1", 40]).total, tokens(100))
  })

  it("goes on from the latest report after a source counted backwards", () => {
    assert.deepStrictEqual(after(["turn 1", 100], ["turn 1", 40], ["turn 2", 70]).total, tokens(110))
  })

  it("counts each kind of usage by itself", () => {
    const usage = { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, costUsd: 0.5 }
    const ledger = UsageLedger.report(UsageLedger.report(UsageLedger.empty, "x", usage), "y", usage)
    assert.deepStrictEqual(ledger.total, { inputTokens: 2, outputTokens: 4, cacheReadTokens: 6, costUsd: 1 })
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -5])("takes %s for nothing", (odd) => {
    assert.deepStrictEqual(after(["turn 1", 10], ["turn 2", odd]).total, tokens(10))
  })

  it("keeps the amounts of sources that it no longer keeps apart", () => {
    const many = Array.from({ length: 1_000 }, (_, n) => [`turn ${n}`, 1] as const)
    const ledger = after(...many)
    assert.deepStrictEqual(ledger.total, tokens(1_000))
    assert.strictEqual(ledger.sources.size, UsageLedger.maxSources)
  })

  const report = Schema.Tuple([Schema.Literals(["a", "b", "c"]), Schema.Int])
  it.prop("never goes down", { reports: Arbitrary.schema(Schema.Array(report)) }, ({ reports }) => {
    let ledger = UsageLedger.empty
    return reports.every(([source, amount]) => {
      const before = ledger.total.inputTokens
      ledger = UsageLedger.report(ledger, source, tokens(amount))
      return ledger.total.inputTokens >= before
    })
  })
})
