import { assert, describe, it } from "@effect/vitest"
import * as WireEvent from "../../src/stream/WireEvent.ts"

const base = { id: "1", timestamp: "2026-11-22T19:48:21.077335", source: "agent" }
const text = (value: string) => [{ type: "text", text: value, cache_prompt: false }]
const metrics = (prompt: number, cached: number) => ({
  model_name: "m",
  accumulated_cost: 0.5,
  accumulated_token_usage: { prompt_tokens: prompt, completion_tokens: 2, cache_read_tokens: cached }
})
const stats = { usage_to_metrics: { agent: metrics(100, 40), condenser: metrics(10, 0) } }
const usage = { inputTokens: 70, outputTokens: 4, cacheReadTokens: 40, costUsd: 1 }

/** As 1.57.0 sent them, shortened: the event, its body, its line. */
const cases: ReadonlyArray<readonly [string, object, string, string]> = [
  [
    "a terminal call",
    { kind: "ActionEvent", tool_name: "terminal", action: { kind: "TerminalAction", command: "echo hi\nls" } },
    "Worked",
    "$ echo hi ls"
  ],
  ["a call whose arguments could not be read", { kind: "ActionEvent", tool_name: "terminal" }, "Worked", "$"],
  [
    "the finish tool",
    { kind: "ActionEvent", tool_name: "finish", action: { kind: "FinishAction", message: "done" } },
    "Finished",
    "done"
  ],
  [
    "an observation",
    { kind: "ObservationEvent", tool_name: "terminal", observation: { content: text("\u001b[?2004lhi\n") } },
    "Worked",
    "terminal: hi"
  ],
  [
    "a reply",
    { kind: "MessageEvent", llm_message: { role: "assistant", content: text("hello") } },
    "AgentMessage",
    "hello"
  ],
  [
    "a prompt",
    { kind: "MessageEvent", source: "user", llm_message: { role: "user", content: text("do it") } },
    "UserMessage",
    "do it"
  ],
  [
    "an error of the run",
    {
      kind: "ConversationErrorEvent",
      code: "LLMRateLimitError",
      detail: "slow down",
      classification: { kind: "rate_limit" }
    },
    "Failed",
    "LLMRateLimitError: slow down"
  ],
  ["an interrupt", { kind: "InterruptEvent", source: "user" }, "Interrupted", ""],
  [
    "a status",
    { kind: "ConversationStateUpdateEvent", key: "execution_status", value: "running" },
    "StatusChanged",
    ""
  ],
  ["another field", { kind: "ConversationStateUpdateEvent", key: "tags", value: { a: "b" } }, "StateChanged", ""],
  ["a kind that nobody knows", { kind: "HologramEvent", beam: [1, 2, 3] }, "Unknown", ""],
  ["a known kind of another shape", { kind: "MessageEvent", llm_message: "?" }, "AgentMessage", ""]
]

describe("WireEvent", () => {
  for (const [name, fields, body, summary] of cases) {
    it(`reads ${name}`, () => {
      const event = WireEvent.fromJson({ ...base, ...fields })
      assert.strictEqual(event?.body._tag, body)
      assert.strictEqual(event?.summary, summary)
      assert.strictEqual(event?.id, "1")
    })
  }

  it("sums usage over all usage ids, what a cache served apart", () => {
    const event = WireEvent.fromJson({ ...base, kind: "ConversationStateUpdateEvent", key: "stats", value: stats })
    assert.deepStrictEqual(event?.body, WireEvent.EventBody.UsageChanged({ usage }))
  })

  it("reads status and usage of a whole state", () => {
    const value = { execution_status: "hibernating", stats, agent: { llm: {} } }
    const event = WireEvent.fromJson({ ...base, kind: "ConversationStateUpdateEvent", key: "full_state", value })
    assert.deepStrictEqual(event?.body, WireEvent.EventBody.Snapshot({ status: "unknown", usage }))
  })

  it("takes for no event what is none", () => {
    for (const frame of ["", "{", "null", "[]", "42", "{}", `{"kind":7}`]) assert.isNull(WireEvent.fromFrame(frame))
  })

  it("keeps a bounded part of a text of ten megabytes", () => {
    const frame = JSON.stringify({
      ...base,
      kind: "MessageEvent",
      llm_message: { content: text("x".repeat(10_000_000)) }
    })
    const event = WireEvent.fromFrame(frame)
    assert.strictEqual(event?.summary.length, 300)
    assert.isTrue(event?.body._tag === "AgentMessage" && event.body.text.length === 64 * 1024)
  })
})
