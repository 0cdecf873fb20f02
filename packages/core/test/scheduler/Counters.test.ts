import { assert, describe, it } from "@effect/vitest"
import * as Policy from "../../src/domain/Policy.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Backoff from "../../src/scheduler/Backoff.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { failed, id, issue, make, succeeded, tokens } from "./World.ts"

const idle = { progress: false }

const started = (policy: Partial<Policy.Policy> = {}) => {
  const world = make({ policy, issues: [issue("A")] })
  world.launch("A")
  return world
}

describe("delays", () => {
  it("retries double from ten seconds up to the limit", () => {
    const delays = [1, 2, 3, 4, 5, 6, 7].map((failures) => Backoff.retryDelayMs(failures, Policy.defaults))
    assert.deepStrictEqual(delays, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
    assert.strictEqual(Backoff.retryDelayMs(10_000, Policy.defaults), 300_000)
    assert.strictEqual(Backoff.retryDelayMs(1, { ...Policy.defaults, maxRetryBackoffMs: 500 }), 500)
  })

  it("a retry starts at its due time, not before", () => {
    const world = started()
    world.end("A", failed)
    world.pass(9_999)
    assert.strictEqual(world.phase("A"), "retry_queued")
    world.pass(1)
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("a continuation starts after one second", () => {
    const world = started()
    world.end("A")
    world.pass(999)
    assert.strictEqual(world.phase("A"), "retry_queued")
    world.pass(1)
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("a tick that comes a moment early is followed by another", () => {
    const world = started()
    world.end("A")
    world.pass(999.5)
    world.wake()
    world.pass(0.5)
    assert.strictEqual(world.phase("A"), "claimed")
  })
})

describe("the attempt of the prompt", () => {
  it("is null, then 1, 2, 3, over continuations and retries alike", () => {
    const world = started()
    world.end("A")
    world.again("A", failed)
    world.again("A")
    world.pass(1_000)
    assert.deepStrictEqual(
      world.records("RunClaimed").map(({ attempt }) => attempt),
      [null, 1, 2, 3]
    )
  })

  it("is not used up by a usage limit", () => {
    const world = started()
    world.end("A", Outcome.UsageLimited({ untilMs: null, reason: "enough" }))
    world.pass(60_000)
    assert.isNull(world.run("A").attempt)
  })
})

describe("failures", () => {
  it("count up in a row and are reset by a success", () => {
    const world = started()
    world.end("A", failed)
    world.again("A", failed)
    assert.strictEqual(world.counters("A").failures, 2)
    assert.strictEqual(world.retryInMs("A"), 20_000)
    world.again("A", succeeded)
    assert.strictEqual(world.counters("A").failures, 0)
  })

  it("lead to a hold at the limit, which time does not lift", () => {
    const world = started({ maxFailures: 2 })
    world.end("A", failed)
    world.again("A", failed)
    assert.strictEqual(world.hold("A"), "Failures")
    assert.include(world.reason("A"), "broken")
    world.pass(21_600_000)
    assert.strictEqual(world.phase("A"), "held")
  })

  it("that led to a hold are forgotten when the issue changes", () => {
    const world = started({ maxFailures: 1 })
    world.end("A", failed)
    world.edit("A", { description: "clearer" })
    world.poll()
    assert.strictEqual(world.phase("A"), "claimed")
    assert.strictEqual(world.counters("A").failures, 0)
    assert.strictEqual(world.records("HoldLifted")[0]?.by, "a change of the issue")
  })

  it("that led to a hold are not forgotten when only the time of the last update changes", () => {
    const world = started({ maxFailures: 1 })
    world.end("A", failed)
    world.edit("A", { updatedAtMs: 5 })
    world.poll()
    assert.strictEqual(world.phase("A"), "held")
  })

  it("are not reset by what changed during the run", () => {
    const world = started({ maxFailures: 1 })
    world.edit("A", { title: "changed by the agent" })
    world.poll()
    world.end("A", failed)
    world.poll()
    assert.strictEqual(world.phase("A"), "held")
  })

  it("without a closing read: the first read after the run is what later ones are compared with", () => {
    const world = started({ maxFailures: 1 })
    world.setTracker({ tag: "TrackerTransportError", message: "down", retryable: true, retryAtWallMs: null })
    world.edit("A", { title: "changed by the agent" })
    world.end("A", failed)
    assert.strictEqual(world.phase("A"), "held")
    world.setTracker("answers")
    world.pass(60_000)
    assert.strictEqual(world.phase("A"), "held")
    world.edit("A", { title: "changed by a person" })
    world.poll()
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("are lifted by an operator", () => {
    const world = started({ maxFailures: 1 })
    world.end("A", failed)
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("are not lifted by a raised limit", () => {
    const world = started({ maxFailures: 1 })
    world.end("A", failed)
    world.setPolicy({ maxFailures: 5 })
    assert.strictEqual(world.phase("A"), "held")
  })
})

describe("continuations without progress", () => {
  it("a limit of two means three runs", () => {
    const world = started({ maxIdleContinuations: 2 })
    world.end("A", succeeded, idle)
    world.again("A", succeeded, idle)
    assert.strictEqual(world.phase("A"), "retry_queued")
    world.again("A", succeeded, idle)
    assert.strictEqual(world.hold("A"), "IdleContinuations")
    assert.strictEqual(world.claimed().length, 3)
  })

  it("are counted anew after progress in the workspace", () => {
    const world = started({ maxIdleContinuations: 2 })
    world.end("A", succeeded, idle)
    world.again("A", succeeded, idle)
    world.again("A", succeeded, { progress: true })
    world.again("A", succeeded, idle)
    assert.strictEqual(world.phase("A"), "retry_queued")
  })

  it("are counted anew after a change of the issue during the run", () => {
    const world = started({ maxIdleContinuations: 1 })
    world.end("A", succeeded, idle)
    world.pass(1_000)
    world.launch("A")
    world.edit("A", { labels: ["half done"] })
    world.end("A", succeeded, idle)
    assert.strictEqual(world.phase("A"), "retry_queued")
  })

  it("are not forgotten because a run in between failed", () => {
    const world = started({ maxIdleContinuations: 2 })
    world.end("A", succeeded, idle)
    world.again("A", succeeded, idle)
    world.again("A", failed, idle)
    world.again("A", succeeded, idle)
    world.again("A", succeeded, idle)
    assert.strictEqual(world.hold("A"), "IdleContinuations")
  })

  it("are lifted by a change of the issue", () => {
    const world = started({ maxIdleContinuations: 1 })
    world.end("A", succeeded, idle)
    world.again("A", succeeded, idle)
    world.edit("A", { priority: 1 })
    world.poll()
    assert.strictEqual(world.phase("A"), "claimed")
    assert.strictEqual(world.counters("A").idleContinuations, 0)
  })

  it("do not begin with a run that was cut short by a shutdown", () => {
    const world = make({ policy: { maxIdleContinuations: 1 }, issues: [issue("A")] })
    const runId = world.launch("A")
    world.send(Event.DrainRequested())
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, false)
    assert.notStrictEqual(world.entry("A").retry?.kind, "continuation")
    assert.strictEqual(world.counters("A").continuations, 0)
  })
})

describe("runs", () => {
  it("are limited whatever they achieve, by a hold that a change of the issue does not lift", () => {
    const world = started({ maxRunsPerIssue: 2 })
    world.end("A")
    world.again("A")
    assert.strictEqual(world.hold("A"), "Runs")
    world.edit("A", { title: "other" })
    world.poll()
    assert.strictEqual(world.phase("A"), "held")
  })

  it("are lifted by a raised limit, and by an operator for one more allowance", () => {
    const world = started({ maxRunsPerIssue: 1 })
    world.end("A")
    world.setPolicy({ maxRunsPerIssue: 2 })
    assert.strictEqual(world.phase("A"), "claimed")
    world.launch("A")
    world.end("A")
    assert.strictEqual(world.hold("A"), "Runs")
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    world.launch("A")
    world.end("A")
    assert.strictEqual(world.phase("A"), "retry_queued")
    assert.strictEqual(world.counters("A").runs, 1)
  })

  it("are lifted when the limit is switched off", () => {
    const world = started({ maxRunsPerIssue: 1 })
    world.end("A")
    world.setPolicy({ maxRunsPerIssue: 0 })
    assert.strictEqual(world.phase("A"), "claimed")
  })
})

describe("tokens and cost per issue", () => {
  it("stop the run that passes the limit, and hold its issue", () => {
    const world = make({ policy: { maxTokensPerIssue: 100 }, issues: [issue("A")] })
    const runId = world.launch("A")
    world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(100) }))
    assert.strictEqual(world.run("A").stop?.reason, "over_limit")
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, false)
    assert.strictEqual(world.hold("A"), "Tokens")
    assert.strictEqual(world.counters("A").failures, 0)
  })

  it("count what a run reports once, however often it reports", () => {
    const world = make({ issues: [issue("A")] })
    const runId = world.launch("A")
    for (const used of [10, 30, 20, 30]) {
      world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(used) }))
    }
    world.end("A", succeeded, { usage: tokens(35) })
    world.again("A", succeeded, { usage: tokens(5) })
    assert.strictEqual(world.entry("A").usage.inputTokens, 40)
    assert.strictEqual(world.snapshot().usageToday.inputTokens, 40)
  })

  it("hold the issue after a run that ended above the limit", () => {
    const world = started({ maxCostUsdPerIssue: 2 })
    world.end("A", succeeded, { usage: tokens(1, 2.5) })
    assert.strictEqual(world.hold("A"), "Cost")
    world.edit("A", { title: "other" })
    world.poll()
    assert.strictEqual(world.phase("A"), "held")
  })

  it("an operator grants the same allowance once more", () => {
    const world = started({ maxTokensPerIssue: 100 })
    world.end("A", succeeded, { usage: tokens(150) })
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    world.launch("A")
    world.end("A", succeeded, { usage: tokens(99) })
    assert.strictEqual(world.phase("A"), "retry_queued")
    world.again("A", succeeded, { usage: tokens(1) })
    assert.strictEqual(world.hold("A"), "Tokens")
  })

  it("a raised limit lifts it only when it is above what was used", () => {
    const world = started({ maxTokensPerIssue: 100 })
    world.end("A", succeeded, { usage: tokens(150) })
    world.setPolicy({ maxTokensPerIssue: 150 })
    assert.strictEqual(world.phase("A"), "held")
    assert.deepStrictEqual(world.records("HoldLifted"), [])
    world.setPolicy({ maxTokensPerIssue: 151 })
    assert.strictEqual(world.phase("A"), "claimed")
  })
})

describe("an operator's hold", () => {
  it("stops the run and stays over changes, time and raised limits", () => {
    const world = started()
    const { runId } = world.run("A")
    world.send(Event.HoldRequested({ issueId: id("A"), note: "wait" }))
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, false)
    assert.strictEqual(world.hold("A"), "Operator")
    world.edit("A", { title: "other" })
    world.poll()
    world.setPolicy({ maxRunsPerIssue: 99 })
    world.pass(21_600_000)
    assert.strictEqual(world.phase("A"), "held")
    assert.strictEqual(world.counters("A").failures, 0)
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("that is taken back while the run stops is no continuation", () => {
    const world = started({ maxIdleContinuations: 1 })
    const { runId } = world.run("A")
    world.send(Event.HoldRequested({ issueId: id("A"), note: "" }))
    world.send(Event.ReleaseRequested({ issueId: id("A") }))
    world.send(Event.StopSettled({ runId, result: "confirmed" }))
    world.close(runId, false)
    assert.strictEqual(world.counters("A").continuations, 0)
    assert.notStrictEqual(world.entry("A").retry?.kind, "continuation")
  })
})
