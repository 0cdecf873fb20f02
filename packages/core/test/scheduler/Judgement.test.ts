import { assert, describe, it } from "@effect/vitest"
import type { RunId } from "../../src/domain/Ids.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { Decision } from "../../src/scheduler/Decision.ts"
import { Event } from "../../src/scheduler/Event.ts"
import * as Idle from "../../src/scheduler/Idle.ts"
import { down, failed, id, issue, make, noon, reference, tokens, workspace, type World } from "./World.ts"

const waitingFor = (world: World) => Idle.waitingFor(world.state(), world.at())

const polled = (world: World, names: ReadonlyArray<string>) =>
  world.send(
    Event.CandidatesPolled({
      batch: { issues: names.map((name) => issue(name)), malformed: [] },
      startedAt: world.at().now,
      startedAtWall: noon
    })
  )

describe("a blocker", () => {
  /** B runs and is open; the copy of it inside A says that it is done. Only B is read from then on, as told. */
  const blocked = () => {
    const blockedBy = [reference("B", "Done")]
    const world = make({
      policy: { maxConcurrentAgents: 1 },
      issues: [issue("A", { blockedBy }), issue("B", { priority: 1 })]
    })
    const runId = world.launch("B")
    world.setTracker("waits")
    assert.strictEqual(world.decision("A")._tag, "Blocked")
    return { world, runId }
  }
  const readB = (world: World, runId: RunId, turn: number, isReadable: boolean) => {
    world.pass(1)
    world.send(Event.TurnAsked({ runId, turn }))
    const { ids, lane } = world.take("ReadIssues")
    const malformed = isReadable ? [] : [{ source: "B", id: id("B"), identifier: "B", message: "no title" }]
    world.send(Event.IssuesRead({ lane, ids, batch: { issues: [], malformed }, startedAt: world.at().now }))
  }

  it("that is gone is judged by the copy of it", () => {
    const { runId, world } = blocked()
    readB(world, runId, 1, true)
    assert.strictEqual(world.decision("A")._tag, "Blocked")
    readB(world, runId, 2, true)
    assert.strictEqual(world.decision("A")._tag, "Full")
  })

  it("that cannot be read is judged by the copy of it", () => {
    const { runId, world } = blocked()
    readB(world, runId, 1, false)
    assert.strictEqual(world.decision("A")._tag, "Full")
  })
})

describe("a decision", () => {
  it("about a run that may still be alive comes before what the tracker says", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.send(Event.HoldRequested({ issueId: id("A"), note: "" }))
    world.pass(60_000)
    world.move("A", "Done")
    world.poll()
    const decision = world.decision("A")
    assert.strictEqual(decision._tag, "Held")
    assert.strictEqual(world.phase("A"), "held")
  })

  it("about an issue that is queued does not depend on the list of the last poll", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.end("A", failed)
    world.setTracker("waits")
    polled(world, [])
    assert.isFalse(world.entry("A").listed)
    assert.strictEqual(world.decision("A")._tag, "RetryNotDue")
  })

  it("about a full state names it and its limit", () => {
    const world = make({ policy: { maxConcurrentAgentsByState: { todo: 1 } }, issues: [issue("A"), issue("B")] })
    assert.deepStrictEqual(world.decision("B"), Decision.StateFull({ state: "Todo", limit: 1 }))
    assert.include(waitingFor(world), `B: ${world.reason("B")}`)
  })

  it("about an issue that is to be read says whether it is being read, or what keeps it from that", () => {
    const world = make({ issues: [issue("A")], policy: { maxConcurrentAgents: 1 } })
    world.launch("A")
    world.put(issue("B"))
    world.poll()
    world.pass(10_000)
    world.setTracker("waits")
    world.end("A", failed)
    assert.deepStrictEqual(world.decision("B"), Decision.Full({ limit: 1 }))
    const closing = world.take("ReadIssues")
    const batch = { issues: [issue("A")], malformed: [] }
    world.send(Event.IssuesRead({ ...closing, batch, startedAt: world.at().now }))
    assert.deepStrictEqual(world.decision("B"), Decision.AwaitingRead({ problem: null }))
    assert.include(waitingFor(world), "B: being read once more before it starts")
    world.send(Event.PollRequested())
    world.take("PollCandidates")
    world.send(Event.CandidatesFailed({ problem: down }))
    assert.deepStrictEqual(world.decision("B"), Decision.AwaitingRead({ problem: null }))
    world.send(Event.IssuesReadFailed({ ...world.take("ReadIssues"), problem: down }))
    assert.deepStrictEqual(world.decision("B"), Decision.AwaitingRead({ problem: "unreachable" }))
  })
})

describe("a new policy", () => {
  it("ends what it no longer lets run, without waiting for the tracker", () => {
    const world = make({ issues: [issue("A")], policy: { handoffGraceMs: 0 } })
    const runId = world.launch("A")
    world.setTracker("waits")
    world.setPolicy({ activeStates: ["in progress"] })
    assert.strictEqual(world.phase("A"), "stopping")
    assert.strictEqual(world.take("StopRun", runId).runId, runId)
  })
})

describe("a gate", () => {
  it("of the tracker is open from the instant on that it named, whether or not the tracker answers then", () => {
    const world = make()
    const retryAtWallMs = world.at().wallTime + 60_001
    world.setTracker({ tag: "TrackerRateLimited", message: "429", retryable: true, retryAtWallMs })
    world.poll()
    world.setTracker("waits")
    world.pass(59_999)
    assert.deepStrictEqual(world.gates(), ["tracker"])
    world.pass(1)
    assert.deepStrictEqual(world.gates(), [])
    assert.strictEqual(world.asked("PollCandidates").length, 1)
  })

  it("of a runtime under which many issues fail says so, and opens for a trial by itself", () => {
    const names = ["A", "B", "C", "D", "E"]
    const world = make({ issues: names.map((name) => issue(name)) })
    for (const name of names) world.launch(name)
    for (const name of names) world.end(name, failed)
    assert.deepStrictEqual<unknown>(world.snapshot().gates, [
      {
        gate: "runtime_failing",
        reason: "runs of many issues fail before a turn completes (broken); one trial at a time",
        opensInMs: 10_000,
        opensByItself: true
      }
    ])
  })
})

describe("a stop", () => {
  it("that came too late for a usage limit lets the limit count", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.send(Event.DrainRequested())
    const limit = Outcome.UsageLimited({ untilMs: null, reason: "out of tokens" })
    world.send(Event.RunFinished({ runId, outcome: limit, usage: tokens(0) }))
    assert.deepStrictEqual(world.records("RunEnded")[0]?.outcome, limit)
    assert.include(world.gates(), "usage_limit")
  })

  it("that is confirmed before there is a workspace leaves none to close", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.send(Event.HoldRequested({ issueId: id("A"), note: "" }))
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    assert.deepStrictEqual(world.asked("FinishRun"), [])
    assert.strictEqual(world.hold("A"), "Operator")
    assert.isNull(world.entry("A").run)
  })
})

describe("what is waited for", () => {
  it("is nothing behind a pause, whatever else is closed", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.end("A", Outcome.UsageLimited({ untilMs: null, reason: "out of tokens" }))
    world.send(Event.PauseRequested({ reason: "" }))
    world.pass(2_000)
    world.poll()
    assert.deepStrictEqual(world.gates(), ["paused", "usage_limit"])
    assert.deepStrictEqual(waitingFor(world), [])
  })

  it("is the poll that is due, also while the tracker is left alone", () => {
    const world = make({ tracker: down })
    world.setTracker("answers")
    world.pass(1_000)
    world.setTracker(down)
    world.poll()
    assert.deepStrictEqual(waitingFor(world), [])
    world.send(Event.PollRequested())
    assert.deepStrictEqual(waitingFor(world), ["the poll under way"])
  })

  it("is the reading of what an earlier orchestrator left", () => {
    const world = make({ workspaces: [{ workspace: workspace("A"), interruptedRun: null }], tracker: "waits" })
    world.take("PollCandidates")
    polled(world, [])
    assert.strictEqual(world.asked("ReadIssues").length, 1)
    assert.deepStrictEqual(waitingFor(world), ["the reading of known issues"])
  })

  it("is named in the order of the identifiers", () => {
    const names = Array.from({ length: 30 }, (_, index) => `I${(index * 7) % 30}`)
    const world = make({ issues: names.map((name) => issue(name)), policy: { maxConcurrentAgents: 30 } })
    assert.deepStrictEqual(waitingFor(world), names.map((name) => `${name}: claimed`).sort())
  })

  it("is no poll that began at the instant at which the last run ended", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.move("A", "Backlog")
    world.pass(1)
    world.end("A")
    world.send(Event.PollRequested())
    assert.strictEqual(world.state().poll.answeredAt, world.state().lastRunEndedAt)
    assert.deepStrictEqual(waitingFor(world), [])
  })
})
