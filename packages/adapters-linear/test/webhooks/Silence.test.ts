import { assert, describe, it } from "@effect/vitest"
import * as Silence from "../../src/webhooks/Silence.ts"

const after = (events: string): Silence.Silence =>
  [...events].reduce(
    (silence, event) =>
      event === "d" ? Silence.delivered : event === "p" ? Silence.polled(silence) : Silence.reported(silence),
    Silence.none
  )

describe("silence of webhooks", () => {
  // p: a poll finds changes, d: a delivery arrives, r: it is reported
  it.each([
    ["", false],
    ["pp", false],
    ["ppp", true],
    ["dppp", false],
    ["dpppp", true],
    ["ppdpp", false],
    ["pdpdpdpd", false],
    ["ppprp", false],
    ["ppprdppp", false],
    ["ppprdpppp", true]
  ])("after %j is due: %s", (events, expected) => {
    assert.strictEqual(Silence.isDue(after(events)), expected)
  })
})
