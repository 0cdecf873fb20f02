/** Bugs of the scheduler that the simulator found, each in its reduced form. */
import { assert, describe, it } from "@effect/vitest"
import { RunId } from "../../src/domain/Ids.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { transition } from "../../src/scheduler/Transition.ts"
import * as World from "../scheduler/World.ts"

describe("what the simulator found", () => {
  it("starts an issue although the tracker takes long to answer its last read", () => {
    const world = World.make()
    world.send(Event.PauseRequested({ reason: "" }))
    world.put(World.issue("A"))
    world.poll()
    world.pass(10_000)
    world.setTracker("waits")
    world.send(Event.ResumeRequested())
    const { ids, lane } = world.take("ReadIssues")
    const startedAt = world.at().now
    world.pass(8_000)
    world.send(Event.IssuesRead({ lane, ids, batch: { issues: [World.issue("A")], malformed: [] }, startedAt }))
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("closes the gate when a run reports a usage limit, not when its workspace is closed", () => {
    const world = World.make({ issues: [World.issue("A"), World.issue("B")], policy: { maxConcurrentAgents: 1 } })
    const runId = world.launch("A")
    const outcome = Outcome.UsageLimited({ untilMs: null, reason: "out of tokens" })
    world.send(Event.RunFinished({ runId, outcome, usage: World.tokens(0) }))
    assert.deepStrictEqual(world.gates(), ["usage_limit"])
  })

  it("counts what a run uses after its stop was given up", () => {
    const world = World.make({ issues: [World.issue("A")], policy: { maxTokensPerDay: 1_000 } })
    const runId = world.launch("A")
    world.send(Event.HoldRequested({ issueId: World.id("A"), note: "" }))
    world.send(Event.ReleaseRequested({ issueId: World.id("A") }))
    world.pass(60_000)
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
    world.send(Event.SessionUpdated({ runId, session: null, usage: World.tokens(1_200) }))
    assert.strictEqual(world.entry("A").usage.inputTokens, 1_200)
    assert.deepStrictEqual(world.gates(), ["daily_budget"])
  })

  it("removes the workspace of a finished issue although the tracker did not answer when its run ended", () => {
    const world = World.make({ issues: [World.issue("A")], policy: { handoffGraceMs: 0 } })
    const runId = world.launch("A")
    world.move("A", "Done")
    world.poll()
    world.send(Event.RunFinished({ runId, outcome: World.succeeded, usage: World.tokens(0) }))
    world.setTracker(World.down)
    world.poll()
    world.close(runId, true)
    assert.strictEqual(world.phase("A"), "released")
    assert.strictEqual(world.asked("RemoveWorkspace").length, 1)
  })

  it("tells a run that was given up to end when it asks for another turn", () => {
    const world = World.make({ issues: [World.issue("A")] })
    const runId = world.launch("A")
    world.send(Event.HoldRequested({ issueId: World.id("A"), note: "" }))
    world.pass(60_000)
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    assert.strictEqual(world.take("AnswerTurn", runId).verdict._tag, "Stop")
  })

  it("starts a due retry with whatever event comes first, when its wake-up is late", () => {
    const world = World.make({ issues: [World.issue("A")], policy: { pollIntervalMs: 60_000 } })
    world.launch("A")
    world.end("A", World.failed)
    const { state, at } = { state: world.state(), at: world.at() }
    const late = { now: at.now + 30_000, wallTime: at.wallTime + 30_000 }
    const { commands } = transition(state, Event.Activity({ runId: RunId("somebody's"), summary: "" }), late)
    assert.deepStrictEqual(
      commands.flatMap((command) => (command._tag === "ReadIssues" ? command.ids : [])),
      [World.id("A")]
    )
  })

  it("answers the question for another turn although an older turn is reported once more", () => {
    const world = World.make({ issues: [World.issue("A")] })
    const runId = world.launch("A")
    world.setTracker("waits")
    world.send(Event.TurnCompleted({ runId, turn: 1, summary: null }))
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    world.send(Event.TurnStarted({ runId, turn: 1 }))
    world.answer()
    assert.strictEqual(world.take("AnswerTurn", runId).verdict._tag, "Continue")
  })

  it("takes an issue back that polls list again after newer reads had missed it", () => {
    const world = World.make({ issues: [World.issue("A")] })
    const runId = world.launch("A")
    const listed = { issues: [World.issue("A")], malformed: [] }
    const answerPoll = (startedAt: number) => {
      world.take("PollCandidates")
      world.send(Event.CandidatesPolled({ batch: listed, startedAt, startedAtWall: world.at().wallTime }))
    }
    world.setTracker("waits")
    world.poll()
    const pollBegan = world.at().now
    for (const [index, batch] of [listed, { issues: [], malformed: [] }, { issues: [], malformed: [] }].entries()) {
      world.pass(1)
      world.send(Event.TurnAsked({ runId, turn: index + 1 }))
      const { ids, lane } = world.asked("ReadIssues").find((command) => command.lane === "demand") ?? assert.fail()
      world.send(Event.IssuesRead({ lane, ids, batch, startedAt: world.at().now }))
    }
    assert.strictEqual(world.entry("A").misses, 2)
    answerPoll(pollBegan)
    world.poll()
    answerPoll(world.at().now)
    assert.strictEqual(world.entry("A").misses, 0)
  })
})
