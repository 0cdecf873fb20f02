import { assert, describe, it } from "@effect/vitest"
import type * as Policy from "../../src/domain/Policy.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { down, failed, id, issue, make, reference, succeeded, tokens, workspace, type World } from "./World.ts"

const started = (policy: Partial<Policy.Policy> = {}) => {
  const world = make({ policy, issues: [issue("A")] })
  const runId = world.launch("A")
  return { world, runId }
}

const queued = (world: World) =>
  world.records("RetryQueued").map(({ delayMs, kind, reason }) => [kind, delayMs, reason])

/** A run is stopped for a shutdown, and ends like this. */
const drained = (world: World, outcome: Outcome | null) => {
  const { runId } = world.run("A")
  world.send(Event.DrainRequested())
  world.send(
    outcome === null
      ? Event.StopSettled({ runId, result: "confirmed" })
      : Event.RunFinished({ runId, outcome, usage: tokens(0) })
  )
  world.close(runId, true)
}

describe("a release", () => {
  it("is written down once, with its reason, however often the issue is read", () => {
    const { world } = started()
    world.end("A")
    world.move("A", "Backlog")
    for (let poll = 0; poll < 15; poll++) world.poll()
    world.setPolicy({ maxTurns: 3 })
    assert.deepStrictEqual(
      world.records("Released").map(({ identifier, reason }) => [identifier, reason]),
      [["A", "in the state Backlog, which is not active"]]
    )
  })

  it("takes a queued run back, also where an earlier orchestrator left both", () => {
    const { world } = started()
    world.end("A")
    world.move("A", "Done")
    world.poll()
    assert.isNull(world.entry("A").retry)
    assert.strictEqual(world.entry("A").released, "terminal")
  })
})

describe("a run that was cut short for no fault of its issue", () => {
  it("is run again at once, as what it was: first", () => {
    const { world } = started()
    drained(world, null)
    assert.deepStrictEqual(queued(world), [["gate", 0, "the orchestrator is shutting down"]])
  })

  it("is run again at once, as what it was: a continuation", () => {
    const { world } = started()
    world.end("A")
    world.pass(1_000)
    world.launch("A")
    drained(world, null)
    assert.deepStrictEqual(queued(world).at(-1), ["continuation", 0, "the orchestrator is shutting down"])
  })

  it("is continued like any other when it succeeded before it could be stopped", () => {
    const { world } = started()
    drained(world, succeeded)
    assert.deepStrictEqual(queued(world), [["continuation", 1_000, null]])
    assert.strictEqual(world.counters("A").continuations, 1)
  })

  it("is run again when the limit that stopped it was raised meanwhile", () => {
    const { runId, world } = started({ maxTokensPerIssue: 100 })
    world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(100) }))
    assert.strictEqual(world.phase("A"), "stopping")
    world.setPolicy({ maxTokensPerIssue: 500 })
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, true)
    assert.deepStrictEqual(queued(world), [["gate", 0, "its issue is over a limit"]])
    assert.isNull(world.hold("A"))
  })

  it("gives one run of its allowance back, and no more", () => {
    const { world } = started({ maxRunsPerIssue: 5 })
    world.end("A")
    world.again("A")
    world.pass(1_000)
    assert.strictEqual(world.counters("A").runs, 3)
    world.send(Event.PauseRequested({ reason: "" }))
    const runId = world.prepare("A")
    world.close(runId, true)
    assert.strictEqual(world.counters("A").runs, 2)
    assert.deepStrictEqual(queued(world).at(-1), ["continuation", 0, "a gate closed before its agent started"])
  })

  it("waits for its blocker as what it was, when one opened before its agent started", () => {
    const world = make({ issues: [issue("A"), issue("B", { state: "Backlog" })] })
    world.launch("A")
    world.end("A")
    world.pass(1_000)
    world.edit("A", { blockedBy: [reference("B", "Backlog")] })
    world.poll()
    const runId = world.prepare("A")
    world.close(runId, true)
    assert.deepStrictEqual(queued(world).at(-1), ["continuation", 0, null])
    assert.strictEqual(world.decision("A")._tag, "Blocked")
  })

  it("that was the first is no continuation: it simply waits", () => {
    const world = make({ issues: [issue("A"), issue("B", { state: "Backlog" })] })
    world.edit("A", { blockedBy: [reference("B", "Backlog")] })
    world.poll()
    const runId = world.prepare("A")
    world.close(runId, true)
    assert.deepStrictEqual(queued(world), [])
    assert.strictEqual(world.phase("A"), "unclaimed")
  })
})

describe("progress", () => {
  /** Fingerprints before and after of a continuation run. */
  const idleAfter = (before: string | null, after: string | null, change: (world: World) => void = () => undefined) => {
    const { world } = started()
    world.end("A")
    world.pass(1_000)
    const runId = world.prepare("A", before)
    world.take("LaunchRun", runId)
    world.send(Event.RunLaunched({ runId, session: null }))
    change(world)
    world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(0) }))
    world.take("FinishRun", runId)
    world.send(Event.RunClosed({ runId, fingerprint: after }))
    return world.counters("A").idleContinuations
  }

  it.each([
    ["one", "two", 0],
    ["one", "one", 1],
    [null, "two", 1],
    ["one", null, 1],
    [null, null, 1]
  ])("from the fingerprint %j to %j leaves the idle count at %i", (before, after, idle) => {
    assert.strictEqual(idleAfter(before, after), idle)
  })

  it("is also a change of the issue", () => {
    assert.strictEqual(
      idleAfter("one", "one", (world) => world.edit("A", { title: "Clearer" })),
      0
    )
  })
})

describe("the read that later ones are compared with", () => {
  /** A run has ended while the tracker was down, and its closing read failed. */
  const closedBlindly = () => {
    const { world } = started()
    world.setTracker("waits")
    world.poll()
    const poll = world.take("PollCandidates")
    const pollStartedAt = world.at().now
    world.pass(10)
    world.setTracker(down)
    world.end("A", failed)
    world.setTracker("waits")
    assert.isNull(world.entry("A").baseline)
    return { world, poll, pollStartedAt, closedAt: world.at().now }
  }
  const polled = (world: World, startedAt: number) =>
    world.send(
      Event.CandidatesPolled({
        batch: { issues: [issue("A", { title: `as of ${startedAt}` })], malformed: [] },
        startedAt,
        startedAtWall: world.at().wallTime
      })
    )

  it("is none that began before the run was closed", () => {
    const { pollStartedAt, world } = closedBlindly()
    polled(world, pollStartedAt)
    assert.isNull(world.entry("A").baseline)
    assert.strictEqual(world.counters("A").failures, 1)
  })

  it("is the first that began when it was closed, or later", () => {
    const { closedAt, world } = closedBlindly()
    polled(world, closedAt)
    assert.strictEqual(world.entry("A").baseline?.title, `as of ${closedAt}`)
    assert.strictEqual(world.counters("A").failures, 1)
  })
})

describe("a run without a workspace", () => {
  it("that cannot be prepared is settled at once", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.take("PrepareWorkspace", runId)
    world.send(Event.PreparationFailed({ runId, workspace: null, reason: "no disk", cancelled: false }))
    assert.deepStrictEqual(queued(world), [["failure", 10_000, "no disk"]])
    assert.isNull(world.entry("A").workspace)
  })

  it("keeps the workspace that a failed preparation left", () => {
    const world = make({ issues: [issue("A")] })
    const { runId } = world.run("A")
    world.take("PrepareWorkspace", runId)
    const left = workspace("A")
    world.send(Event.PreparationFailed({ runId, workspace: left, reason: "hook", cancelled: false }))
    assert.deepStrictEqual(world.entry("A").workspace, left)
    assert.deepStrictEqual(world.entry("A").lastRun?.outcome, Outcome.Failed({ reason: "hook" }))
    assert.strictEqual(world.records("RunEnded")[0]?.issueId, id("A"))
  })
})
