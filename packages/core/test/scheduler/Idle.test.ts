import { assert, describe, it } from "@effect/vitest"
import { Event } from "../../src/scheduler/Event.ts"
import * as Idle from "../../src/scheduler/Idle.ts"
import { down, failed, id, issue, make, reference, succeeded, tokens, workspace } from "./World.ts"

describe("nothing left to do", () => {
  const waitingFor = (world: ReturnType<typeof make>) => Idle.waitingFor(world.state(), world.at())

  it("is not so before the tracker answered", () => {
    const world = make()
    assert.deepStrictEqual(waitingFor(world), [])
    world.setTracker("waits")
    world.poll()
    assert.strictEqual(waitingFor(world).length, 1)
  })

  it("is so with blocked, held and inactive issues", () => {
    const world = make({ issues: [issue("A", { blockedBy: [reference("X", "Todo")] }), issue("B")] })
    world.launch("B")
    const { runId } = world.run("B")
    world.send(Event.HoldRequested({ issueId: id("B"), note: "" }))
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, false)
    world.pass(1)
    world.poll()
    assert.deepStrictEqual(waitingFor(world), [])
  })

  it("is not so while something is claimed, running, stopping, queued, waiting for a slot, or being removed", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    const words = () => waitingFor(world).join("; ")
    assert.include(words(), "A: claimed")
    assert.include(words(), "B: waits for a slot")
    world.launch("A")
    assert.include(words(), "A: running")
    world.end("A", failed)
    assert.include(words(), "A: retries in 10 s")
    world.move("B", "Done")
    world.launch("B")
    world.end("B")
    assert.include(words(), "B: its workspace is being removed")
  })

  it("is not so until a poll that began after the last run ended", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.pass(1)
    world.move("A", "Backlog")
    world.end("A")
    assert.strictEqual(waitingFor(world).length, 1)
    world.pass(1)
    world.poll()
    assert.deepStrictEqual(waitingFor(world), [])
  })

  it("is not so while what an earlier orchestrator left is still to be read", () => {
    const recovered = { workspace: workspace("A"), interruptedRun: null }
    const world = make({ workspaces: [recovered], issues: [issue("A", { state: "Done" })], tracker: "waits" })
    const { ids, lane } = world.take("ReadIssues")
    world.answer()
    world.send(Event.IssuesReadFailed({ lane, ids, problem: down }))
    assert.strictEqual(waitingFor(world).length, 1)
    world.pass(1_000)
    world.answer()
    assert.include(waitingFor(world).join(), "A: its workspace is being removed")
  })

  it("is not so behind a gate that opens by itself, and is so behind a pause", () => {
    const world = make({ policy: { maxTokensPerDay: 1 }, issues: [issue("A")] })
    world.launch("A")
    world.end("A", succeeded, { usage: tokens(1) })
    world.pass(1_000)
    assert.strictEqual(waitingFor(world).length, 1)
    world.setPolicy({ maxTokensPerDay: 0 })
    world.launch("A")
    world.send(Event.PauseRequested({ reason: "" }))
    world.end("A")
    world.pass(1_000)
    world.poll()
    assert.deepStrictEqual(waitingFor(world), [])
  })
})
