import { assert, describe, it } from "@effect/vitest"
import type { Issue } from "../../src/domain/Issue.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { down, failed, id, issue, make, noon, type World } from "./World.ts"

const names = (count: number) => Array.from({ length: count }, (_, index) => `I${index}`)

const readsOf = (world: World) =>
  world.requests().flatMap((command) => (command._tag === "ReadIssues" ? [command] : []))

const polled = (world: World, issues: ReadonlyArray<Issue>, startedAt = world.at().now) =>
  Event.CandidatesPolled({ batch: { issues, malformed: [] }, startedAt, startedAtWall: noon })

describe("reads that somebody waits for", () => {
  it("are one request when ten retries fall due at once", () => {
    const world = make({ issues: names(10).map((name) => issue(name)) })
    for (const name of names(10)) world.launch(name)
    for (const name of names(10)) world.end(name, failed, { turns: 1 })
    world.forgetRequests()
    world.pass(10_000)
    assert.deepStrictEqual(
      readsOf(world).map(({ ids, lane }) => [lane, ids.length]),
      [["demand", 10]]
    )
    assert.strictEqual(world.claimed().length, 20)
  })

  it("wait while one is in flight, and then go out together", () => {
    const world = make({ issues: ["A", "B", "C"].map((name) => issue(name)) })
    const runs = ["A", "B", "C"].map((name) => world.launch(name))
    world.setTracker("waits")
    for (const runId of runs) world.send(Event.TurnAsked({ runId, turn: 1 }))
    assert.deepStrictEqual(
      readsOf(world).map(({ ids }) => ids),
      [[id("A")]]
    )
    world.answer()
    assert.deepStrictEqual(
      readsOf(world).map(({ ids }) => ids),
      [[id("A")], [id("B"), id("C")]]
    )
    assert.strictEqual(world.asked("AnswerTurn").length, 3)
  })

  it("answer a turn only when they began after it was asked", () => {
    const world = make({ issues: [issue("A"), issue("B")] })
    const [first, second] = [world.launch("A"), world.launch("B")]
    world.setTracker("waits")
    world.send(Event.TurnAsked({ runId: first, turn: 1 }))
    world.pass(100)
    world.send(Event.TurnAsked({ runId: second, turn: 1 }))
    const { ids, lane } = world.take("ReadIssues")
    const batch = { issues: [issue("A"), issue("B")], malformed: [] }
    world.send(Event.IssuesRead({ lane, ids, batch, startedAt: world.at().now - 100 }))
    assert.deepStrictEqual(
      world.asked("AnswerTurn").map(({ runId }) => runId),
      [first]
    )
  })

  it("are made again after the tracker's backoff when they fail", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.setTracker(down)
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    assert.strictEqual(world.asked("AnswerTurn").length, 0)
    world.setTracker("answers")
    world.pass(1_000)
    assert.strictEqual(world.take("AnswerTurn").verdict._tag, "Continue")
  })
})

describe("a read that is older than what is known", () => {
  it("overwrites nothing", () => {
    const world = make({ issues: [issue("A", { title: "new" })] })
    const startedAt = world.at().now - 1
    const batch = { issues: [issue("A", { title: "old" })], malformed: [] }
    world.setTracker("waits")
    world.launch("A")
    world.send(Event.TurnAsked({ runId: world.run("A").runId, turn: 1 }))
    const { ids, lane } = world.take("ReadIssues")
    world.send(Event.IssuesRead({ lane, ids, batch, startedAt }))
    assert.strictEqual(world.entry("A").issue.title, "new")
  })

  it("does not mark a record that could be read since", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.setTracker("waits")
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    const { ids, lane } = world.take("ReadIssues")
    const malformed = [{ source: "A.md", id: id("A"), identifier: "A", message: "no title" }]
    const startedAt = world.at().now - 1
    world.send(Event.IssuesRead({ lane, ids, batch: { issues: [], malformed }, startedAt }))
    assert.isNull(world.entry("A").unreadable)
  })

  it("does not count as a miss", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.setTracker("waits")
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    const { ids, lane } = world.take("ReadIssues")
    const startedAt = world.at().now - 1
    world.send(Event.IssuesRead({ lane, ids, batch: { issues: [], malformed: [] }, startedAt }))
    assert.strictEqual(world.entry("A").misses, 0)
  })

  /** A read goes out, a poll overtakes it with the same facts, and then its answer comes. */
  const overtaken = (world: World, issues: ReadonlyArray<Issue>) => {
    const { ids, lane } = world.take("ReadIssues")
    const startedAt = world.at().now
    world.pass(10)
    world.poll()
    world.take("PollCandidates")
    world.send(polled(world, issues))
    world.send(Event.IssuesRead({ lane, ids, batch: { issues, malformed: [] }, startedAt }))
  }

  it("still lets the poll's facts answer the turn that waited for it", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.setTracker("waits")
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    overtaken(world, [issue("A")])
    assert.strictEqual(world.take("AnswerTurn").verdict._tag, "Continue")
  })

  it("still lets the poll's facts settle the run that waited for it", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.setTracker("waits")
    world.end("A")
    overtaken(world, [issue("A")])
    assert.strictEqual(world.phase("A"), "retry_queued")
  })

  it("still lets the poll's facts start the issue that waited for it", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.end("A", failed)
    world.setTracker("waits")
    world.pass(10_000)
    const { ids, lane } = world.take("ReadIssues")
    const startedAt = world.at().now
    world.send(Event.PauseRequested({ reason: "" }))
    world.poll()
    world.take("PollCandidates")
    world.pass(10)
    world.send(polled(world, [issue("A")]))
    world.send(Event.ResumeRequested())
    assert.deepStrictEqual(world.claimed(), ["A", "A"])
    world.send(Event.IssuesRead({ lane, ids, batch: { issues: [issue("A")], malformed: [] }, startedAt }))
    assert.deepStrictEqual(world.claimed(), ["A", "A"])
  })
})

describe("an unreadable record", () => {
  it("marks the issue and does not release it", () => {
    const world = make({ issues: [issue("A", { blockedBy: [] }), issue("B")] })
    world.launch("A")
    world.setMalformed("A", "no title")
    world.poll()
    world.poll()
    assert.strictEqual(world.phase("A"), "running")
    assert.strictEqual(world.entry("A").misses, 0)
    assert.deepStrictEqual(world.snapshot().malformed, [{ source: "A", message: "no title" }])
  })

  it("keeps a waiting issue from starting, says why, and the others run", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B"), issue("C")] })
    world.launch("A")
    world.setMalformed("B", "no title")
    world.poll()
    assert.include(world.reason("B"), "no title")
    world.move("A", "Done")
    world.end("A")
    assert.deepStrictEqual(world.claimed(), ["A", "C"])
  })

  it("is written down once, and forgotten when it is mended", () => {
    const world = make({ issues: [issue("A")] })
    world.setMalformed("A", "no title")
    for (let poll = 0; poll < 3; poll++) world.poll()
    assert.strictEqual(world.records("RecordUnreadable").length, 1)
    world.setMalformed("A", null)
    world.poll()
    assert.deepStrictEqual(world.snapshot().malformed, [])
    assert.isNull(world.entry("A").unreadable)
  })
})
