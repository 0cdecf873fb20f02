import { assert, describe, it } from "@effect/vitest"
import { Event } from "../../src/scheduler/Event.ts"
import { id, issue, make } from "./World.ts"

describe("a new policy", () => {
  it("applies to what waits, at once", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    world.setPolicy({ maxConcurrentAgents: 2 })
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
  })

  it("has the tracker asked again", () => {
    const world = make()
    world.forgetRequests()
    world.setPolicy({ activeStates: ["ready"] })
    assert.strictEqual(world.requests()[0]?._tag, "PollCandidates")
  })

  it("that makes a state inactive releases what waits in it, and one that makes it active takes it back", () => {
    const world = make({
      policy: { maxConcurrentAgents: 1 },
      issues: [issue("A", { state: "In Progress" }), issue("B")]
    })
    world.setTracker("waits")
    world.setPolicy({ activeStates: ["in progress"] })
    assert.strictEqual(world.phase("B"), "released")
    world.setPolicy({ activeStates: ["todo", "in progress"] })
    assert.strictEqual(world.phase("B"), "unclaimed")
  })

  it("that requires another label stops a running agent only after the grace", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.setPolicy({ requiredLabels: ["agent"] })
    assert.strictEqual(world.run("A").handoff?.reason, "unroutable")
    world.setPolicy({ requiredLabels: [] })
    assert.isNull(world.run("A").handoff)
  })

  it("without a grace stops a run that was in its grace", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.move("A", "Backlog")
    world.poll()
    world.setPolicy({ handoffGraceMs: 0 })
    assert.strictEqual(world.phase("A"), "stopping")
  })

  it("with another interval is woken in time for it", () => {
    const world = make({ policy: { pollIntervalMs: 3_600_000 } })
    world.setPolicy({ pollIntervalMs: 1_000 })
    world.forgetRequests()
    world.pass(1_000)
    assert.strictEqual(world.requests().length, 1)
  })

  it("with a shorter silence limit is woken in time for it", () => {
    const world = make({ policy: { stallTimeoutMs: 0 }, issues: [issue("A")] })
    world.launch("A")
    world.setPolicy({ stallTimeoutMs: 10_000 })
    world.pass(10_000)
    assert.strictEqual(world.phase("A"), "stopping")
  })

  it("before the start is in force from the start", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 } })
    assert.strictEqual(world.snapshot().slots.limit, 1)
  })
})

describe("a drain", () => {
  const drained = () => {
    const world = make({ policy: { maxConcurrentAgents: 3 }, issues: [issue("A"), issue("B"), issue("C"), issue("D")] })
    world.launch("A")
    world.prepare("B")
    world.send(Event.DrainRequested())
    return world
  }

  it("asks all that runs to stop, each in its own way, without a grace", () => {
    const world = drained()
    assert.deepStrictEqual(world.phases(), { A: "stopping", B: "stopping", C: "stopping", D: "unclaimed" })
    const stopped = world.asked("StopRun").map(({ runId }) => runId)
    assert.sameMembers(stopped, [world.run("A").runId, world.run("B").runId])
    assert.strictEqual(world.take("CancelPreparation").runId, world.run("C").runId)
  })

  it("starts nothing any more", () => {
    const world = drained()
    const { runId } = world.run("C")
    world.send(Event.PreparationFailed({ runId, workspace: null, reason: "cancelled", cancelled: true }))
    world.pass(21_600_000)
    assert.strictEqual(world.claimed().length, 3)
    assert.include(world.reason("D"), "shutting down")
  })

  it("leaves interrupted issues queued for the next start, without a failure", () => {
    const world = drained()
    const { runId } = world.run("A")
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, false)
    assert.strictEqual(world.phase("A"), "retry_queued")
    assert.strictEqual(world.counters("A").failures, 0)
    assert.isNotNull(
      world.records("IssueSaved").findLast(({ projection }) => projection.issueId === id("A"))?.projection.retry
    )
  })

  it("stops a launch that is reported after it", () => {
    const world = drained()
    const { runId } = world.run("B")
    world.take("StopRun", runId)
    world.send(Event.RunLaunched({ runId, session: null }))
    assert.strictEqual(world.take("StopRun", runId).runId, runId)
  })

  it("asked for twice asks once", () => {
    const world = drained()
    const { commands } = world.send(Event.DrainRequested())
    assert.deepStrictEqual(commands, [])
  })
})
