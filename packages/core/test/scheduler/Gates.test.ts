import { assert, describe, it } from "@effect/vitest"
import { Outcome } from "../../src/domain/Outcome.ts"
import type * as Policy from "../../src/domain/Policy.ts"
import * as Backoff from "../../src/scheduler/Backoff.ts"
import { Event, type TrackerProblem } from "../../src/scheduler/Event.ts"
import { failed, id, issue, make, noon, succeeded, tokens, type World } from "./World.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const limited = (untilMs: number | null = null) => Outcome.UsageLimited({ untilMs, reason: "the window is closed" })

const opensIn = (world: World, gate: string): number | null | undefined =>
  world.snapshot().gates.find((closed) => closed.gate === gate)?.opensInMs

const many = (count: number, policy: Partial<Policy.Policy> = {}) =>
  make({ policy, issues: Array.from({ length: count }, (_, index) => issue(`I${index}`)) })

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

describe("a usage limit", () => {
  const hit = (outcome: Outcome) => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.end("A", outcome)
    return world
  }

  it("closes the gate until the instant that the provider named", () => {
    const world = hit(limited(noon + 2 * hour))
    assert.strictEqual(opensIn(world, "usage_limit"), 2 * hour)
    world.pass(2 * hour - 1)
    assert.strictEqual(world.phase("A"), "retry_queued")
    assert.include(world.reason("A"), "the window is closed")
    world.pass(1)
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("means one minute when no instant is named, or a past one", () => {
    assert.strictEqual(opensIn(hit(limited()), "usage_limit"), minute)
    assert.strictEqual(opensIn(hit(limited(noon - 1)), "usage_limit"), minute)
  })

  it("is capped at seven days", () => {
    assert.strictEqual(opensIn(hit(limited(noon + 30 * day)), "usage_limit"), 7 * day)
  })

  it("doubles per repeat up to an hour", () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 7, 90].map((repeats) => Backoff.usageLimitMs(null, noon, repeats) / minute)
    assert.deepStrictEqual(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60])
    const world = hit(limited())
    const seen: Array<number> = []
    for (let repeat = 0; repeat < 3; repeat++) {
      world.pass(opensIn(world, "usage_limit") ?? 0)
      world.launch("A")
      world.end("A", limited())
      seen.push((opensIn(world, "usage_limit") ?? 0) / minute)
    }
    assert.deepStrictEqual(seen, [2, 4, 8])
  })

  it("begins again at a minute once a turn completed", () => {
    const world = hit(limited())
    world.pass(minute)
    world.launch("A")
    world.end("A", limited(), { turns: 1 })
    assert.strictEqual(opensIn(world, "usage_limit"), minute)
  })

  it("of several runs at once counts as one repeat", () => {
    const world = many(3)
    for (const name of ["I0", "I1", "I2"]) world.launch(name)
    for (const name of ["I0", "I1", "I2"]) world.end(name, limited())
    assert.strictEqual(opensIn(world, "usage_limit"), minute)
  })

  it("is no failure and uses up no run", () => {
    const { attempts, claims, failures, runs } = hit(limited()).counters("A")
    assert.deepStrictEqual({ attempts, claims, failures, runs }, { attempts: 0, claims: 1, failures: 0, runs: 0 })
  })

  it("five in a row for one issue are a failure", () => {
    const world = hit(limited())
    for (let repeat = 0; repeat < 4; repeat++) {
      world.pass(hour)
      world.launch("A")
      world.end("A", limited())
    }
    assert.strictEqual(world.counters("A").failures, 1)
    assert.strictEqual(world.entry("A").retry?.kind, "failure")
    assert.strictEqual(world.counters("A").usageLimits, 0)
  })

  it("keeps a continuation a continuation", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.end("A", succeeded)
    world.again("A", limited())
    assert.strictEqual(world.entry("A").retry?.kind, "continuation")
  })
})

describe("a runtime that is down", () => {
  const unavailable = (world: World, name: string) => {
    const runId = world.prepare(name)
    world.send(Event.LaunchFailed({ runId, reason: "no server", unavailable: true, stopped: "confirmed" }))
    world.close(runId, false)
  }

  it("found by a launch closes the gate for a backoff and counts nothing", () => {
    const world = make({ issues: [issue("A")] })
    unavailable(world, "A")
    assert.deepInclude(world.counters("A"), { failures: 0, runs: 0, attempts: 0 })
    assert.strictEqual(opensIn(world, "runtime_down"), 10_000)
    world.pass(10_000)
    unavailable(world, "A")
    assert.strictEqual(opensIn(world, "runtime_down"), 20_000)
  })

  it("found by several launches at once is one backoff", () => {
    const world = many(4)
    for (const name of ["I0", "I1", "I2", "I3"]) world.prepare(name)
    for (const name of ["I0", "I1", "I2", "I3"]) {
      const { runId } = world.run(name)
      world.send(Event.LaunchFailed({ runId, reason: "no server", unavailable: true, stopped: "confirmed" }))
    }
    assert.strictEqual(opensIn(world, "runtime_down"), 10_000)
  })

  it("by its own word stays closed until it says otherwise", () => {
    const world = make()
    world.send(Event.RuntimeDown({ reason: "restarting" }))
    world.put(issue("A"))
    world.poll()
    world.pass(hour)
    assert.include(world.reason("A"), "restarting")
    world.send(Event.RuntimeUp())
    world.poll()
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("begins anew with ten seconds once a turn completed", () => {
    const world = make({ issues: [issue("A")] })
    unavailable(world, "A")
    world.pass(10_000)
    world.launch("A")
    world.end("A", succeeded)
    world.pass(1_000)
    unavailable(world, "A")
    assert.strictEqual(opensIn(world, "runtime_down"), 10_000)
  })
})

describe("a runtime under which everything fails", () => {
  const fail = (world: World, name: string, turns = 0) => {
    world.launch(name)
    world.end(name, failed, { turns })
  }

  it("closes the gate after five different issues in a row", () => {
    const world = many(6)
    for (let index = 0; index < 4; index++) fail(world, `I${index}`)
    assert.deepStrictEqual(world.gates(), [])
    fail(world, "I4")
    assert.deepStrictEqual(world.gates(), ["runtime_failing"])
    assert.include(world.reason("I0"), "broken")
  })

  it("does not close it when one issue fails five times", () => {
    const world = many(1)
    for (let run = 0; run < 5; run++) {
      fail(world, "I0")
      world.pass(5 * minute)
    }
    assert.deepStrictEqual(world.gates(), [])
  })

  it("does not close it when a turn completed in between", () => {
    const world = many(5)
    for (let index = 0; index < 4; index++) fail(world, `I${index}`, index === 2 ? 1 : 0)
    fail(world, "I4")
    assert.deepStrictEqual(world.gates(), [])
  })

  it("does not close it for workspaces that cannot be prepared", () => {
    const world = many(5)
    for (let index = 0; index < 5; index++) {
      const { runId } = world.run(`I${index}`)
      world.send(Event.PreparationFailed({ runId, workspace: null, reason: "hook", cancelled: false }))
    }
    assert.deepStrictEqual(world.gates(), [])
  })

  it("does not launch what was being prepared when it closed", () => {
    const world = many(6)
    for (let index = 0; index < 5; index++) fail(world, `I${index}`)
    const runId = world.prepare("I5")
    assert.strictEqual(world.run("I5").stop?.reason, "gate")
    world.close(runId, false)
    assert.strictEqual(world.counters("I5").failures, 0)
  })

  const failing = () => {
    const world = many(5)
    for (let index = 0; index < 5; index++) fail(world, `I${index}`)
    world.forgetRecords()
    return world
  }

  it("lets one trial through per backoff", () => {
    const world = failing()
    world.pass(10_000)
    assert.deepStrictEqual(world.claimed(), ["I0"])
    fail(world, "I0")
    assert.strictEqual(opensIn(world, "runtime_failing"), 20_000)
    world.pass(19_999)
    assert.deepStrictEqual(world.claimed(), ["I0"])
    world.pass(1)
    assert.strictEqual(world.claimed().length, 2)
  })

  it("is open again for all once the trial completed a turn", () => {
    const world = failing()
    world.pass(10_000)
    const runId = world.launch("I0")
    assert.deepStrictEqual(world.claimed(), ["I0"])
    world.send(Event.TurnCompleted({ runId, turn: 1, summary: null }))
    assert.deepStrictEqual(world.gates(), [])
    assert.deepStrictEqual(world.claimed(), ["I0", "I1", "I2", "I3", "I4"])
  })

  it("gives the trial to another issue when it ended without having reached the runtime", () => {
    const world = failing()
    world.pass(10_000)
    const { runId } = world.run("I0")
    world.send(Event.PreparationFailed({ runId, workspace: null, reason: "hook", cancelled: false }))
    assert.deepStrictEqual(world.claimed(), ["I0", "I1"])
  })

  it("does not launch the trial behind another gate", () => {
    const world = failing()
    world.pass(10_000)
    world.send(Event.PauseRequested({ reason: "" }))
    world.prepare("I0")
    assert.deepStrictEqual(world.asked("LaunchRun"), [])
    assert.strictEqual(world.run("I0").stop?.reason, "gate")
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
