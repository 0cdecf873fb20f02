import { assert, describe, it } from "@effect/vitest"
import * as Usage from "@opensymphony/core/domain/Usage"
import * as UsageMeter from "../../src/session/UsageMeter.ts"

const total = (inputTokens: number): Usage.Usage => ({ ...Usage.zero, inputTokens })
const used = (self: UsageMeter.UsageMeter): number => self.used.inputTokens

describe("UsageMeter", () => {
  it("counts nothing that earlier runs used", () => {
    assert.strictEqual(used(UsageMeter.read(UsageMeter.begin(total(1_000)), total(1_040))), 40)
  })

  it("takes nothing back when an older figure comes late", () => {
    const meter = UsageMeter.read(UsageMeter.begin(Usage.zero), total(50))
    assert.strictEqual(used(UsageMeter.read(meter, total(30))), 50)
  })

  it("counts on when the server forgot a step", () => {
    const before = UsageMeter.read(UsageMeter.begin(total(1_000)), total(1_050))
    const after = UsageMeter.countOn(before, total(1_030))
    assert.strictEqual(used(after), 50)
    assert.strictEqual(used(UsageMeter.read(after, total(1_045))), 65)
  })
})
