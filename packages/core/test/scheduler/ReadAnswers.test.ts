import { assert, describe, it } from "@effect/vitest"
import type { Issue } from "../../src/domain/Issue.ts"
import type { MalformedRecord } from "../../src/ports/TrackerBackend.ts"
import { Event, type Lane } from "../../src/scheduler/Event.ts"
import { down, failed, id, issue, make, noon, reference, succeeded, tokens, type World } from "./World.ts"

const broken = (source: string, message = "no title"): MalformedRecord => ({
  source,
  id: id(source),
  identifier: source,
  message
})

const polled = (world: World, issues: ReadonlyArray<Issue>, malformed: ReadonlyArray<MalformedRecord> = []) =>
  world.send(Event.CandidatesPolled({ batch: { issues, malformed }, startedAt: world.at().now, startedAtWall: noon }))

/** Answers the request of this lane. */
const read = (
  world: World,
  lane: Lane,
  issues: ReadonlyArray<Issue>,
  options: { readonly malformed?: ReadonlyArray<MalformedRecord>; readonly startedAt?: number } = {}
) => {
  const asked = world.asked("ReadIssues").find((command) => command.lane === lane)
  if (asked === undefined) return assert.fail(`nothing is asked for in the lane ${lane}`)
  const batch = { issues, malformed: options.malformed ?? [] }
  const { startedAt = world.at().now } = options
  return world.send(Event.IssuesRead({ lane, ids: asked.ids, batch, startedAt }))
}

const finished = (world: World) => {
  const { runId } = world.run("A")
  world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(0) }))
  world.close(runId, true)
}

describe("the read that ends a run", () => {
  const running = () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.setTracker("waits")
    world.poll()
    world.pass(10)
    return world
  }

  it("is none that began before its workspace was closed", () => {
    const world = running()
    const startedAt = world.at().now - 5
    finished(world)
    read(world, "refresh", [issue("A")], { startedAt })
    assert.isNotNull(world.run("A").closing)
    read(world, "demand", [issue("A")])
    assert.strictEqual(world.phase("A"), "retry_queued")
  })

  it("may find its record broken: the run has ended all the same", () => {
    const world = running()
    finished(world)
    read(world, "demand", [], { malformed: [broken("A")] })
    assert.isNull(world.entry("A").run)
    assert.isNull(world.entry("A").baseline)
    assert.strictEqual(world.entry("A").unreadable, "no title")
  })

  it("may not find it at all", () => {
    const world = running()
    finished(world)
    read(world, "demand", [])
    assert.isNull(world.entry("A").run)
    assert.strictEqual(world.entry("A").misses, 1)
  })
})

describe("an answer that nobody asked for", () => {
  const waiting = () => {
    const world = make({ issues: [issue("A"), issue("B")] })
    world.launch("A")
    world.launch("B")
    world.setTracker("waits")
    world.poll()
    assert.deepStrictEqual(world.take("ReadIssues").ids, [id("A"), id("B")])
    return world
  }
  const other = issue("A", { title: "from nowhere" })

  it.each([[["A"]], [["A", "C"]], [["A", "B", "C"]], [[]]])("about %j is counted and changes nothing", (names) => {
    const world = waiting()
    const { ignoredEvents } = world.state()
    const ids = names.map((name) => id(name))
    const batch = { issues: [other], malformed: [] }
    world.send(Event.IssuesRead({ lane: "refresh", ids, batch, startedAt: world.at().now }))
    world.send(Event.IssuesReadFailed({ lane: "refresh", ids, problem: down }))
    world.send(Event.IssuesRead({ lane: "demand", ids: [id("A"), id("B")], batch, startedAt: world.at().now }))
    assert.strictEqual(world.entry("A").issue.title, "A")
    assert.strictEqual(world.state().ignoredEvents, ignoredEvents + 3)
    assert.isTrue(world.snapshot().tracker.healthy)
    assert.isNotNull(world.state().refresh.inFlight)
  })
})

describe("an answer", () => {
  it("shows that the tracker is well again, whoever asked", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.setTracker("waits")
    world.poll()
    world.take("PollCandidates")
    world.send(Event.CandidatesFailed({ problem: down }))
    world.pass(1_000)
    read(world, "refresh", [issue("A")])
    assert.isTrue(world.snapshot().tracker.healthy)
    assert.strictEqual(world.records("TrackerRecovered").length, 1)
  })

  it.each(["queued", "held"])("that opens the way for another issue lets it start at once (blocker %s)", (how) => {
    const blockedBy = [reference("B", "Todo")]
    const world = make({ issues: [issue("A", { blockedBy }), issue("B")] })
    world.launch("B")
    world.end("B", failed)
    if (how === "held") world.send(Event.HoldRequested({ issueId: id("B"), note: "" }))
    world.setTracker("waits")
    world.poll()
    polled(world, [issue("A", { blockedBy }), issue("B")])
    assert.strictEqual(world.decision("A")._tag, "Blocked")
    read(world, "refresh", [issue("B", { state: "Done" })])
    assert.strictEqual(world.phase("A"), "claimed")
  })
})

describe("the list of broken records", () => {
  const sources = (world: World) => world.snapshot().malformed.map(({ message, source }) => `${source}: ${message}`)
  const told = (world: World) => world.records("RecordUnreadable").map(({ message, source }) => `${source}: ${message}`)

  it("is what the last poll found, and what reads found since", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.setTracker("waits")
    polled(world, [issue("A")], [broken("X"), broken("Y")])
    world.poll()
    read(world, "refresh", [issue("A")], { malformed: [broken("Y", "no state"), broken("Z")] })
    assert.deepStrictEqual(sources(world), ["Y: no state", "Z: no title", "X: no title"])
    polled(world, [issue("A")], [broken("Z")])
    assert.deepStrictEqual(sources(world), ["Z: no title"])
    polled(world, [issue("A")])
    assert.deepStrictEqual(sources(world), [])
  })

  it("is left as it is by a read that found none", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.setTracker("waits")
    polled(world, [issue("A")], [broken("X")])
    world.poll()
    read(world, "refresh", [issue("A")])
    assert.deepStrictEqual(sources(world), ["X: no title"])
  })

  it("is written down once per record and message", () => {
    const world = make()
    polled(world, [], [broken("X"), broken("Y")])
    polled(world, [], [broken("X"), broken("Y", "no state"), broken("Z", "no title")])
    assert.deepStrictEqual(told(world), ["X: no title", "Y: no title", "Y: no state", "Z: no title"])
  })

  it("has an end", () => {
    const world = make()
    polled(
      world,
      [],
      Array.from({ length: 150 }, (_, index) => broken(`X${index}`))
    )
    assert.strictEqual(sources(world).length, 100)
  })

  it("takes a record that belongs to nobody known", () => {
    const world = make({ issues: [issue("A", { dispatchable: false })] })
    polled(world, [issue("A", { dispatchable: false })], [{ ...broken("X"), id: null, identifier: null }])
    assert.deepStrictEqual(sources(world), ["X: no title"])
    assert.isNull(world.entry("A").unreadable)
  })
})
