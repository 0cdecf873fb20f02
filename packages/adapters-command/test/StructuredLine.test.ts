import { assert, describe, it } from "@effect/vitest"
import * as StructuredLine from "../src/StructuredLine.ts"

const nothing = { usage: null, summary: null, session: null, usageLimit: null }
const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsd: 0 }

describe("a structured line", () => {
  it.each<[string, unknown, Partial<typeof nothing> | object]>([
    ["nothing known", { other: 1 }, {}],
    ["no object", "text", {}],
    ["null", null, {}],
    ["an array", [1], {}],
    [
      "all usage fields",
      { usage: { input_tokens: 1, output_tokens: 2, cache_read_tokens: 3, cost_usd: 0.5 } },
      { usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, costUsd: 0.5 } }
    ],
    ["some usage fields", { usage: { output_tokens: 2 } }, { usage: { ...usage, outputTokens: 2 } }],
    [
      "a negative amount beside a good one",
      { usage: { input_tokens: -1, output_tokens: 2 } },
      { usage: { ...usage, outputTokens: 2 } }
    ],
    [
      "an amount of the wrong type",
      { usage: { input_tokens: "7", cost_usd: 0.1 } },
      { usage: { ...usage, costUsd: 0.1 } }
    ],
    ["zero amounts", { usage: { input_tokens: 0 } }, { usage }],
    ["usage without any good amount", { usage: { input_tokens: null, output_tokens: "x" } }, {}],
    ["usage that is no object", { usage: 5 }, {}],
    ["a summary", { summary: "done" }, { summary: "done" }],
    ["a blank summary", { summary: "  " }, {}],
    ["a summary of the wrong type beside a good session", { summary: 5, session: "s-1" }, { session: "s-1" }],
    ["an empty session", { session: "" }, {}],
    ["a session that fits in no variable", { session: "a\0b" }, {}],
    ["a session that is too long", { session: "x".repeat(1025) }, {}],
    [
      "a limit with an instant",
      { usage_limited_until: "2026-03-01T10:00:00Z" },
      { usageLimit: { untilMs: Date.UTC(2026, 2, 1, 10) } }
    ],
    [
      "a limit with an offset",
      { usage_limited_until: "2026-03-01T10:00:00.250+02:00" },
      { usageLimit: { untilMs: Date.UTC(2026, 2, 1, 8, 0, 0, 250) } }
    ],
    ["a limit without a zone", { usage_limited_until: "2026-03-01T10:00:00" }, { usageLimit: { untilMs: null } }],
    ["a limit in month 13", { usage_limited_until: "2026-13-01T10:00:00Z" }, { usageLimit: { untilMs: null } }],
    ["a limit in words", { usage_limited_until: "tomorrow" }, { usageLimit: { untilMs: null } }],
    ["a limit as a number", { usage_limited_until: 1772359200 }, { usageLimit: { untilMs: null } }],
    ["no limit", { usage_limited_until: null }, {}],
    ["an empty limit", { usage_limited_until: "" }, {}]
  ])("with %s", (_, content, expected) => {
    assert.deepStrictEqual(StructuredLine.parse(JSON.stringify({ opensymphony: content })), {
      ...nothing,
      ...expected
    })
  })

  it("may have space around it and other keys beside", () => {
    assert.deepStrictEqual(StructuredLine.parse(`  {"type": "x", "opensymphony": {"summary": "done"}}  `), {
      ...nothing,
      summary: "done"
    })
  })

  it("ignores amounts that JSON reads as infinite", () => {
    assert.deepStrictEqual(StructuredLine.parse(`{"opensymphony": {"usage": {"input_tokens": 1e999}}}`), nothing)
  })
})

describe("no structured line is", () => {
  it.each([
    "",
    "text",
    `"opensymphony"`,
    `{"opensymphony": {`,
    `{"other": {"opensymphony": {}}}`,
    `["opensymphony"]`,
    `say {"opensymphony": {}}`,
    `null "opensymphony"`
  ])("%j", (line) => {
    assert.isNull(StructuredLine.parse(line))
  })
})
