import { assert, describe, it } from "@effect/vitest"
import { Event } from "../../src/scheduler/Event.ts"
import { id, issue, make, noon, reference, succeeded, tokens, type World } from "./World.ts"

/** Asks for another turn of A, and has the tracker answer. */
const ask = (world: World, change: (world: World) => void) => {
  const runId = world.launch("A")
  world.setTracker("waits")
  change(world)
  world.send(Event.TurnAsked({ runId, turn: 1 }))
  world.answer()
  return world.take("AnswerTurn", runId).verdict
}

describe("whether a run gets another turn", () => {
  it("is yes while its issue is as it should be, and shows it the newest read", () => {
    const world = make({ issues: [issue("A")] })
    const verdict = ask(world, () => world.edit("A", { title: "Clearer" }))
    assert.deepStrictEqual(verdict, { _tag: "Continue", issue: issue("A", { title: "Clearer" }) })
    assert.isNull(world.run("A").turn?.askedAt)
  })

  it.each<readonly [string, (world: World) => void, string]>([
    ["moved on", (world) => world.move("A", "Backlog"), "in the state Backlog, which is not active"],
    ["was not returned", (world) => world.remove("A"), "the tracker no longer shows the issue"],
    ["got a blocker", (world) => world.edit("A", { blockedBy: [reference("B", "Todo")] }), "blocked by B (Todo)"],
    ["is broken", (world) => world.setMalformed("A", "no title"), "its record cannot be read: no title"],
    ["is over a limit", (world) => world.setPolicy({ maxTokensPerIssue: 1 }), "its issue is over a limit"]
  ])("is no when its issue %s, and why", (_, change, reason) => {
    const world = make({ issues: [issue("A")] })
    const verdict = ask(world, (asked) => {
      const { runId } = asked.run("A")
      asked.send(Event.SessionUpdated({ runId, session: null, usage: tokens(1) }))
      change(asked)
    })
    assert.deepStrictEqual(verdict, { _tag: "Stop", reason })
  })
})

describe("a poll that says that a record is broken", () => {
  it("marks the issue by itself, whatever else is read", () => {
    const world = make({ issues: [issue("A", { dispatchable: false })] })
    world.setTracker("waits")
    const malformed = [{ source: "A.md:3", id: id("A"), identifier: "A", message: "no title" }]
    world.send(
      Event.CandidatesPolled({ batch: { issues: [], malformed }, startedAt: world.at().now, startedAtWall: noon })
    )
    assert.strictEqual(world.entry("A").unreadable, "no title")
    assert.deepStrictEqual(world.snapshot().malformed, [{ source: "A.md:3", message: "no title" }])
  })
})

describe("an operator", () => {
  const givenUp = () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.send(Event.HoldRequested({ issueId: id("A"), note: "" }))
    world.pass(60_000)
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
    return { world, runId }
  }

  it("cannot put another hold in the place of one for an agent that may still be alive", () => {
    const { world } = givenUp()
    const { ignoredEvents } = world.state()
    world.send(Event.HoldRequested({ issueId: id("A"), note: "mine" }))
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
    assert.strictEqual(world.state().ignoredEvents, ignoredEvents + 1)
  })

  it("who releases such an issue has it put where the tracker has it by now", () => {
    const { world } = givenUp()
    world.move("A", "Done")
    world.poll()
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    assert.strictEqual(world.phase("A"), "released")
    assert.strictEqual(world.entry("A").released, "terminal")
    assert.strictEqual(world.asked("RemoveWorkspace").length, 1)
  })

  it("and a raised limit are named by what they lifted", () => {
    const { world } = givenUp()
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    const other = make({ issues: [issue("A")], policy: { maxRunsPerIssue: 1 } })
    other.launch("A")
    other.end("A")
    assert.strictEqual(other.hold("A"), "Runs")
    other.setPolicy({ maxRunsPerIssue: 2 })
    const by = [world, other].flatMap((one) => one.records("HoldLifted").map((record) => record.by))
    assert.deepStrictEqual(by, ["an operator", "a raised limit"])
  })
})

describe("a drain", () => {
  it("has one deadline, from the first time that it was asked for", () => {
    const world = make({ issues: [issue("A")], policy: { shutdownTimeoutMs: 45_000 } })
    world.launch("A")
    world.send(Event.DrainRequested())
    const deadline = world.at().now + 45_000
    assert.strictEqual(world.state().gates.draining, deadline)
    world.pass(5_000)
    world.send(Event.DrainRequested())
    assert.strictEqual(world.state().gates.draining, deadline)
    assert.deepStrictEqual(
      world.records("StopOrdered").map(({ reason }) => reason),
      ["the orchestrator is shutting down"]
    )
  })

  it("removes no workspace any more", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.move("A", "Done")
    world.send(Event.DrainRequested())
    world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(0) }))
    world.close(runId, true)
    assert.strictEqual(world.entry("A").released, "terminal")
    assert.deepStrictEqual(world.asked("RemoveWorkspace"), [])
  })
})
