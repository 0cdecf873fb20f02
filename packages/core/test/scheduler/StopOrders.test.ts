import { assert, describe, it } from "@effect/vitest"
import { Event } from "../../src/scheduler/Event.ts"
import { failed, id, issue, make, succeeded, tokens, type World } from "./World.ts"

const running = (policy = {}) => {
  const world = make({ policy, issues: [issue("A")] })
  const runId = world.launch("A")
  return { world, runId }
}

const holdIt = (world: World, note = "") => world.send(Event.HoldRequested({ issueId: id("A"), note }))
const reasons = (world: World) => world.records("StopOrdered").map(({ reason }) => reason)

describe("an order to stop", () => {
  it("is given once, however often somebody wants it", () => {
    const { runId, world } = running()
    holdIt(world)
    holdIt(world, "really")
    world.move("A", "Done")
    world.poll()
    world.send(Event.DrainRequested())
    assert.deepStrictEqual(reasons(world), ["an operator stopped it"])
    assert.strictEqual(world.asked("StopRun").length, 1)
    assert.isNull(world.run("A").handoff)
    assert.strictEqual(world.take("StopRun", runId).reason, "an operator stopped it")
  })

  it("is not given to a run whose workspace is being closed", () => {
    const { runId, world } = running()
    world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(0) }))
    holdIt(world)
    world.send(Event.DrainRequested())
    world.move("A", "Backlog")
    world.poll()
    assert.deepStrictEqual([...reasons(world), ...world.asked("StopRun")], [])
    assert.isNull(world.run("A").stop)
    assert.isNull(world.run("A").handoff)
  })

  it("says why, and what there is to add", () => {
    const { world } = running({ handoffGraceMs: 0 })
    holdIt(world, "wait for Ann")
    assert.deepStrictEqual(reasons(world), ["an operator stopped it: wait for Ann"])
    const { world: other } = running({ stallTimeoutMs: 60_000 })
    other.pass(60_000)
    assert.deepStrictEqual(reasons(other), [
      "its agent was silent for too long: the agent was silent for 60 s (agent.stall_timeout_ms)"
    ])
  })

  it.each([
    ["Done", {}, /^its issue reached a terminal state: in the terminal state Done$/],
    ["Backlog", {}, /^its issue left the active states: in the state Backlog, which is not active$/],
    ["Todo", { dispatchable: false }, /^its issue is no longer for this orchestrator: /]
  ] as const)("of an issue that moved to %s %j names that", (state, fields, reason) => {
    const { world } = running({ handoffGraceMs: 0 })
    world.edit("A", { state, ...fields })
    world.poll()
    assert.match(reasons(world).join(), reason)
    const { stop } = world.run("A")
    assert.strictEqual(stop?.deadline, world.at().now + 30_000)
    const wanted = state === "Done" ? "terminal" : state === "Backlog" ? "inactive" : "unroutable"
    assert.strictEqual(stop?.reason, wanted)
  })

  it("keeps showing the turn that it interrupts", () => {
    const { world } = running()
    holdIt(world)
    assert.strictEqual(world.snapshot().issues[0]?.run?.turn, 1)
  })

  it("answers no question that nobody asked", () => {
    const { runId, world } = running()
    holdIt(world)
    assert.deepStrictEqual(world.asked("AnswerTurn"), [])
    const { world: other } = running()
    other.setTracker("waits")
    other.send(Event.TurnAsked({ runId, turn: 1 }))
    holdIt(other, "lunch")
    const { verdict } = other.take("AnswerTurn")
    assert.deepStrictEqual(verdict, { _tag: "Stop", reason: "an operator stopped it: lunch" })
    assert.isNull(other.run("A").turn?.askedAt)
  })

  it("before there was a turn shows none", () => {
    const world = make({ issues: [issue("A")] })
    world.prepare("A")
    holdIt(world)
    assert.isNull(world.run("A").turn)
    assert.isNull(world.snapshot().issues[0]?.run?.turn)
  })

  it("is repeated when the launch that it met succeeded after all", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.prepare("A")
    holdIt(world, "lunch")
    world.take("StopRun", runId)
    world.send(Event.RunLaunched({ runId, session: null }))
    assert.deepInclude(world.take("StopRun", runId), { reason: "lunch", timeoutMs: 30_000 })
  })
})

describe("what a stopped run counts as", () => {
  it.each([
    [{ stallTimeoutMs: 60_000 }, "Stalled", "the agent was silent for 60 s (agent.stall_timeout_ms)"],
    [{ turnTimeoutMs: 90_500 }, "TimedOut", "turn 1 took longer than 90.5 s (agent.turn_timeout_ms)"]
  ] as const)("under %j is %s, with the reason", (policy, tag, reason) => {
    const { runId, world } = running(policy)
    world.pass(100_000)
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    const [ended] = world.records("RunEnded")
    assert.deepStrictEqual<unknown>(ended?.outcome, { _tag: tag, reason })
  })

  it.each([
    ["", "an operator stopped it"],
    ["lunch", "lunch"]
  ])("with the note %j is cancelled for that", (note, reason) => {
    const { runId, world } = running()
    holdIt(world, note)
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    assert.deepStrictEqual<unknown>(world.records("RunEnded")[0]?.outcome, { _tag: "Cancelled", reason })
  })
})

describe("a run that was given up", () => {
  const givenUp = (names: ReadonlyArray<string> = ["A"]) => {
    const world = make({ issues: names.map((name) => issue(name)) })
    const runIds = names.map((name) => world.launch(name))
    for (const name of names) world.send(Event.HoldRequested({ issueId: id(name), note: "" }))
    world.pass(60_000)
    for (const name of names) assert.strictEqual(world.hold(name), "StopUnconfirmed")
    return { world, runIds, runId: runIds[0] ?? assert.fail() }
  }

  it("stays held when its stop is not confirmed later either", () => {
    const { runId, world } = givenUp()
    world.send(Event.StopSettled({ runId, result: "unconfirmed" }))
    assert.deepStrictEqual(world.asked("FinishRun"), [])
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
  })

  it("is closed and its issue held no longer when its end is confirmed late, and says by what", () => {
    const { runId, world } = givenUp()
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
    assert.strictEqual(world.take("FinishRun", runId).outcome._tag, "Cancelled")
    world.send(Event.RunClosed({ runId, fingerprint: null }))
    assert.isNull(world.hold("A"))
    assert.strictEqual(world.records("HoldLifted")[0]?.by, "the end of its run")
  })

  it("is closed with the outcome that it reports itself", () => {
    const { runId, world } = givenUp()
    world.send(Event.RunFinished({ runId, outcome: failed, usage: tokens(0) }))
    assert.deepStrictEqual(world.take("FinishRun", runId).outcome, failed)
  })

  it("lifts the hold of its own issue only", () => {
    const { runIds, world } = givenUp(["A", "B", "C"])
    const [, second = assert.fail()] = runIds
    world.send(Event.StopSettled({ runId: second, result: "confirmed" }))
    world.send(Event.RunClosed({ runId: second, fingerprint: null }))
    assert.deepStrictEqual(
      ["A", "B", "C"].map((name) => world.hold(name)),
      ["StopUnconfirmed", null, "StopUnconfirmed"]
    )
  })

  it("is found among other holds", () => {
    const world = make({ issues: [issue("A"), issue("B"), issue("C")], policy: { maxConcurrentAgents: 1 } })
    const runId = world.launch("A")
    for (const name of ["A", "B", "C"]) world.send(Event.HoldRequested({ issueId: id(name), note: "" }))
    world.pass(60_000)
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, false)
    assert.deepStrictEqual(
      ["A", "B", "C"].map((name) => world.hold(name)),
      [null, "Operator", "Operator"]
    )
  })

  it("is refused another turn with the reason of its stop", () => {
    const { runId, world } = givenUp()
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    const { verdict } = world.take("AnswerTurn", runId)
    assert.deepStrictEqual(verdict, { _tag: "Stop", reason: "an operator stopped it" })
  })
})

describe("a report out of turn", () => {
  it("of a workspace that is closed before its run ended changes nothing", () => {
    const { runId, world } = running()
    world.send(Event.RunClosed({ runId, fingerprint: null }))
    assert.isNull(world.run("A").closing)
    assert.strictEqual(world.phase("A"), "running")
    assert.strictEqual(world.state().ignoredEvents, 1)
  })

  it("of a workspace that is closed twice changes nothing", () => {
    const { runId, world } = running()
    world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(0) }))
    world.setTracker("waits")
    world.close(runId, true)
    const before = world.run("A").closing
    world.pass(10)
    world.send(Event.RunClosed({ runId, fingerprint: "other" }))
    assert.strictEqual(world.run("A").closing, before)
  })

  it("of an end before the launch does not end the run, but what it used counts", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(7) }))
    assert.strictEqual(world.phase("A"), "claimed")
    assert.strictEqual(world.entry("A").usage.inputTokens, 7)
    assert.strictEqual(world.state().ignoredEvents, 1)
  })

  it("of usage after the end counts", () => {
    const { runId, world } = running()
    world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(1) }))
    world.send(Event.RunFinished({ runId, outcome: failed, usage: tokens(7) }))
    assert.strictEqual(world.entry("A").usage.inputTokens, 7)
    assert.deepStrictEqual(world.run("A").outcome, succeeded)
  })
})
