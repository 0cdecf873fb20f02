import { assert, describe, it } from "@effect/vitest"
import { Outcome } from "../../src/domain/Outcome.ts"
import type * as Policy from "../../src/domain/Policy.ts"
import * as Backoff from "../../src/scheduler/Backoff.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { failed, issue, make, noon, succeeded, type World } from "./World.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const limited = (untilMs: number | null = null) => Outcome.UsageLimited({ untilMs, reason: "the window is closed" })

const opensIn = (world: World, gate: string): number | null | undefined =>
  world.snapshot().gates.find((closed) => closed.gate === gate)?.opensInMs

const many = (count: number, policy: Partial<Policy.Policy> = {}) =>
  make({ policy, issues: Array.from({ length: count }, (_, index) => issue(`I${index}`)) })

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
