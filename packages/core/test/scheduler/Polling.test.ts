import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import type { Issue } from "../../src/domain/Issue.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { down, failed, id, issue, make, noon, tokens, type World } from "./World.ts"

const names = (count: number) => Array.from({ length: count }, (_, index) => `I${index}`)

const readsOf = (world: World) =>
  world.requests().flatMap((command) => (command._tag === "ReadIssues" ? [command] : []))

const polled = (world: World, issues: ReadonlyArray<Issue>, startedAt = world.at().now) =>
  Event.CandidatesPolled({ batch: { issues, malformed: [] }, startedAt, startedAtWall: noon })

describe("a poll", () => {
  const settledWorld = () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: names(5).map((name) => issue(name)) })
    world.pass(20_000)
    world.forgetRecords()
    world.setTracker("waits")
    world.pass(10_000)
    return world
  }

  it("that changed nothing leaves no record, asks for nothing, and touches no entry", () => {
    const world = settledWorld()
    const before = world.state()
    world.take("PollCandidates")
    const issues = names(5).map((name) => issue(name))
    const { commands, records } = world.send(polled(world, issues))
    assert.deepStrictEqual(records, [])
    assert.deepStrictEqual(commands, [])
    for (const [key, entry] of before.issues) {
      const after = HashMap.get(world.state().issues, key)
      assert.strictEqual(after._tag === "Some" ? after.value : null, entry)
    }
  })

  it("that changed one issue touches only that", () => {
    const world = settledWorld()
    const before = world.state()
    world.take("PollCandidates")
    const issues = names(5).map((name) => issue(name, name === "I3" ? { title: "other" } : {}))
    world.send(polled(world, issues))
    const touched = [...before.issues].filter(([key, entry]) => {
      const after = HashMap.get(world.state().issues, key)
      return after._tag === "None" || after.value !== entry
    })
    assert.deepStrictEqual(
      touched.map(([key]) => key),
      [id("I3")]
    )
  })

  it("takes an issue once that is named twice", () => {
    const world = settledWorld()
    world.take("PollCandidates")
    const issues = names(5).map((name) => issue(name))
    world.send(polled(world, [...issues, issue("I2", { title: "again" })]))
    assert.strictEqual(world.entry("I2").issue.title, "I2")
    assert.strictEqual(world.state().order.length, 5)
  })

  it("that was overtaken by a newer read leaves the newer facts, and the next poll mends the difference", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A")] })
    const runId = world.launch("A")
    world.setTracker("waits")
    world.poll()
    const startedAt = world.at().now
    const poll = world.take("PollCandidates")
    assert.strictEqual(poll._tag, "PollCandidates")
    world.pass(10)
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    world.answer()
    world.send(polled(world, [issue("A", { title: "seen only by the slow poll" })], startedAt))
    assert.strictEqual(world.entry("A").issue.title, "A")
    world.poll()
    world.take("PollCandidates")
    world.send(polled(world, [issue("A", { title: "seen only by the slow poll" })]))
    assert.strictEqual(world.entry("A").issue.title, "seen only by the slow poll")
  })

  it("that no longer lists an issue has it read", () => {
    const world = settledWorld()
    world.take("PollCandidates")
    world.answer()
    world.forgetRequests()
    world.send(
      polled(
        world,
        names(4).map((name) => issue(name))
      )
    )
    assert.deepStrictEqual(
      readsOf(world).flatMap(({ ids }) => ids),
      [id("I4")]
    )
    assert.strictEqual(world.decision("I4")._tag, "Unlisted")
  })

  it("that no longer lists an issue has it read again when that read fails", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    world.setTracker("waits")
    world.poll()
    world.take("PollCandidates")
    world.send(polled(world, [issue("A")]))
    world.move("B", "Backlog")
    for (const { lane, ids } of world.asked("ReadIssues")) {
      world.take("ReadIssues")
      world.send(Event.IssuesReadFailed({ lane, ids, problem: down }))
    }
    world.setTracker("answers")
    world.pass(2_000)
    assert.strictEqual(world.phase("B"), "released")
  })

  it("begins again when one was asked for while it was under way", () => {
    const world = settledWorld()
    world.poll()
    assert.strictEqual(world.asked("PollCandidates").length, 1)
    world.answer()
    assert.strictEqual(world.requests().filter(({ _tag }) => _tag === "PollCandidates").length, 3)
  })

  it("follows the interval from the start of the last one", () => {
    const world = settledWorld()
    world.pass(3_000)
    world.answer()
    world.forgetRequests()
    world.pass(26_999)
    assert.deepStrictEqual(world.requests(), [])
    world.pass(1)
    assert.strictEqual(world.requests()[0]?._tag, "PollCandidates")
  })

  it("that fails is tried again after 1, 2, 4 seconds, and never waits longer than the interval", () => {
    const world = make()
    world.setTracker(down)
    world.pass(30_000)
    const gaps: Array<number> = []
    for (let poll = 0; poll < 7; poll++) {
      const gap = world.snapshot().tracker.nextPollInMs ?? -1
      gaps.push(gap)
      world.pass(gap)
    }
    assert.deepStrictEqual(gaps, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it("failures of requests that were under way together count once", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.setTracker("waits")
    world.pass(30_000)
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    world.setTracker(down)
    world.answer()
    assert.strictEqual(world.snapshot().tracker.nextPollInMs, 1_000)
  })
})

describe("an issue that is gone", () => {
  it("is gone after two reads in a row that did not return it, not after one", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.remove("A")
    world.poll()
    assert.strictEqual(world.entry("A").misses, 1)
    assert.isNull(world.run("A").handoff)
    world.poll()
    assert.strictEqual(world.run("A").handoff?.reason, "gone")
  })

  it("is forgotten also when it never ran", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    world.remove("B")
    world.poll()
    world.pass(300_000)
    assert.isFalse(world.isKnown("B"))
  })

  it("keeps its workspace", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.remove("A")
    world.end("A", failed)
    world.poll()
    world.poll()
    assert.strictEqual(world.phase("A"), "released")
    assert.isNotNull(world.entry("A").workspace)
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
  })

  it("takes a queued retry with it, and the order stays consistent", () => {
    const world = make({ issues: [issue("A"), issue("B")] })
    world.launch("A")
    world.end("A", failed)
    world.remove("A")
    world.poll()
    world.poll()
    assert.strictEqual(world.phase("A"), "released")
    assert.deepStrictEqual(
      world.state().order.map((key) => key.id),
      [id("B")]
    )
  })

  it("under its old name when a file without an id of its own is renamed, and the new name is a new issue", () => {
    const world = make({ issues: [issue("old")] })
    world.launch("old")
    world.remove("old")
    world.put(issue("new"))
    world.poll()
    world.poll()
    assert.strictEqual(world.run("old").handoff?.reason, "gone")
    assert.strictEqual(world.phase("new"), "claimed")
  })

  it("is not gone when only its identifier changed", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    world.launch("A")
    world.edit("A", { identifier: "Z" })
    world.edit("B", { identifier: "Y" })
    world.poll()
    assert.strictEqual(world.phase("A"), "running")
    assert.deepStrictEqual(
      world.state().order.map(({ identifier }) => identifier),
      ["Y", "Z"]
    )
    assert.strictEqual(world.records("IssueSaved").at(-1)?.projection.identifier, "Z")
  })
})

describe("the slow lane", () => {
  it("reads issues that have a workspace and are no candidates every ten polls, at the latest after five minutes", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.move("A", "Backlog")
    world.end("A")
    world.poll()
    assert.strictEqual(world.phase("A"), "released")
    world.pass(1)
    world.move("A", "Done")
    world.forgetRequests()
    world.pass(300_000)
    const reads = readsOf(world).filter(({ ids }) => ids.includes(id("A")))
    assert.isAtLeast(reads.length, 1)
    assert.isAtMost(reads.length, 2)
    assert.strictEqual(world.asked("RemoveWorkspace").length, 1)
  })

  it("does not read them with every poll", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.move("A", "Backlog")
    world.end("A", failed, { usage: tokens(1) })
    world.poll()
    world.forgetRequests()
    world.pass(120_000)
    assert.deepStrictEqual(readsOf(world), [])
  })
})
