import { assert, describe, it } from "@effect/vitest"
import type { Issue } from "../../src/domain/Issue.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { down, failed, id, issue, make, reference, tokens } from "./World.ts"

const one = { maxConcurrentAgents: 1 }

describe("the order of starts", () => {
  const claimedOf = (...issues: ReadonlyArray<Issue>) => make({ issues }).claimed()

  it("takes priority 1 first and none last", () => {
    const issues = [issue("none"), issue("four", { priority: 4 }), issue("one", { priority: 1 })]
    assert.deepStrictEqual(claimedOf(...issues), ["one", "four", "none"])
  })

  it("takes fewer sub-issues first within a priority", () => {
    const subIssues = [reference("sub", "Done")]
    assert.deepStrictEqual(claimedOf(issue("A", { subIssues }), issue("B")), ["B", "A"])
  })

  it("takes the oldest first among equals, those without a date last", () => {
    const issues = [issue("A"), issue("B", { createdAtMs: 2 }), issue("C", { createdAtMs: 1 })]
    assert.deepStrictEqual(claimedOf(...issues), ["C", "B", "A"])
  })

  it("ends with the identifier, by code point", () => {
    assert.deepStrictEqual(claimedOf(issue("b"), issue("B"), issue("a")), ["B", "a", "b"])
  })

  it("lets due retries compete with new candidates", () => {
    const world = make({ policy: one, issues: [issue("B", { priority: 2 })] })
    world.launch("B")
    world.put(issue("A", { priority: 1 }))
    world.put(issue("C", { priority: 3 }))
    world.end("B", failed)
    world.send(Event.PauseRequested({ reason: "" }))
    world.poll()
    world.pass(10_000)
    world.send(Event.ResumeRequested())
    world.launch("A")
    world.move("A", "Done")
    world.end("A")
    assert.deepStrictEqual(world.claimed(), ["B", "A", "B"])
  })

  it("follows a change of priority between polls", () => {
    const world = make({ policy: one, issues: [issue("A"), issue("B"), issue("C")] })
    world.edit("C", { priority: 1 })
    world.poll()
    world.launch("A")
    world.move("A", "Done")
    world.end("A")
    assert.deepStrictEqual(world.claimed(), ["A", "C"])
  })
})

describe("what keeps an issue from starting", () => {
  const refusals: ReadonlyArray<readonly [string, Partial<Issue>, string]> = [
    ["what the tracker adapter says", { dispatchable: false, notDispatchableReason: "assigned to Eve" }, "Eve"],
    ["a missing required label", { labels: ["other"] }, "lacks the required label agent"],
    ["an open blocker", { blockedBy: [reference("X", "Todo")] }, "blocked by X (Todo)"],
    ["a blocker whose state nobody knows", { blockedBy: [reference("X", null)] }, "blocked by X"],
    ["an open sub-issue", { subIssues: [reference("X", "Backlog")] }, "waits for its sub-issue X (Backlog)"]
  ]
  for (const [what, fields, words] of refusals) {
    it(what, () => {
      const subject = issue("A", { labels: ["agent"], ...fields })
      const world = make({ policy: { requiredLabels: ["agent"] }, issues: [subject] })
      assert.deepStrictEqual(world.claimed(), [])
      assert.strictEqual(world.phase("A"), "unclaimed")
      assert.include(world.reason("A"), words)
    })
  }

  it("a state that is terminal and active counts as terminal", () => {
    const world = make({ policy: { activeStates: ["todo", "done"] }, issues: [issue("A"), issue("B")] })
    world.launch("A")
    world.move("A", " DONE ")
    world.end("A")
    assert.strictEqual(world.decision("A")._tag, "Terminal")
    assert.notInclude(world.claimed().slice(1), "A")
  })

  it("states and labels compare trimmed and lower-cased", () => {
    const subject = issue("A", { state: "  tOdO ", labels: ["agent"] })
    assert.deepStrictEqual(make({ policy: { requiredLabels: ["agent"] }, issues: [subject] }).claimed(), ["A"])
  })

  it("blockers and sub-issues in a terminal state keep nothing", () => {
    const subject = issue("A", { blockedBy: [reference("X", "done")], subIssues: [reference("Y", "Cancelled")] })
    assert.deepStrictEqual(make({ issues: [subject] }).claimed(), ["A"])
  })
})

describe("blockers are judged by their newest known state", () => {
  it("a blocker that ended its run opens the way before the next poll", () => {
    const world = make({ issues: [issue("B"), issue("A", { blockedBy: [reference("B", "Todo")] })] })
    world.launch("B")
    world.move("B", "Done")
    world.end("B")
    assert.deepStrictEqual(world.claimed(), ["B", "A"])
  })

  it("a copy that is newer than what is known of the blocker counts", () => {
    const world = make({ issues: [issue("B"), issue("A", { blockedBy: [reference("B", "Todo")] })] })
    world.launch("B")
    world.pass(1_000)
    world.edit("A", { blockedBy: [reference("B", "Done")] })
    world.setTracker("waits")
    world.poll()
    const [, waiting] = [world.take("PollCandidates"), world.run("B")]
    world.send(
      Event.CandidatesPolled({
        batch: { issues: [issue("A", { blockedBy: [reference("B", "Done")] })], malformed: [] },
        startedAt: world.at().now,
        startedAtWall: world.at().wallTime
      })
    )
    assert.strictEqual(world.run("B").runId, waiting.runId)
    assert.deepStrictEqual(world.claimed(), ["B", "A"])
  })

  it("a finished blocker is remembered until a poll told the same", () => {
    const world = make({ issues: [issue("B"), issue("A", { blockedBy: [reference("B", "Todo")] })] })
    world.launch("B")
    world.pass(4_000)
    world.move("B", "Done")
    world.setTracker("waits")
    world.end("B")
    world.answer()
    const { runId } = world.run("A")
    world.take("RemoveWorkspace")
    world.send(Event.WorkspaceRemoved({ issueId: id("B") }))
    world.prepare("A")
    assert.deepStrictEqual(
      world.asked("LaunchRun").map(({ run }) => run.runId),
      [runId]
    )
    world.setTracker("answers")
    world.edit("A", { blockedBy: [reference("B", "Done")] })
    world.answer()
    world.pass(30_000)
    assert.isFalse(world.isKnown("B"))
  })
})

describe("capacity", () => {
  it("is taken from the claim until the run is closed", () => {
    const world = make({ policy: one, issues: [issue("A"), issue("B")] })
    assert.deepStrictEqual(world.claimed(), ["A"])
    assert.include(world.reason("B"), "1 of 1")
    const runId = world.launch("A")
    world.move("A", "Done")
    world.send(Event.RunFinished({ runId, outcome: failed, usage: tokens(0) }))
    assert.deepStrictEqual(world.claimed(), ["A"])
    world.close(runId, true)
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
  })

  it("is limited per state, and other states use what is left", () => {
    const issues = [issue("A"), issue("B"), issue("C", { state: "In Progress" })]
    const world = make({ policy: { maxConcurrentAgentsByState: { todo: 1 } }, issues })
    assert.deepStrictEqual(world.claimed(), ["A", "C"])
    assert.strictEqual(world.decision("B")._tag, "StateFull")
  })

  it("counts a run in the state in which its issue is now", () => {
    const world = make({ policy: { maxConcurrentAgentsByState: { todo: 1 } }, issues: [issue("A"), issue("B")] })
    world.move("A", "In Progress")
    world.poll()
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
  })

  it("a lowered limit stops nothing and starts nothing until it is met", () => {
    const world = make({ issues: [issue("A"), issue("B"), issue("C")] })
    world.setPolicy({ maxConcurrentAgents: 2 })
    world.launch("A")
    world.put(issue("D", { priority: 1 }))
    world.move("A", "Done")
    world.end("A")
    world.poll()
    assert.deepStrictEqual(world.claimed(), ["A", "B", "C"])
    assert.deepStrictEqual(world.snapshot().slots, { taken: 2, limit: 2 })
  })
})

describe("the fresh read before a start", () => {
  /** B waits for the slot of A; both were read `ageMs` ago when A ends. */
  const freed = (ageMs: number, options: { readonly tracker: "waits" | typeof down }) => {
    const world = make({ policy: one, issues: [issue("A"), issue("B"), issue("C")] })
    const runId = world.launch("A")
    world.pass(ageMs)
    world.move("A", "Done")
    world.send(Event.RunFinished({ runId, outcome: failed, usage: tokens(0) }))
    world.setTracker(options.tracker)
    world.close(runId, true)
    return world
  }

  it("is not needed less than five seconds after the last one", () => {
    const world = freed(4_999, { tracker: "waits" })
    world.answer()
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
    assert.deepStrictEqual(
      world.requests().flatMap((command) => (command._tag === "ReadIssues" ? command.ids : [])),
      [id("A")]
    )
  })

  it("is needed from five seconds on, for the one issue that is next", () => {
    const world = freed(5_000, { tracker: "waits" })
    const [read] = world.asked("ReadIssues")
    assert.deepStrictEqual(read?.ids, [id("A")])
    world.answer()
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
    assert.deepStrictEqual(
      world.requests().flatMap((command) => (command._tag === "ReadIssues" ? [command.ids] : [])),
      [[id("A")], [id("B")]]
    )
  })

  it("starts the next one when it shows that the first must not", () => {
    const world = freed(5_000, { tracker: "waits" })
    world.move("B", "Backlog")
    world.answer()
    assert.deepStrictEqual(world.claimed(), ["A", "C"])
  })

  it("starts nothing and counts nothing when it fails, says so, and is tried again", () => {
    const world = freed(5_000, { tracker: down })
    assert.deepStrictEqual(world.claimed(), ["A"])
    assert.include(world.reason("B"), "unreachable")
    assert.strictEqual(world.counters("B").failures, 0)
    world.setTracker("answers")
    world.pass(1_000)
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
  })

  it("that keeps failing starves nobody once a poll has told what is needed", () => {
    const world = freed(5_000, { tracker: down })
    world.pass(3_000)
    world.setTracker("waits")
    world.pass(60_000)
    world.take("PollCandidates")
    const { now, wallTime } = world.at()
    const batch = { issues: [issue("B"), issue("C")], malformed: [] }
    world.send(Event.CandidatesPolled({ batch, startedAt: now, startedAtWall: wallTime }))
    world.setTracker(down)
    world.answer()
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
  })

  it("is waited for no longer once a poll has told what is needed", () => {
    const world = freed(5_000, { tracker: "waits" })
    world.take("ReadIssues")
    const batch = { issues: [issue("A", { state: "Done" })], malformed: [] }
    world.send(Event.IssuesRead({ lane: "demand", ids: [id("A")], batch, startedAt: world.at().now }))
    assert.deepStrictEqual(world.take("ReadIssues").ids, [id("B")])
    world.poll()
    world.take("PollCandidates")
    const { now, wallTime } = world.at()
    const polled = { issues: [issue("B"), issue("C")], malformed: [] }
    world.send(Event.CandidatesPolled({ batch: polled, startedAt: now, startedAtWall: wallTime }))
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
  })

  it("is asked for again when its answer came too late to count", () => {
    const world = freed(5_000, { tracker: "waits" })
    world.answer()
    const runId = world.launch("B")
    world.pass(6_000)
    world.send(Event.RunFinished({ runId, outcome: failed, usage: tokens(0) }))
    world.move("B", "Done")
    world.close(runId, true)
    world.setTracker("answers")
    world.answer()
    assert.deepStrictEqual(world.claimed(), ["A", "B", "C"])
  })
})
