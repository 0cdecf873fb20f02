import { assert, describe, it } from "@effect/vitest"
import type { Status } from "../../src/client/ConversationInfo.ts"
import * as TurnWatch from "../../src/session/TurnWatch.ts"
import { EventBody, type WireEvent } from "../../src/stream/WireEvent.ts"

const patience = { settleMs: 1_000, finishedSettleMs: 30_000 }
const event = (body: EventBody): WireEvent => ({ id: null, kind: "?", summary: "", body })
const snapshot = (status: Status) => event(EventBody.Snapshot({ status, usage: null }))
const status = (status: Status) => event(EventBody.StatusChanged({ status }))

/** A run that showed itself at 0. */
const running = TurnWatch.onEvent(TurnWatch.begin(0), status("running"), false, 0)

const hears = (self: TurnWatch.TurnWatch, wire: WireEvent, atMs: number, greeting = false) =>
  TurnWatch.onEvent(self, wire, greeting, atMs)

describe("TurnWatch", () => {
  it("does not take the status of the turn before for its end", () => {
    const asked = TurnWatch.begin(0)
    const read = TurnWatch.onRead(asked, "finished", 10)
    assert.isNull(TurnWatch.settle(hears(read, snapshot("finished"), 20), 100_000, patience).ended)
  })

  it("does not take the echo of the prompt for a sign of the run", () => {
    assert.isFalse(hears(TurnWatch.begin(0), event(EventBody.UserMessage({ text: "Do it." })), 1).began)
  })

  it("takes the agent's work for a sign of the run, though no status came", () => {
    assert.isTrue(hears(TurnWatch.begin(0), event(EventBody.Worked()), 1).began)
  })

  it("ends with the state that the server sends when the run's task has ended", () => {
    assert.strictEqual(hears(running, snapshot("finished"), 5).ended, "finished")
  })

  it("does not end with the state that greets a new connection: it may be that of a moment", () => {
    const greeted = hears(running, snapshot("finished"), 5, true)
    assert.isNull(greeted.ended)
    assert.isNull(hears(greeted, status("running"), 10).candidate)
  })

  it("does not end with the field alone, which a stop hook may turn back", () => {
    const field = hears(running, status("finished"), 5)
    assert.isNull(TurnWatch.settle(field, 5_000, patience).ended)
    assert.isNull(hears(field, status("running"), 6_000).candidate)
  })

  it("ends with a status that stays, with nothing heard meanwhile", () => {
    const read = TurnWatch.onRead(running, "finished", 5)
    assert.isNull(TurnWatch.settle(read, 30_004, patience).ended)
    assert.strictEqual(TurnWatch.settle(read, 30_005, patience).ended, "finished")
  })

  it("believes a failure sooner than a success", () => {
    const read = TurnWatch.onRead(running, "error", 5)
    assert.strictEqual(TurnWatch.settle(read, 1_005, patience).ended, "error")
  })

  it("counts the wait from what was heard last", () => {
    const read = TurnWatch.onRead(running, "error", 5)
    const heard = hears(read, event(EventBody.StateChanged()), 900)
    assert.isNull(TurnWatch.settle(heard, 1_500, patience).ended)
  })

  it("never ends with a status that nobody knows", () => {
    const read = TurnWatch.onRead(running, "unknown", 5)
    assert.isNull(TurnWatch.settle(hears(read, snapshot("unknown"), 6), 1_000_000, patience).ended)
  })

  it("still learns why, when the end overtook the reason", () => {
    const ended = hears(running, snapshot("error"), 5)
    const failed = event(EventBody.Failed({ code: "LLMRateLimitError", detail: "slow", failure: "rate_limit" }))
    assert.strictEqual(hears(ended, failed, 6).failure?.code, "LLMRateLimitError")
  })
})
