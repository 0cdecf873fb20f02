import { assert, describe, it } from "@effect/vitest"
import { Hold } from "../../src/domain/Hold.ts"
import { RunId } from "../../src/domain/Ids.ts"
import { type IssueProjection, noCounters, type StoredState } from "../../src/domain/Journal.ts"
import * as Usage from "../../src/domain/Usage.ts"
import { Event } from "../../src/scheduler/Event.ts"
import * as Saving from "../../src/scheduler/Saving.ts"
import { down, failed, id, issue, make, noon, tokens, workspace, type World } from "./World.ts"

const projection = (name: string, fields: Partial<IssueProjection> = {}): IssueProjection => ({
  issueId: id(name),
  identifier: name,
  counters: { ...noCounters, claims: 2, runs: 2, attempts: 2, failures: 1 },
  usage: tokens(7),
  allowanceBase: Usage.zero,
  hold: null,
  retry: null,
  liveRun: null,
  workspace: workspace(name),
  ...fields
})

const stored = (...issues: ReadonlyArray<IssueProjection>): StoredState => ({ issues, fleet: null })

const recovered = (name: string) => ({ workspace: workspace(name), interruptedRun: null })

describe("after a restart", () => {
  it("a run that was interrupted is queued again, and no failure counted", () => {
    const world = make({ stored: stored(projection("A", { liveRun: RunId("old-1") })), issues: [issue("A")] })
    assert.include(world.records("RetryQueued")[0]?.reason, "old-1 was interrupted")
    assert.strictEqual(world.phase("A"), "claimed")
    assert.deepInclude(world.counters("A"), { failures: 1, runs: 3, claims: 3 })
  })

  it("a retry keeps its due time", () => {
    const retry = { kind: "failure", dueAtWallMs: noon + 8_000, reason: "broken" } as const
    const world = make({ stored: stored(projection("A", { retry })), issues: [issue("A")] })
    world.pass(7_999)
    assert.strictEqual(world.phase("A"), "retry_queued")
    world.pass(1)
    assert.strictEqual(world.phase("A"), "claimed")
  })

  it("a retry that fell due meanwhile is due, and one from a clock that ran ahead waits a week at most", () => {
    const at = (dueAtWallMs: number) => ({ retry: { kind: "failure", dueAtWallMs, reason: null } as const })
    const early = make({ stored: stored(projection("A", at(noon - 5_000))), issues: [issue("A")] })
    assert.strictEqual(early.phase("A"), "claimed")
    const late = make({ stored: stored(projection("A", at(noon * 2))), issues: [issue("A")] })
    assert.strictEqual(late.retryInMs("A"), 7 * 86_400_000)
  })

  it("holds are kept", () => {
    const hold = Hold.Failures({ failures: 10, lastReason: "broken" })
    const world = make({ stored: stored(projection("A", { hold })), issues: [issue("A")] })
    world.pass(21_600_000)
    assert.strictEqual(world.phase("A"), "held")
    assert.deepStrictEqual(world.claimed(), [])
  })

  it("a hold whose limit was raised meanwhile is lifted", () => {
    const hold = Hold.Runs({ runs: 30 })
    const world = make({
      stored: stored(projection("A", { hold })),
      issues: [issue("A")],
      policy: { maxRunsPerIssue: 40 }
    })
    assert.strictEqual(world.phase("A"), "claimed")
    assert.strictEqual(world.records("HoldLifted")[0]?.by, "a raised limit")
  })

  it("usage, counters and the day's spending are known", () => {
    const fleet = { paused: null, usageByDay: [{ day: Math.floor(noon / 86_400_000), usage: tokens(90) }] }
    const world = make({
      stored: { issues: [projection("A")], fleet },
      issues: [issue("A")],
      policy: { maxTokensPerDay: 90 }
    })
    assert.deepStrictEqual(world.gates(), ["daily_budget"])
    assert.strictEqual(world.entry("A").usage.inputTokens, 7)
  })

  it("a pause is still a pause", () => {
    const world = make({ stored: { issues: [], fleet: { paused: "lunch", usageByDay: [] } }, issues: [issue("A")] })
    assert.deepStrictEqual(world.claimed(), [])
    assert.include(world.reason("A"), "lunch")
  })

  it("what an issue cost is not forgotten although nothing of it was under way", () => {
    const world = make({
      stored: stored(projection("A", { workspace: null })),
      policy: { maxConcurrentAgents: 1 },
      issues: [issue("A", { priority: 1 })]
    })
    assert.deepInclude(world.counters("A"), { runs: 3, claims: 3 })
    assert.strictEqual(world.entry("A").usage.inputTokens, 7)
  })

  it("what is over and has no workspace is dropped once the tracker said so", () => {
    const world = make({
      stored: stored(projection("A", { workspace: null })),
      issues: [issue("A", { state: "Done" })]
    })
    world.poll()
    assert.isFalse(world.isKnown("A"))
    assert.deepStrictEqual(
      world.records("IssueDropped").map(({ issueId }) => issueId),
      [id("A")]
    )
  })

  it("what the tracker no longer has and has no workspace is dropped after two looks", () => {
    const world = make({ stored: stored(projection("A", { workspace: null })) })
    assert.isTrue(world.isKnown("A"))
    world.pass(600_000)
    assert.isFalse(world.isKnown("A"))
  })

  it("the workspace of an issue that is done is removed, also when no store knows it", () => {
    const world = make({ workspaces: [recovered("A")], issues: [issue("A", { state: "Done" })] })
    assert.deepStrictEqual(world.take("RemoveWorkspace").workspace, workspace("A"))
  })

  it("the workspace of an active issue is where its next run goes on", () => {
    const world = make({ workspaces: [recovered("A")], issues: [issue("A")] })
    assert.strictEqual(world.phase("A"), "claimed")
    assert.deepStrictEqual(world.entry("A").workspace, workspace("A"))
  })

  it("an unreachable tracker only delays all that", () => {
    const world = make({
      workspaces: [recovered("A")],
      stored: stored(projection("B", { liveRun: RunId("old-1") })),
      issues: [issue("A", { state: "Done" }), issue("B")],
      tracker: down
    })
    world.pass(120_000)
    world.setTracker("answers")
    world.pass(30_000)
    assert.strictEqual(world.asked("RemoveWorkspace").length, 1)
    assert.strictEqual(world.phase("B"), "claimed")
  })

  it("starting twice changes nothing", () => {
    const world = make({ issues: [issue("A")] })
    const before = world.entry("A")
    world.send(Event.Started({ stored: stored(projection("A")), workspaces: [] }))
    assert.strictEqual(world.entry("A"), before)
  })

  it("run ids of two lives differ by their instance", () => {
    const world = make({ issues: [issue("A")] })
    assert.strictEqual(world.run("A").runId, "test-1")
  })
})

describe("what is written down", () => {
  /** Appends what a world wrote down to a store, and gives back what a restart would read. */
  const kept = (world: World): ReadonlyArray<IssueProjection> => {
    const issues = new Map<string, IssueProjection>()
    for (const record of world.allRecords()) {
      if (record._tag === "IssueSaved") issues.set(record.projection.issueId, record.projection)
      else if (record._tag === "IssueDropped") issues.delete(record.issueId)
    }
    return [...issues.values()].sort((self, that) => (self.issueId < that.issueId ? -1 : 1))
  }

  it("is always all that a restart needs to know", () => {
    const world = make({ issues: [issue("A"), issue("B"), issue("C")] })
    world.launch("A")
    world.end("A", failed, { usage: tokens(5) })
    world.send(Event.HoldRequested({ issueId: id("B"), note: "no" }))
    world.launch("C")
    world.move("C", "Done")
    world.end("C")
    world.send(Event.WorkspaceRemoved({ issueId: id("C") }))
    world.poll()
    const now = [...Saving.projections(world.state(), world.at())].sort((a, b) => (a.issueId < b.issueId ? -1 : 1))
    assert.deepStrictEqual(kept(world), now)
  })
})
