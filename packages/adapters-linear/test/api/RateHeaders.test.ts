import { assert, describe, it } from "@effect/vitest"
import * as RateHeaders from "../../src/api/RateHeaders.ts"

const now = 1_780_000_000_000
const soon = now + 60_000

const read = (headers: Record<string, string>) => RateHeaders.read((name) => headers[name] ?? null, now)

const requests = (remaining: string, reset: string) => ({
  "x-ratelimit-requests-limit": "2500",
  "x-ratelimit-requests-remaining": remaining,
  "x-ratelimit-requests-reset": reset
})

describe("rate headers", () => {
  it("are read as Linear documents them", () => {
    const facts = read({ ...requests("12", String(soon)), "x-complexity": "86", "retry-after": "7" })
    assert.deepStrictEqual(facts, {
      requests: { limit: 2500, remaining: 12, resetAtMs: soon },
      complexity: null,
      endpoint: null,
      points: 86,
      retryAfterMs: 7_000
    })
  })

  it.each([
    ["missing", ""],
    ["past", String(now - 1)],
    ["absurdly far", String(now + 10 * RateHeaders.windowMs)],
    ["no number", "tomorrow"],
    ["infinite", "1e999"]
  ])("say nothing about a reset that is %s", (_what, reset) => {
    assert.strictEqual(read(requests("0", reset)).requests?.resetAtMs, null)
  })

  it("take a reset in seconds for what it is", () => {
    assert.strictEqual(read(requests("0", String(soon / 1000))).requests?.resetAtMs, soon)
  })

  it.each(["", "many", "-1", "NaN"])("say nothing about an allowance whose rest is %j", (remaining) => {
    assert.strictEqual(read(requests(remaining, String(soon))).requests, null)
  })

  it("close the gate only where nothing remains", () => {
    assert.strictEqual(RateHeaders.closedUntil(read(requests("1", String(soon)))), null)
    assert.strictEqual(RateHeaders.closedUntil(read(requests("0", String(soon)))), soon)
  })

  it("of a refused request name the reset of what is used up", () => {
    const facts = read({
      ...requests("300", String(soon)),
      "x-ratelimit-complexity-limit": "100",
      "x-ratelimit-complexity-remaining": "0",
      "x-ratelimit-complexity-reset": String(soon + 5)
    })
    assert.strictEqual(RateHeaders.retryAt(facts, now), soon + 5)
  })

  it("of a refused request fall back to Retry-After, then to the reset, then to nothing", () => {
    assert.strictEqual(RateHeaders.retryAt(read({ "retry-after": "3" }), now), now + 3_000)
    assert.strictEqual(RateHeaders.retryAt(read(requests("300", String(soon))), now), soon)
    assert.strictEqual(RateHeaders.retryAt(read({ "retry-after": "Sun, 22 Nov 2026 20:00:00 GMT" }), now), null)
  })

  it("tell a limit of one endpoint from that of the key", () => {
    const endpoint = { "x-ratelimit-endpoint-requests-limit": "30", "x-ratelimit-endpoint-requests-remaining": "0" }
    assert.isTrue(RateHeaders.isEndpointLimit(read({ ...requests("300", String(soon)), ...endpoint })))
    assert.isFalse(RateHeaders.isEndpointLimit(read({ ...requests("0", String(soon)), ...endpoint })))
  })
})
