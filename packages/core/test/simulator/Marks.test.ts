import { assert, describe, it } from "@effect/vitest"
import type { Hold } from "../../src/domain/Hold.ts"
import type { JournalRecord, RetryKind } from "../../src/domain/Journal.ts"
import * as Outcome from "../../src/domain/Outcome.ts"
import * as Policy from "../../src/domain/Policy.ts"
import type { Command } from "../../src/scheduler/Command.ts"
import { type Decision, stopWords } from "../../src/scheduler/Decision.ts"
import { Event } from "../../src/scheduler/Event.ts"
import { type ClosedGate, initial, type State } from "../../src/scheduler/State.ts"
import { transition } from "../../src/scheduler/Transition.ts"
import * as Board from "../../src/testing/simulator/Board.ts"
import * as Books from "../../src/testing/simulator/Books.ts"
import * as Marks from "../../src/testing/simulator/Marks.ts"
import { kinds } from "../../src/testing/simulator/Profile.ts"
import * as Simulation from "../../src/testing/simulator/Simulation.ts"
import * as Truth from "../../src/testing/simulator/Truth.ts"
import { down, issue } from "../scheduler/World.ts"

/** Whether worlds have to reach it. What is false has no mark of its own; the compiler wants a verdict on every kind. */
type Verdicts<Kind extends string> = { readonly [K in Kind]: boolean }

const decisions: Verdicts<Decision["_tag"]> = {
  Dispatched: true,
  // Whatever is eligible starts in the same step: rule 4 says so.
  Eligible: false,
  Unreadable: true,
  Gone: true,
  Terminal: true,
  Inactive: true,
  Unlisted: true,
  Undispatchable: true,
  MissingLabels: true,
  Blocked: true,
  OpenSubIssues: true,
  Held: true,
  RemovingWorkspace: true,
  RetryNotDue: true,
  Gated: true,
  AwaitingRead: true,
  StateFull: true,
  Full: true
}

const gates: Verdicts<ClosedGate["gate"]> = {
  paused: true,
  draining: true,
  configuration: true,
  tracker: true,
  runtime_down: true,
  runtime_failing: true,
  usage_limit: true,
  daily_budget: true
}

const holds: Verdicts<Hold["_tag"]> = {
  Failures: true,
  IdleContinuations: true,
  Runs: true,
  Tokens: true,
  Cost: true,
  Operator: true,
  StopUnconfirmed: true
}

const retries: Verdicts<RetryKind> = { continuation: true, failure: true, gate: true }

/** Those that are false are in every world, or have marks by what they say. */
const records: Verdicts<JournalRecord["_tag"]> = {
  RunClaimed: false,
  RunLaunched: true,
  TurnCompleted: true,
  StopOrdered: false,
  RunEnded: false,
  RetryQueued: false,
  HoldPlaced: false,
  HoldLifted: false,
  Released: true,
  WorkspaceRemoved: true,
  WorkspaceKept: true,
  RemovalFailed: true,
  Forgotten: true,
  GateClosed: false,
  GateOpened: false,
  TrackerFailed: true,
  TrackerRecovered: true,
  RecordUnreadable: true,
  IssueSaved: false,
  IssueDropped: true,
  FleetSaved: true
}

const commands: Verdicts<Command["_tag"]> = {
  PollCandidates: true,
  ReadIssues: false,
  PrepareWorkspace: true,
  CancelPreparation: true,
  LaunchRun: true,
  AnswerTurn: false,
  StopRun: true,
  FinishRun: true,
  RemoveWorkspace: true,
  WakeAt: true
}

const outcomes = (["Succeeded", "Failed", "TimedOut", "Stalled", "Cancelled", "UsageLimited"] as const).map((tag) =>
  Outcome.name({ _tag: tag, summary: null, reason: "", untilMs: null })
)

const wanted = <Kind extends string>(family: string, verdicts: Verdicts<Kind>): ReadonlyArray<string> =>
  Object.entries(verdicts).flatMap(([kind, isWanted]) => (isWanted === true ? [`${family}: ${kind}`] : []))

const withoutMark = ["record: RunClaimed", "record: IssueSaved", "decision: Eligible"]

describe("the coverage marks", () => {
  it("are each there once", () => {
    assert.strictEqual(new Set(Marks.expected).size, Marks.expected.length)
  })

  it("cover every kind of decision, gate, hold, retry, record, command, outcome and stop", () => {
    assert.includeMembers(
      [...Marks.expected],
      [
        ...wanted("decision", decisions),
        ...wanted("gate closed", gates),
        ...wanted("gate opened", { ...gates, draining: false }),
        ...wanted("hold placed", holds),
        ...wanted("retry", retries),
        ...wanted("record", records),
        ...wanted("command", commands),
        ...outcomes.map((name) => `outcome: ${name}`),
        ...Object.keys(stopWords).map((reason) =>
          reason === "gate" || reason === "not_eligible" ? `put back: ${reason}` : `stop: ${reason}`
        )
      ]
    )
  })

  it("name all that worlds reach, but for what is in every world", () => {
    const reached = new Set<string>()
    for (const profile of kinds) {
      for (let seed = 1; seed <= 5; seed++) {
        for (const mark of Simulation.run({ seed, profile, maxEvents: 2_000 }).marks) reached.add(mark)
      }
    }
    assert.deepStrictEqual(
      [...reached].filter((mark) => !Marks.expected.includes(mark) && !withoutMark.includes(mark)),
      []
    )
    assert.isAbove(Marks.count(reached), 100)
    assert.isBelow(Marks.count(reached), Marks.expected.length + 1)
  })
})

describe("noting marks", () => {
  /** A scheduler of which every step is noted. */
  const watched = () => {
    const marks = Marks.make()
    const around = { truth: Truth.make(), board: Board.make(() => 0), books: Books.make() }
    let state: State = initial({ instance: "test", policy: Policy.defaults })
    let now = 0
    return {
      reached: () => marks.reached(),
      send: (event: Event, passed = 0): void => {
        now += passed
        const before = state
        const at = { now, wallTime: now }
        const result = transition(before, event, at)
        state = result.state
        const { commands, records } = result
        marks.note({ at, time: now, event, before, after: state, records, commands, ...around })
      }
    }
  }
  const begin = () => {
    const world = watched()
    world.send(Event.Started({ stored: { issues: [], fleet: null }, workspaces: [] }))
    return world
  }

  it("finds none where nothing happens", () => {
    assert.strictEqual(Marks.count(watched().reached()), 0)
  })

  it("finds what a step ordered and wrote, and nothing else", () => {
    const world = begin()
    assert.sameMembers([...world.reached()], ["command: PollCandidates"])
    world.send(Event.CandidatesFailed({ problem: down }))
    assert.sameMembers([...world.reached()], ["command: PollCandidates", "record: TrackerFailed", "command: WakeAt"])
  })

  it("finds how an issue moves from phase to phase", () => {
    const world = begin()
    const batch = { issues: [issue("A")], malformed: [] }
    world.send(Event.CandidatesPolled({ batch, startedAt: 0, startedAtWall: 0 }))
    assert.include([...world.reached()], "phase: unclaimed>claimed")
    assert.notInclude([...world.reached()], "phase: claimed>running")
  })

  it("looks at the decisions of all issues now and then", () => {
    const world = begin()
    const batch = { issues: [issue("A"), issue("B", { dispatchable: false })], malformed: [] }
    world.send(Event.CandidatesPolled({ batch, startedAt: 0, startedAtWall: 0 }))
    assert.notInclude([...world.reached()], "decision: Undispatchable")
    for (let tick = 0; tick < 32; tick++) world.send(Event.Tick())
    assert.includeMembers([...world.reached()], ["decision: Undispatchable", "decision: Dispatched"])
  })
})
