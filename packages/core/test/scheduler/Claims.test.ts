import { assert, describe, it } from "@effect/vitest"
import { Event } from "../../src/scheduler/Event.ts"
import { down, failed, id, issue, make, succeeded, tokens, workspace } from "./World.ts"

const names = ["A", "B", "C", "D"]
const outcomes = (world: ReturnType<typeof make>) => world.records("RunEnded").map(({ outcome }) => outcome)

describe("a slot that an issue is being read for", () => {
  it("is not given to a later one meanwhile", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("B")] })
    world.launch("B")
    world.put(issue("A", { priority: 1 }))
    world.poll()
    world.pass(10_000)
    world.end("B", failed, { turns: 1 })
    world.take("PrepareWorkspace")
    assert.deepStrictEqual(world.claimed(), ["B", "A"])
    const late = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("B")] })
    const runId = late.launch("B")
    late.put(issue("A", { priority: 1 }))
    late.poll()
    late.pass(10_000)
    late.send(Event.TurnCompleted({ runId, turn: 1, summary: null }))
    late.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(0) }))
    late.setTracker("waits")
    late.close(runId, true)
    const { ids, lane } = late.take("ReadIssues")
    late.send(Event.IssuesRead({ lane, ids, batch: { issues: [issue("B")], malformed: [] }, startedAt: late.at().now }))
    assert.isTrue(late.entry("A").awaitingRead)
    late.pass(2_000)
    assert.deepStrictEqual(late.claimed(), ["B"])
    late.answer()
    assert.deepStrictEqual(late.claimed(), ["B", "A"])
  })

  it.each([1, 2, 3])("is one of %i: no more are read than there are", (slots) => {
    const world = make({ policy: { maxConcurrentAgents: slots } })
    world.send(Event.PauseRequested({ reason: "" }))
    for (const name of names) world.put(issue(name))
    world.poll()
    world.pass(10_000)
    world.setTracker("waits")
    world.send(Event.ResumeRequested())
    assert.deepStrictEqual(
      world.asked("ReadIssues").map(({ ids }) => ids),
      [names.slice(0, slots).map((name) => id(name))]
    )
    world.wake()
    world.wake()
    assert.strictEqual([...world.state().demand.wanted].length, 0)
  })
})

describe("a claim", () => {
  it("is refused when a limit was lowered meanwhile, and says what the last run failed with", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.end("A", failed)
    world.setPolicy({ maxFailures: 1 })
    world.pass(10_000)
    assert.deepInclude(world.entry("A").hold, { failures: 1, lastReason: "broken" })
  })
})

describe("a preparation", () => {
  it("that ends after its run was told to stop launches nothing, although its issue is active again", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.move("A", "Backlog")
    world.poll()
    assert.strictEqual(world.phase("A"), "stopping")
    world.move("A", "Todo")
    world.poll()
    world.send(Event.WorkspacePrepared({ runId, workspace: workspace("A"), fingerprint: null }))
    assert.deepStrictEqual(world.asked("LaunchRun"), [])
    assert.deepStrictEqual<unknown>(outcomes(world), [
      { _tag: "Cancelled", reason: "in the state Backlog, which is not active" }
    ])
  })

  it("that was cancelled is no failure", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.move("A", "Backlog")
    world.poll()
    world.move("A", "Todo")
    world.poll()
    world.send(Event.PreparationFailed({ runId, workspace: null, reason: "cancelled", cancelled: true }))
    assert.strictEqual(outcomes(world)[0]?._tag, "Cancelled")
    assert.strictEqual(world.counters("A").failures, 0)
  })

  it("that is reported twice launches once", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.send(Event.WorkspacePrepared({ runId, workspace: workspace("A"), fingerprint: "other" }))
    assert.deepStrictEqual(world.asked("LaunchRun"), [])
    assert.strictEqual(world.run("A").stage, "running")
    assert.strictEqual(world.run("A").fingerprint, "before")
  })

  it("behind a gate that closed meanwhile counts as cancelled for that", () => {
    const world = make({ issues: [issue("A")] })
    world.send(Event.PauseRequested({ reason: "" }))
    world.prepare("A")
    assert.deepStrictEqual<unknown>(outcomes(world), [
      { _tag: "Cancelled", reason: "a gate closed before its agent started" }
    ])
  })
})

describe("a launch", () => {
  const launching = () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.prepare("A")
    world.take("LaunchRun", runId)
    return { world, runId }
  }
  const fail = (fields: { readonly unavailable?: boolean; readonly stopped?: "confirmed" | "unconfirmed" } = {}) => {
    const { runId, world } = launching()
    world.send(Event.LaunchFailed({ runId, reason: "no agent", unavailable: false, stopped: "confirmed", ...fields }))
    return { world, runId }
  }

  it("that fails is a failure with its reason", () => {
    assert.deepStrictEqual<unknown>(outcomes(fail().world), [{ _tag: "Failed", reason: "no agent" }])
  })

  it("that found the runtime down is none, and keeps the reason", () => {
    const { world } = fail({ unavailable: true })
    assert.deepStrictEqual<unknown>(outcomes(world), [{ _tag: "Cancelled", reason: "no agent" }])
    assert.deepStrictEqual(world.gates(), ["runtime_down"])
  })

  it("that may have left an agent is stopped, and counts as too long", () => {
    const { runId, world } = fail({ stopped: "unconfirmed" })
    assert.strictEqual(world.phase("A"), "stopping")
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    assert.deepStrictEqual<unknown>(outcomes(world), [{ _tag: "TimedOut", reason: "no agent" }])
  })

  it("that fails after its run was told to stop counts as stopped", () => {
    const { runId, world } = launching()
    world.send(Event.DrainRequested())
    world.send(Event.LaunchFailed({ runId, reason: "killed", unavailable: false, stopped: "confirmed" }))
    assert.deepStrictEqual<unknown>(outcomes(world), [
      { _tag: "Cancelled", reason: "the orchestrator is shutting down" }
    ])
  })

  it("that is said to have failed once it succeeded changes nothing", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.send(Event.LaunchFailed({ runId, reason: "late", unavailable: false, stopped: "confirmed" }))
    assert.strictEqual(world.phase("A"), "running")
    assert.strictEqual(world.state().ignoredEvents, 1)
  })
})

describe("the snapshot", () => {
  it("shows when a queued run is due, and how the last one ended", () => {
    const world = make({ issues: [issue("A")] })
    assert.deepInclude(world.snapshot().issues[0], { retryInMs: null, lastOutcome: null, runs: 1 })
    world.launch("A")
    world.end("A", failed)
    world.pass(4_000)
    assert.deepInclude(world.snapshot().issues[0], { retryInMs: 6_000, lastOutcome: "failed", runs: 1 })
    world.send(Event.PauseRequested({ reason: "" }))
    world.pass(60_000)
    assert.deepInclude(world.snapshot().issues[0], { retryInMs: 0, phase: "retry_queued" })
  })

  it("of a scheduler that has only begun is empty", () => {
    const world = make()
    const { issues, malformed, usageToday } = world.snapshot()
    assert.deepStrictEqual([issues.length, malformed.length, usageToday.inputTokens], [0, 0, 0])
    assert.deepStrictEqual(world.state().usageByDay, [])
    assert.isFalse(world.state().poll.again)
  })
})

describe("a failure of the tracker", () => {
  it("is written down with its message and the pause that follows, once per message", () => {
    const world = make({ issues: [issue("A")] })
    world.setTracker(down)
    world.poll()
    world.pass(10_000)
    world.setTracker({ ...down, message: "still unreachable" })
    world.pass(60_000)
    assert.deepStrictEqual(
      world.records("TrackerFailed").map(({ message, retryInMs }) => [message, retryInMs]),
      [
        ["unreachable", 1_000],
        ["still unreachable", 16_000]
      ]
    )
  })
})
