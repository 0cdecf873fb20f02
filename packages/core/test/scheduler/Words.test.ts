import { assert, describe, it } from "@effect/vitest"
import { Hold } from "../../src/domain/Hold.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import { Decision, render, renderGate, stopWords } from "../../src/scheduler/Decision.ts"
import { Event } from "../../src/scheduler/Event.ts"
import type { ClosedGate } from "../../src/scheduler/State.ts"
import { id, issue, make, reference, succeeded, tokens } from "./World.ts"

const paused: ClosedGate = { gate: "paused", reason: "paused by an operator", opensInMs: null, opensByItself: false }
const limited: ClosedGate = { gate: "usage_limit", reason: "out of tokens", opensInMs: 1_500, opensByItself: true }
const seven = ["B", "C", "D", "E", "F", "G", "H"].map((name) => reference(name, "Todo"))

describe("the words of a decision", () => {
  it.each<readonly [Decision, string]>([
    [Decision.Dispatched({ phase: "running", detail: "it runs" }), "it runs"],
    [Decision.Eligible(), "eligible; starts next"],
    [Decision.Unreadable({ message: "no title" }), "its record cannot be read: no title"],
    [Decision.Gone(), "gone from the tracker"],
    [Decision.Terminal({ state: "Done" }), "in the terminal state Done"],
    [Decision.Inactive({ state: "Backlog" }), "in the state Backlog, which is not active"],
    [Decision.Inactive({ state: "" }), "not read yet"],
    [Decision.Unlisted(), "was not among the candidates of the last poll"],
    [Decision.Undispatchable({ why: "not today" }), "not today"],
    [Decision.Undispatchable({ why: null }), "the tracker says that it is not for this orchestrator"],
    [Decision.MissingLabels({ labels: ["agent"] }), "lacks the required label agent"],
    [Decision.MissingLabels({ labels: ["agent", "go"] }), "lacks the required labels agent, go"],
    [Decision.Blocked({ by: [reference("B", "Todo")] }), "blocked by B (Todo)"],
    [Decision.Blocked({ by: [reference("B", null)] }), "blocked by B (state unknown)"],
    [Decision.Blocked({ by: [{ ...reference("B", "Todo"), note: "is itself" }] }), "blocked by B (is itself)"],
    [Decision.Blocked({ by: seven.slice(0, 5) }), "blocked by B (Todo), C (Todo), D (Todo), E (Todo), F (Todo)"],
    [Decision.Blocked({ by: seven }), "blocked by B (Todo), C (Todo), D (Todo), E (Todo), F (Todo) and 2 more"],
    [Decision.OpenSubIssues({ open: [reference("B", "Todo")] }), "waits for its sub-issue B (Todo)"],
    [
      Decision.OpenSubIssues({ open: [reference("B", "Todo"), reference("C", "Todo")] }),
      "waits for its sub-issues B (Todo), C (Todo)"
    ],
    [Decision.Held({ hold: Hold.Operator({ note: "" }) }), "held by an operator"],
    [Decision.RemovingWorkspace(), "waits until the removal of its old workspace has ended"],
    [Decision.RetryNotDue({ kind: "failure", dueInMs: 9_001, why: "broken" }), "retries in 10 s, after: broken"],
    [Decision.RetryNotDue({ kind: "continuation", dueInMs: 1_000, why: null }), "continues in 1 s"],
    [Decision.RetryNotDue({ kind: "gate", dueInMs: -5, why: null }), "starts again in 0 s"],
    [Decision.Gated({ gates: [paused, limited] }), "paused by an operator; out of tokens; opens in 2 s"],
    [Decision.AwaitingRead({ problem: null }), "being read once more before it starts"],
    [
      Decision.AwaitingRead({ problem: "unreachable" }),
      "must be read once more before it starts, and the tracker does not answer: unreachable"
    ],
    [
      Decision.StateFull({ state: "Todo", limit: 2 }),
      "waits for a slot: 2 of 2 are taken for the state Todo (agent.max_concurrent_agents_by_state)"
    ],
    [Decision.Full({ limit: 3 }), "waits for a slot: 3 of 3 are taken (agent.max_concurrent_agents)"]
  ])("%j", (decision, words) => {
    assert.strictEqual(render(decision), words)
  })

  it("name every reason to stop, each in its own way", () => {
    const words = Object.values(stopWords)
    assert.strictEqual(new Set(words).size, words.length)
    for (const text of words) assert.match(text, /^(?:its|a|an|the) \w+ .{5}/)
  })

  it("of a gate say when it opens, if that is known", () => {
    assert.deepStrictEqual([paused, limited].map(renderGate), ["paused by an operator", "out of tokens; opens in 2 s"])
  })
})

describe("what a live run is said to do", () => {
  const running = () => {
    const world = make({ issues: [issue("A")] })
    const words = () => world.reason("A").replaceAll(world.run("A").runId, "R")
    return { world, words }
  }

  it("follows its stages", () => {
    const { words, world } = running()
    assert.strictEqual(words(), "R prepares its workspace")
    const runId = world.prepare("A")
    assert.strictEqual(words(), "R launches its agent")
    world.send(Event.RunLaunched({ runId, session: null }))
    assert.strictEqual(words(), "R runs")
    world.send(Event.TurnStarted({ runId, turn: 1 }))
    assert.strictEqual(words(), "R runs, turn 1")
    world.move("A", "Backlog")
    world.poll()
    assert.strictEqual(words(), "R runs, turn 1, to be stopped soon: in the state Backlog, which is not active")
    world.send(Event.RunFinished({ runId, outcome: succeeded, usage: tokens(0) }))
    assert.strictEqual(words(), "R succeeded; its workspace is being closed")
  })

  it("says why it is being stopped", () => {
    const { words, world } = running()
    world.send(Event.HoldRequested({ issueId: id("A"), note: "" }))
    assert.strictEqual(words(), "R is being stopped: an operator stopped it")
  })
})

describe("what a closed gate says", () => {
  const gates = (world: ReturnType<typeof make>) =>
    world.snapshot().gates.map(({ gate, opensByItself, opensInMs, reason }) => [gate, reason, opensInMs, opensByItself])

  it.each([
    [Event.PauseRequested({ reason: "" }), ["paused", "paused by an operator", null, false]],
    [Event.PauseRequested({ reason: "lunch" }), ["paused", "paused by an operator: lunch", null, false]],
    [Event.DrainRequested(), ["draining", "shutting down", null, false]],
    [
      Event.ConfigurationJudged({ problem: "no such folder", closesGate: true }),
      ["configuration", "no such folder", null, false]
    ],
    [Event.RuntimeDown({ reason: "restarting" }), ["runtime_down", "the agent runtime is down: restarting", null, true]]
  ])("%j", (event, gate) => {
    const world = make()
    world.send(event)
    assert.deepStrictEqual<unknown>(gates(world), [gate])
  })

  it("of a tracker that asks for patience names its message and the time that is left", () => {
    const world = make()
    const retryAtWallMs = world.at().wallTime + 60_001
    world.setTracker({ tag: "TrackerRateLimited", message: "429", retryable: true, retryAtWallMs })
    world.poll()
    assert.deepStrictEqual<unknown>(gates(world), [["tracker", "the tracker asks for patience: 429", 60_000, true]])
  })

  it("of the provider's window names its reason and the time that is left", () => {
    const world = make({ issues: [issue("A")] })
    world.launch("A")
    world.end("A", Outcome.UsageLimited({ untilMs: world.at().wallTime + 90_000, reason: "out of tokens" }))
    assert.deepStrictEqual<unknown>(gates(world), [
      ["usage_limit", "the provider's usage limit is reached: out of tokens", 90_000, true]
    ])
  })

  it.each([
    [{ maxTokensPerDay: 100 }, "150 tokens used today (limits.max_tokens_per_day is 100)"],
    [{ maxCostUsdPerDay: 2 }, "2.50 USD spent today (limits.max_cost_usd_per_day is 2)"]
  ])("of the budget %j names what was used", (policy, reason) => {
    const world = make({ policy, issues: [issue("A")] })
    world.launch("A")
    world.end("A", succeeded, { usage: tokens(150, 2.5) })
    assert.deepStrictEqual<unknown>(gates(world), [["daily_budget", reason, 43_200_000, true]])
  })

  it.each([
    [{ maxTokensPerDay: 100 }, tokens(99), tokens(100)],
    [{ maxCostUsdPerDay: 2 }, tokens(0, 1.99), tokens(0, 2)]
  ])("%j is said exactly from there on", (policy, below, at) => {
    const world = make({ policy, issues: [issue("A")] })
    const runId = world.launch("A")
    world.send(Event.SessionUpdated({ runId, session: null, usage: below }))
    assert.deepStrictEqual(world.gates(), [])
    world.send(Event.SessionUpdated({ runId, session: null, usage: at }))
    assert.deepStrictEqual(world.gates(), ["daily_budget"])
  })
})
