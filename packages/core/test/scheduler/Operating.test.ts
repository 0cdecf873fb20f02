import { assert, describe, it } from "@effect/vitest"
import { Event } from "../../src/scheduler/Event.ts"
import * as Idle from "../../src/scheduler/Idle.ts"
import { down, failed, id, issue, make, reference, succeeded, tokens, workspace } from "./World.ts"

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
    world.pass(86_400_000)
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

describe("the snapshot", () => {
  it("shows every issue by its identifier, with phase, reason and numbers", () => {
    const world = make({
      policy: { maxConcurrentAgents: 1 },
      issues: [issue("b"), issue("B", { priority: 2 }), issue("a")]
    })
    world.launch("B")
    world.pass(2_000)
    const snapshot = world.snapshot()
    assert.deepStrictEqual(
      snapshot.issues.map(({ identifier, phase, runs }) => [identifier, phase, runs]),
      [
        ["B", "running", 1],
        ["a", "unclaimed", 0],
        ["b", "unclaimed", 0]
      ]
    )
    assert.deepInclude(snapshot.issues[0]?.run, {
      turn: 1,
      turnsCompleted: 0,
      ageMs: 2_000,
      silentMs: 2_000,
      attempt: null
    })
    assert.deepStrictEqual(snapshot.slots, { taken: 1, limit: 1 })
    assert.deepStrictEqual(JSON.parse(JSON.stringify(snapshot)), snapshot)
  })

  it("shows how the tracker is doing", () => {
    const world = make()
    world.setTracker({ tag: "TrackerTimeout", message: "slow", retryable: true, retryAtWallMs: null })
    world.poll()
    assert.deepInclude(world.snapshot().tracker, { healthy: false, error: "slow", nextPollInMs: 1_000 })
    world.setTracker("answers")
    world.pass(1_000)
    assert.deepInclude(world.snapshot().tracker, { healthy: true, error: null })
    assert.deepStrictEqual([world.records("TrackerFailed").length, world.records("TrackerRecovered").length], [1, 1])
  })
})
