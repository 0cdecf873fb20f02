import { assert, describe, it } from "@effect/vitest"
import { Outcome } from "../../src/domain/Outcome.ts"
import type * as Policy from "../../src/domain/Policy.ts"
import { Event, type TrackerProblem } from "../../src/scheduler/Event.ts"
import { failed, id, issue, make, noon, succeeded, tokens, type World } from "./World.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const limited = (untilMs: number | null = null) => Outcome.UsageLimited({ untilMs, reason: "the window is closed" })

const opensIn = (world: World, gate: string): number | null | undefined =>
  world.snapshot().gates.find((closed) => closed.gate === gate)?.opensInMs

describe("an operator's pause", () => {
  it("starts nothing, stops nothing, and says why", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.send(Event.PauseRequested({ reason: "deploying" }))
    world.put(issue("B"))
    world.poll()
    assert.strictEqual(world.phase("A"), "running")
    assert.deepStrictEqual(world.claimed(), ["A"])
    assert.include(world.reason("B"), "deploying")
    world.send(Event.ResumeRequested())
    assert.deepStrictEqual(world.claimed(), ["A", "B"])
  })

  it("is written down when it begins and ends", () => {
    const world = make()
    world.send(Event.PauseRequested({ reason: "" }))
    world.send(Event.ResumeRequested())
    assert.deepStrictEqual(
      [...world.records("GateClosed"), ...world.records("GateOpened")].map(({ gate }) => gate),
      ["paused", "paused"]
    )
    assert.deepStrictEqual(
      world.records("FleetSaved").map(({ projection }) => projection.paused),
      ["", null]
    )
  })
})

describe("a tracker that asks for patience", () => {
  const problem = (retryAtWallMs: number | null): TrackerProblem => ({
    tag: "TrackerRateLimited",
    message: "429",
    retryable: true,
    retryAtWallMs
  })

  it("is left alone until the instant that it named, and nothing starts", () => {
    const world = make({ policy: { maxConcurrentAgents: 1 }, issues: [issue("A"), issue("B")] })
    world.launch("A")
    world.setTracker(problem(noon + 10 * minute))
    world.pass(30_000)
    world.forgetRequests()
    world.setTracker("answers")
    world.end("A", failed)
    world.pass(10 * minute - 30_000 - 1)
    assert.deepStrictEqual(world.requests(), [])
    assert.deepStrictEqual(world.claimed(), ["A"])
    assert.include(world.reason("B"), "429")
    world.pass(1)
    assert.strictEqual(world.claimed().length, 2)
  })

  it("that names no instant gets a minute, doubled per repeat", () => {
    const world = make()
    world.setTracker(problem(null))
    const seen: Array<number> = []
    world.pass(30_000)
    for (let repeat = 0; repeat < 3; repeat++) {
      seen.push((opensIn(world, "tracker") ?? 0) / minute)
      world.pass(opensIn(world, "tracker") ?? 0)
    }
    assert.deepStrictEqual(seen, [1, 2, 4])
  })

  it("in several requests at once asks once", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    world.setTracker("waits")
    world.pass(30_000)
    world.send(Event.TurnAsked({ runId, turn: 1 }))
    world.setTracker(problem(null))
    world.answer()
    assert.strictEqual(opensIn(world, "tracker"), minute)
  })
})

describe("the daily budget", () => {
  const spent = (policy: Partial<Policy.Policy>, used = tokens(100, 3)) => {
    const world = make({ policy, issues: [issue("A"), issue("B")] })
    world.launch("A")
    world.launch("B")
    world.end("A", succeeded, { usage: used })
    return world
  }

  it("of tokens or cost closes the gate until the next day, UTC, and stops no run", () => {
    for (const policy of [{ maxTokensPerDay: 100 }, { maxCostUsdPerDay: 3 }]) {
      const world = spent(policy)
      assert.strictEqual(opensIn(world, "daily_budget"), 12 * hour)
      assert.strictEqual(world.phase("B"), "running")
      world.pass(12 * hour - 1)
      assert.strictEqual(world.phase("A"), "retry_queued")
      world.pass(1)
      assert.strictEqual(world.phase("A"), "claimed")
    }
  })

  it("is opened by a raised limit", () => {
    const world = spent({ maxTokensPerDay: 100 })
    world.setPolicy({ maxTokensPerDay: 101 })
    world.pass(1_000)
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("is not granted twice when the clock steps back over midnight and forward again", () => {
    const world = spent({ maxTokensPerDay: 100 })
    world.shiftWall(-13 * hour)
    world.pass(1_000)
    assert.strictEqual(world.phase("A"), "claimed")
    world.launch("A")
    world.end("A", succeeded, { usage: tokens(60) })
    world.shiftWall(13 * hour)
    world.wake()
    assert.deepStrictEqual(world.gates(), ["daily_budget"])
    world.shiftWall(-13 * hour)
    world.wake()
    assert.strictEqual(world.snapshot().usageToday.inputTokens, 60)
  })

  it("is not forgotten for a busy day after it, when the clock steps back over midnight", () => {
    const world = make({ policy: { maxTokensPerDay: 1_000 }, issues: [issue("A")] })
    const runId = world.launch("A")
    const use = (total: number) => world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(total) }))
    use(600)
    world.shiftWall(day)
    for (let total = 601; total <= 620; total++) use(total)
    assert.strictEqual(world.snapshot().usageToday.inputTokens, 20)
    world.shiftWall(-day)
    assert.strictEqual(world.snapshot().usageToday.inputTokens, 600)
    assert.strictEqual(world.state().usageByDay.length, 2)
  })

  it("keeps counting today after the clock was far in the future", () => {
    const world = make({ policy: { maxTokensPerDay: 100 }, issues: [issue("A")] })
    const runId = world.launch("A")
    for (let jump = 1; jump <= 8; jump++) {
      world.shiftWall(400 * day)
      world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(jump) }))
    }
    world.shiftWall(-8 * 400 * day)
    world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(58) }))
    world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(108) }))
    assert.strictEqual(world.snapshot().usageToday.inputTokens, 100)
    assert.deepStrictEqual(world.gates(), ["daily_budget"])
  })

  it("closes the gate, and is woken for at midnight, when a run that was given up reports what it used", () => {
    const world = make({ policy: { maxTokensPerDay: 100 }, issues: [issue("A")] })
    const runId = world.launch("A")
    world.send(Event.HoldRequested({ issueId: id("A"), note: "" }))
    world.pass(minute)
    assert.strictEqual(world.hold("A"), "StopUnconfirmed")
    world.setTracker("waits")
    world.pass(minute)
    world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(100) }))
    assert.deepStrictEqual(
      world.records("GateClosed").map(({ gate }) => gate),
      ["daily_budget"]
    )
    assert.strictEqual(world.state().wakeAt, world.at().now + (day - (world.at().wallTime % day)))
  })

  it("is remembered for a few days only", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    for (let used = 1; used <= 30; used++) {
      world.shiftWall(day)
      world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(used) }))
    }
    assert.strictEqual(world.state().usageByDay.length, 7)
  })
})

describe("the configuration", () => {
  it("that is broken is shown while the last good one stays in force", () => {
    const world = make()
    world.send(Event.ConfigurationJudged({ problem: "WORKFLOW.md:3: no", closesGate: false }))
    assert.strictEqual(world.snapshot().configurationProblem, "WORKFLOW.md:3: no")
    assert.deepStrictEqual(world.gates(), [])
  })

  it("whose adapters cannot be built closes the gate until the next good one", () => {
    const world = make()
    world.send(Event.ConfigurationJudged({ problem: "no such folder", closesGate: true }))
    world.put(issue("A"))
    world.poll()
    assert.include(world.reason("A"), "no such folder")
    world.send(Event.ConfigurationJudged({ problem: "WORKFLOW.md:3: no", closesGate: false }))
    assert.deepStrictEqual(world.gates(), ["configuration"])
    world.send(Event.ConfigurationJudged({ problem: null, closesGate: false }))
    world.poll()
    assert.strictEqual(world.phase("A"), "claimed")
  })
})

describe("several gates at once", () => {
  it("are all named, and all must open", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.end("A", limited())
    world.send(Event.PauseRequested({ reason: "lunch" }))
    assert.deepStrictEqual(world.gates(), ["paused", "usage_limit"])
    world.send(Event.ResumeRequested())
    assert.strictEqual(world.phase("A"), "retry_queued")
    world.pass(minute)
    assert.strictEqual(world.phase("A"), "claimed")
    assert.strictEqual(world.hold("A"), null)
    assert.strictEqual(world.entry("A").issue.id, id("A"))
  })
})
