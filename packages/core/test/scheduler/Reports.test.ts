import { assert, describe, it } from "@effect/vitest"
import { RunId, SessionId } from "../../src/domain/Ids.ts"
import { type IssueProjection, noCounters } from "../../src/domain/Journal.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Usage from "../../src/domain/Usage.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { failed, id, issue, make, succeeded, tokens, workspace, type World } from "./World.ts"

const running = (policy = {}) => {
  const world = make({ policy, issues: [issue("A")] })
  const runId = world.launch("A")
  return { world, runId }
}

const launching = () => {
  const world = make({ issues: [issue("A")] })
  const runId = world.prepare("A")
  world.take("LaunchRun", runId)
  return { world, runId }
}

const viewOf = (world: World) => world.snapshot().issues[0]?.run
const named = { issueId: id("A"), identifier: "A" }

describe("what an agent reports", () => {
  it("counts from its launch on", () => {
    const { runId, world } = launching()
    world.send(Event.Activity({ runId, summary: "unpacking" }))
    world.send(Event.SessionUpdated({ runId, session: SessionId("s1"), usage: tokens(3) }))
    assert.deepInclude(viewOf(world), { lastActivity: "unpacking", session: SessionId("s1") })
    world.send(Event.RunLaunched({ runId, session: null }))
    assert.strictEqual(viewOf(world)?.session, SessionId("s1"))
    assert.strictEqual(world.entry("A").usage.inputTokens, 3)
  })

  it("of its launch counts once", () => {
    const { runId, world } = running()
    const { ignoredEvents } = world.state()
    world.send(Event.RunLaunched({ runId, session: SessionId("other") }))
    assert.deepStrictEqual(
      world.records("RunLaunched").map((record) => ({ ...record })),
      [{ _tag: "RunLaunched", ...named, runId }]
    )
    assert.strictEqual(viewOf(world)?.session, SessionId("session of A"))
    assert.strictEqual(world.state().ignoredEvents, ignoredEvents + 1)
  })

  it("of its session keeps the newest that it named, and is a sign of life", () => {
    const { runId, world } = running({ stallTimeoutMs: 60_000 })
    world.pass(50_000)
    world.send(Event.SessionUpdated({ runId, session: SessionId("new"), usage: tokens(1) }))
    world.pass(50_000)
    world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(2) }))
    assert.strictEqual(viewOf(world)?.session, SessionId("new"))
    assert.strictEqual(viewOf(world)?.silentMs, 0)
    world.pass(59_999)
    assert.strictEqual(world.phase("A"), "running")
    assert.deepStrictEqual(world.records("StopOrdered"), [])
  })

  it("of a completed turn is written down, a sign of life, and never takes one back", () => {
    const { runId, world } = running({ stallTimeoutMs: 60_000 })
    world.pass(50_000)
    world.send(Event.TurnCompleted({ runId, turn: 2, summary: "half" }))
    world.send(Event.TurnCompleted({ runId, turn: 1, summary: null }))
    assert.deepInclude(viewOf(world), { turnsCompleted: 2, silentMs: 0 })
    assert.deepStrictEqual<unknown>(
      { ...world.records("TurnCompleted")[0] },
      {
        _tag: "TurnCompleted",
        ...named,
        runId,
        turn: 2,
        summary: "half"
      }
    )
  })

  it("of an older turn asks for nothing", () => {
    const { runId, world } = running()
    world.send(Event.TurnStarted({ runId, turn: 3 }))
    const { ignoredEvents } = world.state()
    world.send(Event.TurnAsked({ runId, turn: 2 }))
    assert.deepStrictEqual(world.asked("AnswerTurn"), [])
    assert.strictEqual(world.state().ignoredEvents, ignoredEvents + 1)
    world.send(Event.TurnAsked({ runId, turn: 3 }))
    assert.strictEqual(world.asked("AnswerTurn").length, 1)
  })

  it.each(["preparing", "finishing"])("while its run is %s counts as spent, and for nothing else", (stage) => {
    const { runId, world } = stage === "preparing" ? { world: make({ issues: [issue("A")] }), runId: null } : running()
    const run = runId ?? world.run("A").runId
    if (stage === "finishing") world.send(Event.RunFinished({ runId: run, outcome: succeeded, usage: tokens(0) }))
    const before = world.run("A")
    world.send(Event.SessionUpdated({ runId: run, session: SessionId("late"), usage: tokens(9) }))
    assert.strictEqual(world.run("A").session, before.session)
    assert.strictEqual(world.run("A").lastActivityAt, before.lastActivityAt)
    assert.strictEqual(world.entry("A").usage.inputTokens, 9)
    assert.strictEqual(world.state().ignoredEvents, 1)
  })

  it("of too much is stopped for that, in these words", () => {
    const { runId, world } = running({ maxTokensPerIssue: 5 })
    world.send(Event.SessionUpdated({ runId, session: null, usage: tokens(5) }))
    assert.deepStrictEqual(
      world.records("StopOrdered").map(({ reason }) => reason),
      ["its issue is over a limit"]
    )
  })
})

describe("of several deadlines", () => {
  const reasonOf = (world: World) => world.records("StopOrdered")[0]?.reason ?? ""

  it("the turn's cap counts although a grace is running", () => {
    const { world } = running({ turnTimeoutMs: 30_000, handoffGraceMs: 300_000 })
    world.move("A", "Backlog")
    world.poll()
    world.pass(30_000)
    assert.match(reasonOf(world), /^its turn took too long/)
  })

  it("silence counts before the turn's cap is reached", () => {
    const { world } = running({ turnTimeoutMs: 300_000, stallTimeoutMs: 30_000 })
    world.pass(30_000)
    assert.match(reasonOf(world), /^its agent was silent/)
  })

  it("silence counts for an agent that has begun no turn", () => {
    const { runId, world } = launching()
    world.setPolicy({ turnTimeoutMs: 10_000, stallTimeoutMs: 30_000 })
    world.send(Event.RunLaunched({ runId, session: null }))
    world.pass(30_000)
    assert.match(reasonOf(world), /^its agent was silent/)
  })

  it("the grace counts before the others", () => {
    const { world } = running({ turnTimeoutMs: 300_000, stallTimeoutMs: 300_000, handoffGraceMs: 20_000 })
    world.move("A", "Backlog")
    world.poll()
    world.pass(20_000)
    assert.match(reasonOf(world), /^its issue left the active states/)
  })
})

describe("the runtime's gates", () => {
  const names = ["A", "B", "C", "D", "E"]
  const opensIn = (world: World, gate: string) => world.snapshot().gates.find((one) => one.gate === gate)?.opensInMs

  it("keep the later end of two usage limits", () => {
    const world = make({ issues: [issue("A"), issue("B")] })
    const limit = (name: string, ms: number) =>
      world.end(name, Outcome.UsageLimited({ untilMs: world.at().wallTime + ms, reason: "out of tokens" }))
    world.launch("A")
    world.launch("B")
    limit("A", 600_000)
    limit("B", 60_000)
    assert.strictEqual(opensIn(world, "usage_limit"), 600_000)
  })

  it("stay open when runs fail that had completed a turn", () => {
    const world = make({ issues: names.map((name) => issue(name)) })
    for (const name of names) world.launch(name)
    for (const name of names) world.end(name, failed, { turns: 1 })
    assert.deepStrictEqual(world.gates(), [])
  })

  it("count no failure of a run that had completed a turn, also when others fail before theirs", () => {
    const world = make({ issues: names.map((name) => issue(name)) })
    for (const name of names) world.launch(name)
    world.send(Event.TurnCompleted({ runId: world.run("A").runId, turn: 1, summary: null }))
    for (const name of ["B", "C", "D", "E"]) world.end(name, failed)
    world.end("A", failed)
    assert.deepStrictEqual(world.gates(), [])
  })

  it("wait twice as long after every trial that fails", () => {
    const world = make({ issues: names.map((name) => issue(name)), policy: { maxRetryBackoffMs: 3_600_000 } })
    for (const name of names) world.launch(name)
    for (const name of names) world.end(name, failed)
    const waits: Array<number | null | undefined> = []
    for (let trial = 0; trial < 4; trial++) {
      const opens = opensIn(world, "runtime_failing")
      waits.push(opens)
      world.pass(opens ?? 0)
      const name = names.find((one) => world.phase(one) === "claimed") ?? assert.fail("no trial")
      world.launch(name)
      world.end(name, failed)
    }
    assert.deepStrictEqual(waits, [10_000, 20_000, 40_000, 80_000])
  })

  it("are not closed for longer by runs that fail beside the trial", () => {
    const world = make({ issues: [...names, "F"].map((name) => issue(name)) })
    for (const name of [...names, "F"]) world.launch(name)
    for (const name of names) world.end(name, failed)
    assert.strictEqual(opensIn(world, "runtime_failing"), 10_000)
    world.pass(4_000)
    world.end("F", Outcome.Failed({ reason: "also broken" }))
    assert.strictEqual(opensIn(world, "runtime_failing"), 6_000)
    assert.include(world.snapshot().gates[0]?.reason, "(broken)")
  })

  it("stay closed until the runtime says that it is up, where it said that it is down", () => {
    const { runId, world } = launching()
    world.send(Event.RuntimeDown({ reason: "restarting" }))
    world.send(Event.LaunchFailed({ runId, reason: "refused", unavailable: true, stopped: "confirmed" }))
    assert.isNull(opensIn(world, "runtime_down"))
    world.close(runId, false)
    world.pass(3_600_000)
    assert.deepStrictEqual(world.gates(), ["runtime_down"])
    world.send(Event.RuntimeUp())
    assert.deepStrictEqual(world.gates(), [])
  })
})

describe("what an earlier orchestrator left", () => {
  const projection = (fields: Partial<IssueProjection>): IssueProjection => ({
    issueId: id("A"),
    identifier: "A",
    counters: { ...noCounters, claims: 1, runs: 1, attempts: 1 },
    usage: Usage.zero,
    allowanceBase: Usage.zero,
    hold: null,
    retry: null,
    liveRun: null,
    workspace: workspace("A"),
    ...fields
  })
  const restarted = (fields: Partial<IssueProjection> = {}) =>
    make({ stored: { issues: [projection(fields)], fleet: null }, tracker: "waits" })

  it("is neither active nor queued until the tracker is read", () => {
    const world = restarted()
    assert.strictEqual(world.reason("A"), "not read yet")
    assert.strictEqual(world.entry("A").released, "inactive")
    assert.isNull(world.entry("A").retry)
  })

  it("is run again at once, without being a retry, where a run was interrupted", () => {
    const world = restarted({ liveRun: RunId("old-1") })
    assert.deepInclude(world.entry("A").retry, {
      kind: "gate",
      dueAt: world.at().now,
      reason: "old-1 was interrupted by the end of the orchestrator"
    })
  })

  it("is removed, kept, and tried again, with path and reason in the records", () => {
    const world = make({ stored: { issues: [projection({})], fleet: null }, issues: [issue("A", { state: "Done" })] })
    world.take("RemoveWorkspace")
    world.send(Event.WorkspaceKept({ issueId: id("A"), reason: "commits on no remote" }))
    const record = { ...named, path: "/workspaces/A" }
    assert.deepInclude(world.records("WorkspaceKept")[0], { ...record, reason: "commits on no remote" })
    assert.strictEqual(world.entry("A").removal?._tag, "Kept")
    world.pass(3_600_000)
    world.take("RemoveWorkspace")
    world.send(Event.RemovalFailed({ issueId: id("A"), reason: "busy" }))
    assert.deepInclude(world.records("RemovalFailed")[0], { ...record, reason: "busy" })
    world.pass(10_000)
    world.take("RemoveWorkspace")
    world.send(Event.WorkspaceRemoved({ issueId: id("A") }))
    assert.deepInclude(world.records("WorkspaceRemoved")[0], record)
  })
})
