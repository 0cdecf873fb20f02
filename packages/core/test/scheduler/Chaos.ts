/**
 * A seeded world in which anything happens: outstanding commands are answered well, badly, late or twice, the tracker's
 * people change what they like, and events of nobody arrive. The same seed gives the same events.
 */
import * as HashMap from "effect/HashMap"
import { IssueId, RunId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { type IssueProjection, noCounters } from "../../src/domain/Journal.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Policy from "../../src/domain/Policy.ts"
import * as Usage from "../../src/domain/Usage.ts"
import type { Command } from "../../src/scheduler/Command.ts"
import { Event, type TrackerProblem } from "../../src/scheduler/Event.ts"
import { initial, type Instant, type State } from "../../src/scheduler/State.ts"
import { noon, tokens, workspace } from "./World.ts"

const names = ["A", "B", "C", "D", "E", "F", "G"]
const states = ["Todo", "Todo", "In Progress", "Backlog", "Done"]

/** Numbers in [0, 1) from a seed (mulberry32). */
const randomOf = (seed: number) => {
  let value = seed >>> 0
  return () => {
    value = (value + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(value ^ (value >>> 15), value | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Asked {
  readonly command: Command
  readonly startedAt: number
}

export interface Chaos {
  readonly first: State
  /** What happens next, and when. */
  readonly next: (state: State) => { readonly event: Event; readonly at: Instant }
  /** Tells the world what the scheduler asked for. */
  readonly ask: (commands: ReadonlyArray<Command>) => void
}

export const make = (seed: number): Chaos => {
  const random = randomOf(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <A>(list: readonly [A, ...ReadonlyArray<A>] | ReadonlyArray<A>): A => list[below(list.length)] as A
  const chance = (probability: number): boolean => random() < probability

  const people = new Map<IssueId, Issue.Issue>()
  const unreadable = new Set<IssueId>()
  let asked: Array<Asked> = []
  let at: Instant = { now: 0, wallTime: noon }
  let started = false

  const policy = (): Policy.Policy => ({
    ...Policy.defaults,
    maxConcurrentAgents: 1 + below(4),
    maxConcurrentAgentsByState: chance(0.5) ? { todo: 1 + below(2) } : {},
    requiredLabels: chance(0.1) ? ["agent"] : [],
    activeStates: chance(0.1) ? ["todo"] : Policy.defaults.activeStates,
    handoffGraceMs: pick([0, 60_000]),
    turnTimeoutMs: pick([0, 600_000]),
    stallTimeoutMs: pick([0, 300_000]),
    maxFailures: below(4),
    maxIdleContinuations: below(3),
    maxRunsPerIssue: pick([0, 3, 30]),
    maxTokensPerIssue: pick([0, 500]),
    maxTokensPerDay: pick([0, 2_000])
  })

  const reference = (name: string): Issue.IssueReference => ({
    id: IssueId(name),
    identifier: name,
    state: chance(0.1) ? null : pick(states),
    note: null
  })

  const issue = (name: string): Issue.Issue =>
    Issue.make({
      id: IssueId(name),
      identifier: chance(0.1) ? `${name}-renamed` : name,
      title: pick(["one", "two"]),
      state: pick(states),
      priority: pick([null, 1, 2]),
      labels: chance(0.8) ? ["agent"] : [],
      dispatchable: chance(0.9),
      createdAtMs: pick([null, 1, 2]),
      blockedBy: chance(0.2) ? [reference(pick(names))] : [],
      subIssues: chance(0.2) ? [reference(pick(names))] : []
    })

  const changePeople = (): void => {
    const name = pick(names)
    const id = IssueId(name)
    const roll = random()
    if (roll < 0.1) people.delete(id)
    else if (roll < 0.2) unreadable.add(id)
    else if (roll < 0.3) unreadable.clear()
    else people.set(id, issue(name))
  }

  const batch = (ids: ReadonlyArray<IssueId>, wanted: (issue: Issue.Issue) => boolean) => {
    const found = ids.flatMap((id) => people.get(id) ?? []).filter((one) => !unreadable.has(one.id) && wanted(one))
    return {
      issues: chance(0.05) ? [...found, ...found] : found,
      malformed: ids
        .filter((id) => unreadable.has(id))
        .map((id) => ({ source: id, id: chance(0.9) ? id : null, identifier: id, message: "not readable" }))
    }
  }

  const problem = (): TrackerProblem => {
    const limited = chance(0.3)
    return {
      tag: limited ? "TrackerRateLimited" : "TrackerTransportError",
      message: pick(["down", "busy"]),
      retryable: true,
      retryAtWallMs: limited && chance(0.5) ? at.wallTime + below(90_000) - 10_000 : null
    }
  }

  const runIds = (state: State): ReadonlyArray<RunId> => [
    ...HashMap.keys(state.live),
    ...[...HashMap.values(state.issues)].flatMap(({ lastRun }) => lastRun?.runId ?? []),
    RunId("nobody-1")
  ]

  const outcome = (): Outcome =>
    pick([
      Outcome.Succeeded({ summary: null }),
      Outcome.Succeeded({ summary: "done" }),
      Outcome.Failed({ reason: "broken" }),
      Outcome.Cancelled({ reason: "stopped" }),
      Outcome.Failed({ reason: "the runtime is gone", unavailable: true }),
      Outcome.UsageLimited({ untilMs: chance(0.5) ? null : at.wallTime + below(200_000), reason: "enough" })
    ])

  const usage = (): Usage.Usage => tokens(below(400), random())

  const answer = ({ command, startedAt }: Asked): Event | null => {
    const isWell = chance(0.8)
    switch (command._tag) {
      case "PollCandidates": {
        if (!isWell) return Event.CandidatesFailed({ problem: problem() })
        const active = batch([...people.keys()], ({ state }) => state === "Todo" || state === "In Progress")
        return Event.CandidatesPolled({ batch: active, startedAt, startedAtWall: at.wallTime })
      }
      case "ReadIssues": {
        const { ids, lane } = command
        if (!isWell) return Event.IssuesReadFailed({ lane, ids, problem: problem() })
        return Event.IssuesRead({ lane, ids, batch: batch(ids, () => true), startedAt })
      }
      case "PrepareWorkspace": {
        const { issue: subject, runId } = command.run
        const place = workspace(subject.id)
        return isWell
          ? Event.WorkspacePrepared({ runId, workspace: place, fingerprint: pick([null, "a", "b"]) })
          : Event.PreparationFailed({ runId, workspace: pick([null, place]), reason: "no disk", cancelled: false })
      }
      case "CancelPreparation":
        return Event.PreparationFailed({ runId: command.runId, workspace: null, reason: "cancelled", cancelled: true })
      case "LaunchRun": {
        const { runId } = command.run
        if (isWell) return Event.RunLaunched({ runId, session: null })
        const stopped = pick(["confirmed", "confirmed", "unconfirmed"] as const)
        return Event.LaunchFailed({ runId, reason: "no agent", unavailable: chance(0.3), stopped })
      }
      case "StopRun":
        return Event.StopSettled({ runId: command.runId, result: isWell ? "confirmed" : "unconfirmed" })
      case "FinishRun":
        return Event.RunClosed({ runId: command.run.runId, fingerprint: pick([null, "a", "b"]) })
      case "RemoveWorkspace": {
        const { issueId } = command.workspace
        if (isWell) return Event.WorkspaceRemoved({ issueId })
        return chance(0.5)
          ? Event.WorkspaceKept({ issueId, reason: "work in it" })
          : Event.RemovalFailed({ issueId, reason: "busy" })
      }
      case "AnswerTurn":
      case "WakeAt":
        return null
    }
  }

  const fromWorker = (state: State): Event => {
    const runId = pick(runIds(state))
    const turn = 1 + below(3)
    return pick([
      () => Event.Activity({ runId, summary: "working" }),
      () => Event.TurnStarted({ runId, turn }),
      () => Event.TurnCompleted({ runId, turn, summary: null }),
      () => Event.TurnAsked({ runId, turn }),
      () => Event.SessionUpdated({ runId, session: null, usage: usage() }),
      () => Event.RunFinished({ runId, outcome: outcome(), usage: usage() }),
      () => Event.RunFinished({ runId, outcome: outcome(), usage: usage() })
    ])()
  }

  const fromOperator = (): Event => {
    const issueId = IssueId(pick(names))
    return pick([
      () => Event.PolicyChanged({ policy: policy() }),
      () => Event.ConfigurationJudged({ problem: pick([null, "bad"]), closesGate: chance(0.5) }),
      () => Event.PollRequested(),
      () => Event.PauseRequested({ reason: "lunch" }),
      () => Event.ResumeRequested(),
      () => Event.ResumeRequested(),
      () => Event.HoldRequested({ issueId, note: "" }),
      () => Event.ReleaseRequested({ issueId }),
      () => Event.ReleaseRequested({ issueId }),
      () => Event.RuntimeUp(),
      () => Event.RuntimeUp(),
      () => Event.RuntimeDown({ reason: "no server" }),
      () => (chance(0.02) ? Event.DrainRequested() : Event.Tick())
    ])()
  }

  /** An event that nobody could send at this moment. */
  const foreign = (state: State): Event => {
    const runId = pick(runIds(state))
    const issueId = IssueId(pick(names))
    return pick([
      () => Event.WorkspacePrepared({ runId, workspace: workspace(issueId), fingerprint: null }),
      () => Event.PreparationFailed({ runId, workspace: null, reason: "late", cancelled: chance(0.5) }),
      () => Event.RunLaunched({ runId, session: null }),
      () => Event.LaunchFailed({ runId, reason: "late", unavailable: false, stopped: "confirmed" }),
      () => Event.StopSettled({ runId, result: "confirmed" }),
      () => Event.RunClosed({ runId, fingerprint: null }),
      () => Event.WorkspaceRemoved({ issueId }),
      () => Event.RemovalFailed({ issueId, reason: "late" }),
      () => Event.Started({ stored: { issues: [], fleet: null }, workspaces: [] })
    ])()
  }

  const projection = (name: string): IssueProjection => ({
    issueId: IssueId(name),
    identifier: name,
    counters: { ...noCounters, claims: 1, runs: 1, attempts: 1, failures: below(2) },
    usage: usage(),
    allowanceBase: Usage.zero,
    hold: null,
    retry: chance(0.5) ? { kind: "failure", dueAtWallMs: at.wallTime + below(60_000), reason: null } : null,
    liveRun: chance(0.5) ? RunId(`earlier-${name}`) : null,
    workspace: chance(0.5) ? workspace(name) : null
  })

  const eventOf = (state: State): Event => {
    if (!started && chance(0.5)) {
      started = true
      const recovered = { workspace: workspace("G"), interruptedRun: null }
      const stored = { issues: [projection("E"), projection("F")], fleet: null }
      return Event.Started({ stored, workspaces: chance(0.5) ? [recovered] : [] })
    }
    const roll = random()
    if (roll < 0.5 && asked.length > 0) {
      const index = below(asked.length)
      const found = asked[index] as Asked
      if (chance(0.95)) asked = asked.toSpliced(index, 1)
      return answer(found) ?? Event.Tick()
    }
    if (roll < 0.75) return fromWorker(state)
    if (roll < 0.9) return Event.Tick()
    return roll < 0.96 ? fromOperator() : foreign(state)
  }

  return {
    first: initial({ instance: "chaos", policy: policy() }),
    next: (state) => {
      if (chance(0.3)) changePeople()
      const passed = pick([0, 0, 1, 700, 2_000, 20_000])
      const jump = chance(0.01) ? below(200_000_000) - 100_000_000 : 0
      at = { now: at.now + passed, wallTime: at.wallTime + passed + jump }
      return { event: eventOf(state), at }
    },
    ask: (commands) => {
      for (const command of commands) asked.push({ command, startedAt: at.now })
    }
  }
}
