import { assert, describe, it } from "@effect/vitest"
import { RunId } from "../../src/domain/Ids.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { failed, id, issue, make, succeeded, tokens, type World } from "./World.ts"

const running = (policy = {}) => {
  const world = make({ policy, issues: [issue("A")] })
  const runId = world.launch("A")
  return { world, runId }
}

const finish = (world: World, runId: RunId, outcome: Outcome = succeeded) =>
  world.send(Event.RunFinished({ runId, outcome, usage: tokens(0) }))

describe("a stop", () => {
  const stopping = () => {
    const { runId, world } = running()
    world.pass(300_000)
    assert.strictEqual(world.phase("A"), "stopping")
    world.take("StopRun")
    return { runId, world }
  }

  it("that is confirmed ends the run as what it was for, and frees the slot when it is closed", () => {
    const { runId, world } = stopping()
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    assert.strictEqual(world.snapshot().slots.taken, 1)
    world.close(runId, false)
    assert.strictEqual(world.snapshot().slots.taken, 0)
    assert.strictEqual(world.records("RunEnded")[0]?.outcome._tag, "Stalled")
    assert.strictEqual(world.counters("A").failures, 1)
  })

  it("that came too late for a success lets the success count", () => {
    const { runId, world } = stopping()
    finish(world, runId, succeeded)
    world.close(runId, true)
    assert.strictEqual(world.records("RunEnded")[0]?.outcome._tag, "Succeeded")
    assert.strictEqual(world.counters("A").failures, 0)
  })

  it("counts as what it was for when the agent reports a failure meanwhile", () => {
    const { runId, world } = stopping()
    finish(world, runId, Outcome.Cancelled({ reason: "killed" }))
    world.close(runId, true)
    assert.strictEqual(world.records("RunEnded")[0]?.outcome._tag, "Stalled")
  })

  it("grants no new turn, and answers a question at once", () => {
    const { runId, world } = stopping()
    world.setTracker("waits")
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    assert.strictEqual(world.take("AnswerTurn").verdict._tag, "Stop")
  })

  it("answers a question that waited for a read", () => {
    const { runId, world } = running()
    world.setTracker("waits")
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    world.send(Event.DrainRequested())
    assert.strictEqual(world.take("AnswerTurn").verdict._tag, "Stop")
  })

  it("keeps slot and phase until somebody confirms it", () => {
    const { runId, world } = stopping()
    world.send(Event.StopSettled({ runId, result: "unconfirmed" }))
    world.pass(29_999)
    assert.strictEqual(world.phase("A"), "stopping")
    assert.strictEqual(world.snapshot().slots.taken, 1)
  })

  it("that stays unconfirmed frees the slot and holds the issue with its workspace", () => {
    const { world } = stopping()
    world.pass(30_000)
    assert.strictEqual(world.phase("A"), "held")
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
    assert.strictEqual(world.snapshot().slots.taken, 0)
    assert.deepStrictEqual(world.asked("FinishRun"), [])
    assert.strictEqual(world.records("RunEnded").length, 1)
  })

  it("that stays unconfirmed is not lifted by changes in the tracker, nor is the workspace removed", () => {
    const { world } = stopping()
    world.pass(30_000)
    world.edit("A", { title: "changed", state: "Done" })
    world.poll()
    assert.strictEqual(world.phase("A"), "held")
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
  })

  it("that stays unconfirmed is lifted by an operator", () => {
    const { world } = stopping()
    world.pass(30_000)
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("is lifted by the late end of the run, once its workspace is closed", () => {
    const { runId, world } = stopping()
    world.pass(30_000)
    world.send(Event.RunFinished({ runId, outcome: failed, usage: tokens(5) }))
    assert.strictEqual(world.phase("A"), "held")
    world.close(runId, false)
    assert.isNull(world.hold("A"))
    assert.strictEqual(world.entry("A").usage.inputTokens, 5)
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("that is confirmed late lifts the hold in the same way, and closes the workspace once", () => {
    const { runId, world } = stopping()
    world.pass(30_000)
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.take("FinishRun")
    finish(world, runId, failed)
    assert.deepStrictEqual(world.asked("FinishRun"), [])
    world.send(Event.RunClosed({ runId, fingerprint: null }))
    assert.isNull(world.hold("A"))
  })

  it("lets the removal of a terminal issue's workspace wait for the late end", () => {
    const { runId, world } = stopping()
    world.pass(30_000)
    world.move("A", "Done")
    world.poll()
    finish(world, runId, failed)
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
    world.close(runId, false)
    assert.strictEqual(world.asked("RemoveWorkspace").length, 1)
  })

  it("of a preparation that does not end holds the issue until it ends", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.send(Event.HoldRequested({ issueId: id("A"), note: "" }))
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    world.pass(30_000)
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
    world.send(Event.PreparationFailed({ runId, workspace: null, reason: "cancelled", cancelled: true }))
    assert.isNull(world.hold("A"))
  })

  it("of an older run touches nothing", () => {
    const { world } = stopping()
    const before = world.entry("A")
    world.send(Event.StopSettled({ runId: RunId("test-0"), result: "confirmed" }))
    assert.strictEqual(world.entry("A"), before)
  })
})

describe("time limits of a run", () => {
  it("silence counts from the last sign of life", () => {
    const { runId, world } = running({ stallTimeoutMs: 60_000 })
    world.pass(50_000)
    world.send(Event.Activity({ runId, summary: "working" }))
    world.pass(59_999)
    assert.strictEqual(world.phase("A"), "running")
    world.pass(1)
    assert.strictEqual(world.phase("A"), "stopping")
    assert.include(world.records("StopOrdered")[0]?.reason, "silent for 60 s")
  })

  it("a turn may take no longer than its cap, however alive it is", () => {
    const { runId, world } = running({ stallTimeoutMs: 60_000, turnTimeoutMs: 100_000 })
    for (let passed = 0; passed < 100_000; passed += 10_000) {
      world.send(Event.Activity({ runId, summary: "working" }))
      world.pass(10_000)
    }
    assert.strictEqual(world.run("A").stop?.reason, "timed_out")
  })

  it("both can be switched off", () => {
    const { world } = running({ stallTimeoutMs: 0, turnTimeoutMs: 0 })
    world.pass(21_600_000)
    assert.strictEqual(world.phase("A"), "running")
  })

  it("do not run while the worker waits for the tracker", () => {
    const { runId, world } = running({ stallTimeoutMs: 60_000, turnTimeoutMs: 60_000 })
    world.setTracker({ tag: "TrackerTransportError", message: "down", retryable: true, retryAtWallMs: null })
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    world.pass(600_000)
    assert.strictEqual(world.phase("A"), "running")
  })

  it("a stalled run is stopped while the tracker is down", () => {
    const { world } = running({ stallTimeoutMs: 60_000 })
    world.setTracker({ tag: "TrackerTransportError", message: "down", retryable: true, retryAtWallMs: null })
    world.pass(60_000)
    assert.strictEqual(world.phase("A"), "stopping")
  })
})
