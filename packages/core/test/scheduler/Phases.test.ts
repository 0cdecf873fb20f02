import { assert, describe, it } from "@effect/vitest"
import { RunId } from "../../src/domain/Ids.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { failed, id, issue, make, reference, succeeded, tokens, workspace, type World } from "./World.ts"

const running = (policy = {}) => {
  const world = make({ policy, issues: [issue("A")] })
  const runId = world.launch("A")
  return { world, runId }
}

const tagsOf = (steps: ReadonlyArray<{ readonly _tag: string }>) =>
  steps.map(({ _tag }) => _tag).filter((tag) => !["WakeAt", "IssueSaved", "FleetSaved"].includes(tag))

const finish = (world: World, runId: RunId, outcome: Outcome = succeeded) =>
  world.send(Event.RunFinished({ runId, outcome, usage: tokens(0) }))

describe("an unclaimed issue", () => {
  it("is claimed: the claim is written down before its workspace is prepared", () => {
    const world = make()
    world.put(issue("A"))
    world.setTracker("waits")
    world.poll()
    world.setTracker("answers")
    world.answer()
    assert.strictEqual(world.phase("A"), "claimed")
    assert.deepInclude(world.records("RunClaimed")[0], { identifier: "A", attempt: null })
    assert.deepStrictEqual(world.take("PrepareWorkspace").run.issue, issue("A"))
    assert.strictEqual(world.records("IssueSaved").at(-1)?.projection.liveRun, world.run("A").runId)
  })

  it("is released when it leaves the active states, and back when it is active again", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    world.send(Event.HoldRequested({ issueId: id("B"), note: "" }))
    world.move("B", "Backlog")
    world.poll()
    assert.strictEqual(world.phase("B"), "released")
    world.move("B", "Todo")
    world.poll()
    assert.strictEqual(world.phase("B"), "held")
  })

  it("is held by an operator", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    world.send(Event.HoldRequested({ issueId: id("B"), note: "not today" }))
    assert.strictEqual(world.phase("B"), "held")
    assert.include(world.reason("B"), "not today")
  })
})

describe("a claimed issue", () => {
  it("runs once its workspace is ready and its agent is launched", () => {
    const world = make({ issues: [issue("A")], policy: { maxTurns: 7, launchTimeoutMs: 9 } })
    const runId = world.prepare("A")
    assert.strictEqual(world.phase("A"), "claimed")
    const { maxTurns, run, timeoutMs } = world.take("LaunchRun")
    assert.deepStrictEqual([maxTurns, timeoutMs, run.workspace], [7, 9, workspace("A")])
    world.send(Event.RunLaunched({ runId, session: null }))
    assert.strictEqual(world.phase("A"), "running")
    assert.strictEqual(world.records("RunLaunched").length, 1)
  })

  it("is queued when its workspace cannot be prepared, and frees its slot", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    const { runId } = world.run("A")
    world.send(Event.PreparationFailed({ runId, workspace: null, reason: "hook failed", cancelled: false }))
    assert.deepStrictEqual(world.phases(), { A: "retry_queued", B: "claimed" })
    assert.strictEqual(world.counters("A").failures, 1)
    assert.include(world.reason("A"), "hook failed")
  })

  it("keeps a workspace that came to be although the preparation failed", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.send(Event.PreparationFailed({ runId, workspace: workspace("A"), reason: "before_run", cancelled: false }))
    assert.deepStrictEqual(world.entry("A").workspace, workspace("A"))
  })

  it("is queued when its agent cannot be launched, after its workspace is closed", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.prepare("A")
    world.send(Event.LaunchFailed({ runId, reason: "no such file", unavailable: false, stopped: "confirmed" }))
    assert.strictEqual(world.snapshot().slots.taken, 1)
    world.close(runId, false)
    assert.strictEqual(world.phase("A"), "retry_queued")
    assert.strictEqual(world.counters("A").failures, 1)
  })

  it("is told to stop when a launch timed out and its agent may still be there", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.prepare("A")
    world.send(Event.LaunchFailed({ runId, reason: "too slow", unavailable: false, stopped: "unconfirmed" }))
    assert.strictEqual(world.phase("A"), "stopping")
    assert.strictEqual(world.take("StopRun").runId, runId)
    world.pass(30_000)
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
  })

  it("is not launched when it was blocked meanwhile: it goes back, and nothing is counted", () => {
    const world = make({ issues: [issue("A")] })
    world.edit("A", { blockedBy: [reference("X", "Todo")] })
    world.poll()
    const runId = world.prepare("A")
    assert.deepStrictEqual(world.asked("LaunchRun"), [])
    assert.strictEqual(world.phase("A"), "stopping")
    world.close(runId, false)
    assert.strictEqual(world.phase("A"), "unclaimed")
    assert.strictEqual(world.decision("A")._tag, "Blocked")
    assert.deepInclude(world.counters("A"), { failures: 0, runs: 0, attempts: 0, claims: 1 })
  })

  it("is stopped while it prepares when its issue leaves the active states", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.move("A", "Done")
    world.poll()
    assert.strictEqual(world.phase("A"), "stopping")
    assert.strictEqual(world.take("CancelPreparation").runId, runId)
    world.send(Event.PreparationFailed({ runId, workspace: null, reason: "cancelled", cancelled: true }))
    assert.strictEqual(world.phase("A"), "released")
  })

  it("is queued without a failure when a gate closed before its launch, and starts when it opens", () => {
    const world = make({ issues: [issue("A")] })
    world.send(Event.PauseRequested({ reason: "lunch" }))
    const runId = world.prepare("A")
    assert.deepStrictEqual(world.asked("LaunchRun"), [])
    world.close(runId, false)
    assert.strictEqual(world.phase("A"), "retry_queued")
    assert.deepInclude(world.counters("A"), { failures: 0, runs: 0, attempts: 0 })
    assert.include(world.reason("A"), "lunch")
    world.send(Event.ResumeRequested())
    assert.strictEqual(world.phase("A"), "claimed")
    assert.isNull(world.run("A").attempt)
  })

  it("is closed when the preparation that was to be cancelled had just ended", () => {
    const world = make({ issues: [issue("A")] })
    world.send(Event.DrainRequested())
    const runId = world.prepare("A")
    assert.strictEqual(world.take("FinishRun").run.runId, runId)
    world.send(Event.PreparationFailed({ runId, workspace: null, reason: "cancelled", cancelled: true }))
    assert.strictEqual(world.phase("A"), "stopping")
  })
})

describe("a run that ends", () => {
  it("is written down, its workspace closed, its issue read, and only then the slot is free", () => {
    const { runId, world } = running()
    const ended = finish(world, runId)
    assert.deepStrictEqual(tagsOf(ended.records), ["RunEnded"])
    assert.deepStrictEqual(tagsOf(ended.commands), ["FinishRun"])
    world.setTracker("waits")
    world.take("FinishRun")
    const closed = world.send(Event.RunClosed({ runId, fingerprint: "after" }))
    assert.deepStrictEqual(tagsOf(closed.commands), ["ReadIssues"])
    assert.strictEqual(world.snapshot().slots.taken, 1)
    world.answer()
    assert.strictEqual(world.snapshot().slots.taken, 0)
    assert.deepStrictEqual(tagsOf(world.records("RetryQueued")), ["RetryQueued"])
  })

  it("continues while its issue is active", () => {
    const { world } = running()
    world.end("A")
    assert.strictEqual(world.phase("A"), "retry_queued")
    assert.strictEqual(world.entry("A").retry?.kind, "continuation")
    assert.strictEqual(world.retryInMs("A"), 1_000)
  })

  it("is released when its issue is terminal, and the workspace goes", () => {
    const { world } = running()
    world.move("A", "Done")
    world.end("A")
    assert.strictEqual(world.phase("A"), "released")
    assert.deepStrictEqual(world.take("RemoveWorkspace").workspace, workspace("A"))
  })

  it("is released when its issue is inactive, and the workspace stays", () => {
    const { world } = running()
    world.move("A", "Backlog")
    world.end("A")
    assert.strictEqual(world.phase("A"), "released")
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
    assert.deepStrictEqual(world.entry("A").workspace, workspace("A"))
  })

  it("waits for a blocker that opened during it, and stops for none", () => {
    const { runId, world } = running()
    world.edit("A", { blockedBy: [reference("X", "Todo")] })
    world.poll()
    assert.strictEqual(world.phase("A"), "running")
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    assert.deepStrictEqual(world.take("AnswerTurn").verdict._tag, "Stop")
    world.end("A")
    world.pass(1_000)
    assert.strictEqual(world.decision("A")._tag, "Blocked")
    assert.deepStrictEqual(world.records("StopOrdered"), [])
  })

  it("keeps no slot for a tracker that does not answer", () => {
    const { world } = running()
    world.setTracker({ tag: "TrackerTransportError", message: "down", retryable: true, retryAtWallMs: null })
    world.end("A")
    assert.strictEqual(world.phase("A"), "retry_queued")
  })

  it("keeps no slot when the tracker failed while its closing read waited for another", () => {
    const world = make({ issues: [issue("A"), issue("B")] })
    const [first] = [world.launch("A"), world.launch("B")]
    world.setTracker("waits")
    world.send(Event.TurnAsked({ runId: first, turn: 1 }))
    world.end("B")
    world.setTracker({ tag: "TrackerRateLimited", message: "slow down", retryable: true, retryAtWallMs: null })
    world.answer()
    assert.strictEqual(world.phase("B"), "retry_queued")
  })

  it("is counted once, however often its end is reported", () => {
    const { runId, world } = running()
    finish(world, runId, failed)
    finish(world, runId, failed)
    world.close(runId, false)
    finish(world, runId, succeeded)
    assert.strictEqual(world.counters("A").failures, 1)
    assert.strictEqual(world.records("RunEnded").length, 1)
    assert.strictEqual(world.state().ignoredEvents, 2)
  })
})

describe("late and foreign events", () => {
  it("of a run that nobody knows change nothing and are counted", () => {
    const { world } = running()
    const before = world.entry("A")
    const runId = RunId("test-99")
    const events = [
      Event.WorkspacePrepared({ runId, workspace: workspace("A"), fingerprint: null }),
      Event.PreparationFailed({ runId, workspace: null, reason: "", cancelled: false }),
      Event.RunLaunched({ runId, session: null }),
      Event.LaunchFailed({ runId, reason: "", unavailable: false, stopped: "confirmed" }),
      Event.Activity({ runId, summary: "" }),
      Event.TurnStarted({ runId, turn: 9 }),
      Event.TurnCompleted({ runId, turn: 9, summary: null }),
      Event.TurnAsked({ runId, turn: 9 }),
      Event.SessionUpdated({ runId, session: null, usage: tokens(9) }),
      Event.RunFinished({ runId, outcome: failed, usage: tokens(9) }),
      Event.StopSettled({ runId, result: "confirmed" }),
      Event.RunClosed({ runId, fingerprint: null }),
      Event.WorkspaceRemoved({ issueId: id("A") }),
      Event.WorkspaceKept({ issueId: id("A"), reason: "" }),
      Event.RemovalFailed({ issueId: id("Z"), reason: "" }),
      Event.HoldRequested({ issueId: id("Z"), note: "" }),
      Event.ReleaseRequested({ issueId: id("Z") })
    ]
    for (const event of events) {
      const { records } = world.send(event)
      assert.deepStrictEqual(records, [], event._tag)
    }
    assert.strictEqual(world.entry("A"), before)
    assert.strictEqual(world.state().ignoredEvents, events.length)
  })

  it("of an older run of the same issue touch the newer one in nothing", () => {
    const { runId, world } = running()
    world.end("A", failed)
    world.pass(10_000)
    world.launch("A")
    const before = world.run("A")
    world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(9) }))
    world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(9) }))
    assert.strictEqual(world.run("A"), before)
  })
})
