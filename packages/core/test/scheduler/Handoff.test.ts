import { assert, describe, it } from "@effect/vitest"
import { Event } from "../../src/scheduler/Event.ts"
import { id, issue, make } from "./World.ts"

const running = (policy = {}) => {
  const world = make({ policy, issues: [issue("A")] })
  const runId = world.launch("A")
  return { world, runId }
}

describe("the handoff grace", () => {
  const movedOn = (to: string, graceMs = 60_000) => {
    const { runId, world } = running({ handoffGraceMs: graceMs })
    world.move("A", to)
    world.poll()
    return { runId, world }
  }

  it("of 0 stops at once", () => {
    const { runId, world } = movedOn("Done", 0)
    assert.strictEqual(world.phase("A"), "stopping")
    assert.strictEqual(world.take("StopRun").runId, runId)
  })

  it("lets the run come to rest by itself, and what it finished counts", () => {
    const { world } = movedOn("Done")
    assert.strictEqual(world.phase("A"), "running")
    world.pass(59_999)
    world.end("A")
    assert.deepStrictEqual(world.records("StopOrdered"), [])
    assert.strictEqual(world.records("RunEnded")[0]?.outcome._tag, "Succeeded")
  })

  it("grants no new turn", () => {
    const { runId, world } = movedOn("Done")
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    assert.strictEqual(world.take("AnswerTurn").verdict._tag, "Stop")
  })

  it("ends with a stop that says why", () => {
    const { runId, world } = movedOn("Done")
    world.pass(60_000)
    assert.strictEqual(world.phase("A"), "stopping")
    assert.include(world.records("StopOrdered")[0]?.reason, "Done")
    world.take("StopRun")
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, false)
    assert.strictEqual(world.phase("A"), "released")
    assert.strictEqual(world.counters("A").failures, 0)
  })

  it("is taken back when the issue is active again within it", () => {
    const { world } = movedOn("Backlog")
    world.pass(30_000)
    world.move("A", "In Progress")
    world.poll()
    world.pass(120_000)
    assert.strictEqual(world.phase("A"), "running")
  })

  it("runs from the first reason on, also when another one follows", () => {
    const { world } = movedOn("Backlog")
    world.pass(30_000)
    world.move("A", "Done")
    world.poll()
    world.pass(30_000)
    assert.strictEqual(world.phase("A"), "stopping")
  })

  it("applies to issues that become unroutable", () => {
    const { world } = running({ requiredLabels: [] })
    world.edit("A", { dispatchable: false, notDispatchableReason: "reassigned" })
    world.poll()
    assert.strictEqual(world.run("A").handoff?.reason, "unroutable")
    world.pass(60_000)
    assert.strictEqual(world.phase("A"), "stopping")
  })

  it("applies when a policy takes the state out of the active ones", () => {
    const { world } = running()
    world.setPolicy({ activeStates: ["in progress"] })
    assert.strictEqual(world.run("A").handoff?.reason, "inactive")
  })

  it("does not apply to an operator", () => {
    const { world } = running()
    world.send(Event.HoldRequested({ issueId: id("A"), note: "" }))
    assert.strictEqual(world.phase("A"), "stopping")
  })

  it("active again while stopping: the run stops, then continues", () => {
    const { runId, world } = movedOn("Backlog")
    world.pass(60_000)
    world.move("A", "Todo")
    world.poll()
    assert.strictEqual(world.phase("A"), "stopping")
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, true)
    assert.strictEqual(world.entry("A").retry?.kind, "continuation")
  })
})
