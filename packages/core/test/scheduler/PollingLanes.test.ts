import { assert, describe, it } from "@effect/vitest"
import { HashMap, HashSet } from "effect"
import type { Issue } from "../../src/domain/Issue.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { down, failed, id, issue, make, noon, type World } from "./World.ts"

const polled = (world: World, issues: ReadonlyArray<Issue>, startedAt = world.at().now) =>
  world.send(Event.CandidatesPolled({ batch: { issues, malformed: [] }, startedAt, startedAtWall: noon }))

const refreshesOf = (world: World, name: string): number =>
  world
    .requests()
    .filter((command) => command._tag === "ReadIssues" && command.lane === "refresh" && command.ids.includes(id(name)))
    .length

/** A has run, left the active states, and keeps its workspace. */
const parked = (policy = {}) => {
  const world = make({ policy, issues: [issue("A"), issue("B", { dispatchable: false })] })
  world.launch("A")
  world.move("A", "Backlog")
  world.end("A")
  world.poll()
  assert.strictEqual(world.phase("A"), "released")
  world.forgetRequests()
  return world
}

/** How many polls pass between the reads of A, as long as the polls follow each other at once. */
const gaps = (world: World, polls: number): ReadonlyArray<number> => {
  const at: Array<number> = []
  for (let poll = 1; poll <= polls; poll++) {
    world.poll()
    if (refreshesOf(world, "A") > at.length) at.push(poll)
  }
  return at.slice(1).map((poll, index) => poll - (at[index] ?? 0))
}

describe("the slow lane", () => {
  it("takes every tenth poll, again and again", () => {
    assert.deepStrictEqual(gaps(parked(), 45), [10, 10, 10])
  })

  it("takes a poll every five minutes where polls are rare, again and again", () => {
    const world = parked({ pollIntervalMs: 100_000 })
    world.pass(100_000)
    world.forgetRequests()
    world.pass(1_500_000)
    assert.strictEqual(refreshesOf(world, "A"), 5)
  })

  it("reads what no poll lists although it is active as last read", () => {
    const world = make({ issues: [issue("A", { dispatchable: false }), issue("B", { dispatchable: false })] })
    world.setTracker("waits")
    world.poll()
    world.take("PollCandidates")
    polled(world, [issue("B", { dispatchable: false })])
    world.answer()
    world.setTracker("answers")
    world.forgetRequests()
    for (let poll = 0; poll < 12; poll++) {
      world.pass(1)
      world.setTracker("waits")
      world.send(Event.PollRequested())
      world.take("PollCandidates")
      polled(world, [issue("B", { dispatchable: false })])
      world.setTracker("answers")
      world.answer()
    }
    assert.isAtLeast(refreshesOf(world, "A"), 1)
    assert.strictEqual(world.decision("A")._tag, "Undispatchable")
  })

  it("reads an inactive issue again that one read had missed, until it is known to be gone", () => {
    const world = parked()
    world.remove("A")
    for (let poll = 0; poll < 11; poll++) world.poll()
    assert.strictEqual(world.entry("A").misses, 1)
    for (let poll = 0; poll < 11; poll++) world.poll()
    assert.strictEqual(world.entry("A").released, "gone")
  })

  it("leaves alone what nothing is left of", () => {
    const world = make({ issues: [issue("A"), issue("B", { dispatchable: false })] })
    world.move("B", "Backlog")
    for (let poll = 0; poll < 3; poll++) world.poll()
    assert.isFalse(world.isKnown("B"))
    assert.isTrue(HashSet.isEmpty(world.state().fading))
    world.forgetRequests()
    for (let poll = 0; poll < 25; poll++) world.poll()
    assert.strictEqual(refreshesOf(world, "B"), 0)
  })
})

describe("an issue that the poll no longer lists", () => {
  /** The poll and the refresh beside it are both under way. */
  const asked = (begin: (world: World) => void) => {
    const world = make({ issues: [issue("A")] })
    begin(world)
    world.setTracker("waits")
    world.poll()
    world.take("PollCandidates")
    return world
  }
  const refreshAsked = (world: World) =>
    world.asked("ReadIssues").filter(({ ids, lane }) => lane === "refresh" && ids.includes(id("A"))).length

  it("is not read twice for one poll while its run is live", () => {
    const world = asked((started) => void started.launch("A"))
    assert.strictEqual(refreshAsked(world), 1)
    polled(world, [])
    assert.isFalse(HashSet.has(world.state().refresh.wanted, id("A")))
  })

  it("is read at once when its run was read before the poll was answered", () => {
    const world = asked((started) => void started.launch("A"))
    const { ids, lane } = world.take("ReadIssues")
    const batch = { issues: [issue("A")], malformed: [] }
    world.send(Event.IssuesRead({ lane, ids, batch, startedAt: world.at().now }))
    polled(world, [])
    assert.strictEqual(refreshAsked(world), 1)
  })

  it("is not read at once when that read had missed it: one poll is one miss", () => {
    const world = asked((started) => void started.launch("A"))
    const { ids, lane } = world.take("ReadIssues")
    world.send(Event.IssuesRead({ lane, ids, batch: { issues: [], malformed: [] }, startedAt: world.at().now }))
    polled(world, [])
    assert.strictEqual(refreshAsked(world), 0)
    assert.strictEqual(world.entry("A").misses, 1)
  })

  it("is read once more when it only waits, also while it is being read", () => {
    const world = asked((started) => {
      started.launch("A")
      started.end("A", failed)
    })
    polled(world, [])
    assert.isTrue(HashSet.has(world.state().refresh.wanted, id("A")))
  })

  it("keeps the instant of its newest read", () => {
    const world = asked((started) => void started.launch("A"))
    world.pass(5)
    const { ids, lane } = world.take("ReadIssues")
    const startedAt = world.at().now
    const batch = { issues: [issue("A")], malformed: [] }
    world.send(Event.IssuesRead({ lane, ids, batch, startedAt }))
    polled(world, [])
    assert.strictEqual(world.entry("A").readAt, startedAt)
    assert.isFalse(world.entry("A").listed)
  })

  it("that was unreadable is looked at by the polls alone", () => {
    const world = make({ issues: [issue("A", { dispatchable: false })] })
    world.setMalformed("A", "no title")
    world.poll()
    assert.strictEqual(world.decision("A")._tag, "Undispatchable")
    assert.strictEqual(world.entry("A").unreadable, "no title")
    assert.strictEqual(refreshesOf(world, "A"), 1)
  })
})

describe("the answer of a poll", () => {
  it("that is older than one that came before it changes nothing", () => {
    const world = make({ issues: [issue("A", { dispatchable: false })] })
    world.pass(100)
    world.poll()
    const before = world.state()
    polled(world, [], before.poll.answeredAt - 1)
    assert.strictEqual(world.state().ignoredEvents, before.ignoredEvents + 1)
    assert.isTrue(world.entry("A").listed)
  })

  it("as old as the last one counts", () => {
    const world = make({ issues: [issue("A", { dispatchable: false })] })
    polled(world, [], world.state().poll.answeredAt)
    assert.strictEqual(world.state().ignoredEvents, 0)
    assert.isFalse(world.entry("A").listed)
  })

  it("remembers no difference that it settled", () => {
    const world = make({ issues: [issue("A", { dispatchable: false }), issue("B")] })
    world.launch("B")
    world.edit("A", { title: "Clearer" })
    world.edit("B", { title: "Clearer too" })
    world.poll()
    assert.isTrue(HashSet.isEmpty(world.state().divergent))
    assert.strictEqual(HashMap.size(world.state().issues), 2)
  })

  it("starts what waits for a read that is under way, although nothing has changed", () => {
    const world = make({ issues: [issue("A")], policy: { maxConcurrentAgents: 1 } })
    const runId = world.prepare("A")
    world.send(Event.PauseRequested({ reason: "" }))
    world.send(Event.LaunchFailed({ runId, reason: "no agent", unavailable: false, stopped: "confirmed" }))
    world.close(runId, false)
    world.pass(20_000)
    world.setTracker("waits")
    world.send(Event.ResumeRequested())
    assert.isTrue(world.entry("A").awaitingRead)
    world.send(Event.PollRequested())
    world.take("PollCandidates")
    polled(world, [issue("A")])
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("makes the next poll wait, when the one before it failed although another was wanted", () => {
    const world = make({ issues: [issue("A", { dispatchable: false })] })
    world.setTracker("waits")
    world.poll()
    world.send(Event.PollRequested())
    world.take("PollCandidates")
    world.send(Event.CandidatesFailed({ problem: down }))
    world.setTracker("answers")
    world.pass(1_000)
    world.forgetRequests()
    world.pass(29_000)
    assert.strictEqual(world.requests().filter(({ _tag }) => _tag === "PollCandidates").length, 0)
  })
})

describe("a poll that takes long", () => {
  it("does not keep live runs from being looked at, once per interval", () => {
    const world = make({ issues: [issue("A")], policy: { pollIntervalMs: 30_000 } })
    world.launch("A")
    world.setTracker("waits")
    world.pass(30_000)
    assert.isDefined(world.asked("PollCandidates"))
    const reads: Array<number> = []
    for (let interval = 0; interval < 3; interval++) {
      world.pass(30_000)
      for (const { ids, lane } of world.asked("ReadIssues")) {
        if (lane !== "refresh") continue
        reads.push(interval)
        world.send(
          Event.IssuesRead({ lane, ids, batch: { issues: [issue("A")], malformed: [] }, startedAt: world.at().now })
        )
      }
    }
    assert.deepStrictEqual([...new Set(reads)], [0, 1, 2])
  })
})
