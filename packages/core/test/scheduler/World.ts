/**
 * What the scheduler's tests share: `transition` with a clock in the hand and a tracker of a few issues. Reads are
 * answered as soon as they are asked for, unless the tracker is told to wait or to fail; everything else is played by
 * the test. The invariants are checked after every step.
 */
import * as HashMap from "effect/HashMap"
import type { Hold } from "../../src/domain/Hold.ts"
import { IssueId, type RunId, SessionId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { type JournalRecord, nothingStored, type StoredState } from "../../src/domain/Journal.ts"
import { Outcome } from "../../src/domain/Outcome.ts"
import * as Policy from "../../src/domain/Policy.ts"
import * as Usage from "../../src/domain/Usage.ts"
import type { RecoveredWorkspace, Workspace } from "../../src/domain/Workspace.ts"
import type { MalformedRecord } from "../../src/ports/TrackerBackend.ts"
import type { Command } from "../../src/scheduler/Command.ts"
import * as Decision from "../../src/scheduler/Decision.ts"
import * as Eligibility from "../../src/scheduler/Eligibility.ts"
import { Event, type TrackerProblem } from "../../src/scheduler/Event.ts"
import * as Snapshot from "../../src/scheduler/Snapshot.ts"
import { type Entry, initial, type Instant, type LiveRun, phaseOf, type State } from "../../src/scheduler/State.ts"
import { type Transition, transition } from "../../src/scheduler/Transition.ts"
import * as Invariants from "./Invariants.ts"

/** Noon of a day, UTC. */
export const noon = 1_767_268_800_000

export const id = (name: string): IssueId => IssueId(name)

export const issue = (name: string, fields: Partial<Issue.Issue> = {}): Issue.Issue =>
  Issue.make({ id: id(name), identifier: name, title: name, state: "Todo", ...fields })

export const reference = (name: string, state: string | null): Issue.IssueReference => ({
  id: id(name),
  identifier: name,
  state,
  note: null
})

export const workspace = (name: string): Workspace => ({
  issueId: id(name),
  identifier: name,
  key: name,
  path: `/workspaces/${name}`
})

export const tokens = (inputTokens: number, costUsd = 0): Usage.Usage => ({ ...Usage.zero, inputTokens, costUsd })

export const succeeded = Outcome.Succeeded({ summary: null })
export const failed = Outcome.Failed({ reason: "broken" })

export const down: TrackerProblem = {
  tag: "TrackerTransportError",
  message: "unreachable",
  retryable: true,
  retryAtWallMs: null
}

type CommandOf<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>
type RecordOf<Tag extends JournalRecord["_tag"]> = Extract<JournalRecord, { readonly _tag: Tag }>

export interface Options {
  readonly policy?: Partial<Policy.Policy>
  readonly issues?: ReadonlyArray<Issue.Issue>
  readonly stored?: StoredState
  readonly workspaces?: ReadonlyArray<RecoveredWorkspace>
  /** How the tracker behaves from the start; it answers unless told. */
  readonly tracker?: Tracker
}

/** `waits`: requests stay outstanding until they are answered. A problem: requests fail with it. */
type Tracker = "answers" | "waits" | TrackerProblem

export type World = ReturnType<typeof make>

/** Beyond these a scheduler goes round in circles. */
const mostAnswers = 1_000
const mostWakesInVain = 100

/** A scheduler that has been started; the first poll is answered unless the tracker is told otherwise before. */
export const make = (options: Options = {}) => {
  const issues = new Map<IssueId, Issue.Issue>((options.issues ?? []).map((one) => [one.id, one]))
  const malformed = new Map<IssueId, string>()
  const policy: Policy.Policy = { ...Policy.defaults, ...options.policy }
  let state: State = initial({ instance: "test", policy })
  let at: Instant = { now: 5_000, wallTime: noon }
  let tracker: Tracker = options.tracker ?? "answers"
  let wakeAt: number | null = null
  let open: Array<{ readonly command: Command; readonly startedAt: number }> = []
  const records: Array<JournalRecord> = []
  const requests: Array<Command> = []

  const step = (event: Event): Transition => {
    const before = state
    const result = transition(before, event, at)
    Invariants.check(before, event, result, at)
    state = result.state
    records.push(...result.records)
    for (const command of result.commands) {
      if (command._tag === "WakeAt") wakeAt = command.at
      else open.push({ command, startedAt: at.now })
      if (command._tag === "PollCandidates" || command._tag === "ReadIssues") requests.push(command)
    }
    return result
  }

  const malformedOf = (ids: Iterable<IssueId>): ReadonlyArray<MalformedRecord> =>
    [...ids].flatMap((one) => {
      const message = malformed.get(one)
      return message === undefined ? [] : [{ source: one, id: one, identifier: one, message }]
    })

  const visible = (ids: Iterable<IssueId>): ReadonlyArray<Issue.Issue> =>
    [...ids].flatMap((one) => {
      const found = issues.get(one)
      return found === undefined || malformed.has(one) ? [] : [found]
    })

  const answerTo = (command: Command, startedAt: number): Event | null => {
    if (command._tag === "PollCandidates") {
      if (typeof tracker === "object") return Event.CandidatesFailed({ problem: tracker })
      const active = visible(issues.keys()).filter((one) => Eligibility.isActive(one.state, state.policy))
      const batch = { issues: active, malformed: malformedOf(malformed.keys()) }
      return Event.CandidatesPolled({ batch, startedAt, startedAtWall: at.wallTime - (at.now - startedAt) })
    }
    if (command._tag === "ReadIssues") {
      const { ids, lane } = command
      if (typeof tracker === "object") return Event.IssuesReadFailed({ lane, ids, problem: tracker })
      return Event.IssuesRead({ lane, ids, batch: { issues: visible(ids), malformed: malformedOf(ids) }, startedAt })
    }
    return null
  }

  /** Answers what is asked of the tracker now, oldest first, until it asks no more. */
  const answer = (): void => {
    for (let answers = 0; ; answers++) {
      if (answers > mostAnswers) throw new Error("the tracker is asked again and again")
      const index = open.findIndex(({ command, startedAt }) => answerTo(command, startedAt) !== null)
      const found = open[index]
      if (found === undefined) return
      open = open.toSpliced(index, 1)
      const event = answerTo(found.command, found.startedAt)
      if (event !== null) step(event)
    }
  }

  const send = (event: Event): Transition => {
    const result = step(event)
    if (tracker !== "waits") answer()
    return result
  }

  /** Lets time pass; the scheduler is woken when it asked for it. */
  const pass = (ms: number): void => {
    const end = at.now + ms
    let wakesInVain = 0
    while (wakeAt !== null && wakeAt <= end) {
      const jump = Math.max(0, wakeAt - at.now)
      wakesInVain = jump > 0 ? 0 : wakesInVain + 1
      if (wakesInVain > mostWakesInVain) throw new Error(`woken again and again at ${wakeAt}`)
      at = { now: at.now + jump, wallTime: at.wallTime + jump }
      wakeAt = null
      send(Event.Tick())
    }
    at = { now: end, wallTime: at.wallTime + (end - at.now) }
  }

  const entryOrNull = (name: string): Entry | null => {
    const found = HashMap.get(state.issues, id(name))
    return found._tag === "Some" ? found.value : null
  }

  const entry = (name: string): Entry => {
    const found = entryOrNull(name)
    if (found === null) throw new Error(`${name} is not known`)
    return found
  }

  const run = (name: string): LiveRun => {
    const live = entry(name).run
    if (live === null) throw new Error(`${name} has no live run; ${JSON.stringify(phaseOf(entry(name)))}`)
    return live
  }

  /** The outstanding commands of a kind. */
  const asked = <Tag extends Command["_tag"]>(tag: Tag): ReadonlyArray<CommandOf<Tag>> =>
    open.map(({ command }) => command).filter((command): command is CommandOf<Tag> => command._tag === tag)

  /** Takes an outstanding command of a kind for a run, as a driver would that begins to carry it out. */
  const take = <Tag extends Command["_tag"]>(tag: Tag, runId?: RunId): CommandOf<Tag> => {
    const isIt = (command: Command): boolean =>
      command._tag === tag &&
      (runId === undefined ||
        ("runId" in command ? command.runId === runId : "run" in command && command.run.runId === runId))
    const index = open.findIndex(({ command }) => isIt(command))
    const found = open[index]
    if (found === undefined) throw new Error(`no ${tag} is outstanding, only ${open.map((o) => o.command._tag)}`)
    open = open.toSpliced(index, 1)
    return found.command as CommandOf<Tag>
  }

  const prepare = (name: string, fingerprint: string | null = "before"): RunId => {
    const { runId } = run(name)
    take("PrepareWorkspace", runId)
    send(Event.WorkspacePrepared({ runId, workspace: workspace(name), fingerprint }))
    return runId
  }

  const launch = (name: string): RunId => {
    const runId = prepare(name)
    take("LaunchRun", runId)
    send(Event.RunLaunched({ runId, session: SessionId(`session of ${name}`) }))
    send(Event.TurnStarted({ runId, turn: 1 }))
    return runId
  }

  const close = (runId: RunId, progress: boolean): void => {
    take("FinishRun", runId)
    send(Event.RunClosed({ runId, fingerprint: progress ? `after ${runId}` : "before" }))
  }

  interface End {
    readonly progress?: boolean
    readonly usage?: Usage.Usage
    readonly turns?: number
  }

  /** Ends a launched run and closes its workspace. */
  const end = (name: string, outcome: Outcome = succeeded, options: End = {}): void => {
    const { runId } = run(name)
    const turns = options.turns ?? (outcome._tag === "Succeeded" ? 1 : 0)
    if (turns > 0) send(Event.TurnCompleted({ runId, turn: turns, summary: null }))
    send(Event.RunFinished({ runId, outcome, usage: options.usage ?? Usage.zero }))
    close(runId, options.progress ?? true)
  }

  const records_ = <Tag extends JournalRecord["_tag"]>(tag: Tag): ReadonlyArray<RecordOf<Tag>> =>
    records.filter((record): record is RecordOf<Tag> => record._tag === tag)

  const world = {
    state: () => state,
    at: () => at,
    send,
    pass,
    /** Wakes the scheduler now, whatever it asked for. */
    wake: () => {
      wakeAt = null
      return send(Event.Tick())
    },
    /** Moves the wall clock alone. */
    shiftWall: (ms: number) => {
      at = { now: at.now, wallTime: at.wallTime + ms }
    },
    setTracker: (next: Tracker) => {
      tracker = next
    },
    answer,
    put: (one: Issue.Issue) => void issues.set(one.id, one),
    edit: (name: string, fields: Partial<Issue.Issue>) => {
      const before = issues.get(id(name))
      if (before === undefined) throw new Error(`${name} is not in the tracker`)
      issues.set(before.id, { ...before, ...fields })
    },
    move: (name: string, to: string) => world.edit(name, { state: to }),
    remove: (name: string) => void issues.delete(id(name)),
    setMalformed: (name: string, message: string | null) =>
      message === null ? void malformed.delete(id(name)) : void malformed.set(id(name), message),
    /** Has the tracker asked, a moment after whatever came before. */
    poll: () => {
      pass(1)
      send(Event.PollRequested())
    },
    setPolicy: (fields: Partial<Policy.Policy>) =>
      void send(Event.PolicyChanged({ policy: { ...state.policy, ...fields } })),
    entry,
    isKnown: (name: string): boolean => entryOrNull(name) !== null,
    run,
    hold: (name: string): Hold["_tag"] | null => entry(name).hold?._tag ?? null,
    counters: (name: string) => entry(name).counters,
    phase: (name: string) => phaseOf(entry(name)),
    phases: () => Object.fromEntries(Snapshot.make(state, at).issues.map((view) => [view.identifier, view.phase])),
    decision: (name: string) => Eligibility.decide(state, entry(name), at),
    reason: (name: string) => Decision.render(Eligibility.decide(state, entry(name), at)),
    retryInMs: (name: string): number | null => {
      const { retry } = entry(name)
      return retry === null ? null : retry.dueAt - at.now
    },
    snapshot: () => Snapshot.make(state, at),
    gates: () => Snapshot.make(state, at).gates.map(({ gate }) => gate),
    asked,
    take,
    records: records_,
    allRecords: () => records,
    forgetRecords: () => void records.splice(0),
    /** All that was asked of the tracker so far. */
    requests: () => requests,
    forgetRequests: () => void requests.splice(0),
    /** The issues that were claimed, in order. */
    claimed: () => records_("RunClaimed").map(({ identifier }) => identifier),
    prepare,
    launch,
    end,
    close,
    /** Waits for the retry of an issue, launches it and ends it. */
    again: (name: string, outcome: Outcome = succeeded, options: End = {}): void => {
      pass(Math.max(0, world.retryInMs(name) ?? 0))
      launch(name)
      end(name, outcome, options)
    }
  }

  send(Event.Started({ stored: options.stored ?? nothingStored, workspaces: options.workspaces ?? [] }))
  return world
}
