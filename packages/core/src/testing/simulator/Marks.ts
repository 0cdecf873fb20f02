/**
 * Coverage marks: the branches of the scheduler that worlds have to reach, named by what can be seen of them from
 * outside (records, commands, decisions, arrows between phases). A long run in which one of them is missing has tested less than it
 * seems to.
 */
import * as HashMap from "effect/HashMap"
import type { IssueId } from "../../domain/Ids.ts"
import type { JournalRecord } from "../../domain/Journal.ts"
import * as Outcome from "../../domain/Outcome.ts"
import type { Command } from "../../scheduler/Command.ts"
import { stopWords } from "../../scheduler/Decision.ts"
import { decide } from "../../scheduler/Eligibility.ts"
import { type Entry, phaseOf } from "../../scheduler/State.ts"
import type { Moment } from "./Checker.ts"
import { concerned } from "./Concern.ts"

const stopReasons = Object.keys(stopWords)

/** The marks of each family. */
const families: { readonly [family: string]: string } = {
  command:
    "PollCandidates, ReadIssues demand, ReadIssues refresh, PrepareWorkspace, CancelPreparation, " +
    "LaunchRun, AnswerTurn Continue, AnswerTurn Stop, StopRun, FinishRun, RemoveWorkspace, WakeAt, WakeAt " +
    "never",
  record:
    "RunLaunched, TurnCompleted, Released, WorkspaceRemoved, WorkspaceKept, RemovalFailed, Forgotten, " +
    "TrackerFailed, TrackerRecovered, RecordUnreadable, IssueDropped, FleetSaved",
  outcome: "succeeded, failed, timed_out, stalled, cancelled, usage_limited",
  stop: "terminal, inactive, unroutable, gone, stalled, timed_out, over_limit, operator, shutdown",
  "put back": "gate, not_eligible",
  retry: "continuation, failure, gate",
  "hold placed": "Failures, IdleContinuations, Runs, Tokens, Cost, Operator, StopUnconfirmed",
  "hold lifted":
    "Failures by change, IdleContinuations by change, Failures by operator, IdleContinuations by " +
    "operator, Runs by operator, Tokens by operator, Cost by operator, Operator by operator, " +
    "StopUnconfirmed by operator, StopUnconfirmed by end, Runs by policy, Tokens by policy, Cost by " +
    "policy",
  "gate closed": "paused, draining, configuration, tracker, runtime_down, runtime_failing, usage_limit, daily_budget",
  "gate opened": "paused, configuration, tracker, runtime_down, runtime_failing, usage_limit, daily_budget",
  decision:
    "Dispatched, Unreadable, Gone, Terminal, Inactive, Unlisted, Undispatchable, MissingLabels, Blocked, " +
    "OpenSubIssues, Held, RemovingWorkspace, RetryNotDue, Gated, AwaitingRead, StateFull, Full",
  phase:
    "unclaimed>claimed, claimed>running, claimed>retry_queued, claimed>held, claimed>stopping, " +
    "stopping>unclaimed, stopping>claimed, running>retry_queued, running>released, running>held, " +
    "running>stopping, stopping>retry_queued, stopping>released, stopping>held, retry_queued>claimed, " +
    "retry_queued>released, retry_queued>held, held>unclaimed, held>claimed, held>released, " +
    "unclaimed>released, unclaimed>held, released>unclaimed, released>held, released>claimed",
  run:
    "handoff begins, handoff taken back, ends within its handoff, closes without an answer, trial, launch " +
    "unconfirmed, launch unavailable, turn unavailable, success after the stop was ordered, usage limits count as a failure",
  removal: "waits, kept, of a kept one tried again",
  restart: "with a queued run, with a live run, with a hold, with a pause, of an unknown workspace",
  reading: "slow lane, a second miss, an old answer, a broken record of a live issue",
  event: "ignored"
}

/** Everything that a long run has to reach. */
export const expected: ReadonlyArray<string> = Object.entries(families).flatMap(([family, names]) =>
  names.split(", ").map((name) => `${family}: ${name}`)
)

const everySteps = 32

export interface Marks {
  readonly note: (moment: Moment) => void
  readonly reached: () => ReadonlySet<string>
}

const commandMark = (command: Command): string =>
  command._tag === "ReadIssues"
    ? `command: ReadIssues ${command.lane}`
    : command._tag === "AnswerTurn"
      ? `command: AnswerTurn ${command.verdict._tag}`
      : command._tag === "WakeAt" && command.at === null
        ? "command: WakeAt never"
        : `command: ${command._tag}`

const liftedBy = { "an operator": "operator", "a change of the issue": "change", "a raised limit": "policy" } as const

const recordMarks = (record: JournalRecord): ReadonlyArray<string> => {
  switch (record._tag) {
    case "RunEnded":
      return [`outcome: ${Outcome.name(record.outcome)}`]
    case "StopOrdered": {
      const reason = stopReasons.find((key) => record.reason.startsWith(stopWords[key as keyof typeof stopWords]))
      return [`stop: ${reason ?? "unknown"}`]
    }
    case "RetryQueued":
      return [`retry: ${record.kind}`]
    case "HoldPlaced":
      return [`hold placed: ${record.hold._tag}`]
    case "HoldLifted":
      return [`hold lifted: ${record.hold._tag} by ${liftedBy[record.by as keyof typeof liftedBy] ?? "end"}`]
    case "GateClosed":
      return [`gate closed: ${record.gate}`]
    case "GateOpened":
      return [`gate opened: ${record.gate}`]
    default:
      return [`record: ${record._tag}`]
  }
}

/** What happened to one issue. */
const entryMarks = ({ event, records }: Moment, before: Entry | undefined, after: Entry | undefined): Array<string> => {
  const found: Array<string> = []
  const mark = (condition: boolean | undefined, name: string): void => {
    if (condition === true) found.push(name)
  }
  const was = before === undefined ? "unclaimed" : phaseOf(before)
  const is = after === undefined ? "released" : phaseOf(after)
  mark(was !== is, `phase: ${was}>${is}`)
  const run = before?.run ?? null
  const now = after?.run ?? null
  const isSameRun = run !== null && now !== null && run.runId === now.runId
  mark(isSameRun && run.handoff === null && now.handoff !== null, "run: handoff begins")
  mark(isSameRun && run.handoff !== null && now.handoff === null && now.stop === null, "run: handoff taken back")
  mark(run?.handoff != null && event._tag === "RunFinished", "run: ends within its handoff")
  const isAnswer = event._tag === "IssuesRead" || event._tag === "CandidatesPolled"
  mark(run?.closing != null && now === null && !isAnswer, "run: closes without an answer")
  mark(isSameRun && run.stop === null && now.stop?.reason === "gate", "put back: gate")
  mark(isSameRun && run.stop === null && now.stop?.reason === "not_eligible", "put back: not_eligible")
  mark(run !== null && event._tag === "LaunchFailed" && event.stopped === "unconfirmed", "run: launch unconfirmed")
  mark(run !== null && event._tag === "LaunchFailed" && event.unavailable, "run: launch unavailable")
  mark(
    event._tag === "RunFinished" && event.outcome._tag === "Failed" && event.outcome.unavailable === true,
    "run: turn unavailable"
  )
  mark(
    run?.stop != null && records.some((record) => record._tag === "RunEnded" && record.outcome._tag === "Succeeded"),
    "run: success after the stop was ordered"
  )
  const limited = before?.counters.usageLimits ?? 0
  mark(
    limited >= 4 && (after?.counters.failures ?? 0) > (before?.counters.failures ?? 0),
    "run: usage limits count as a failure"
  )
  mark(after?.removal?._tag === "Waiting", "removal: waits")
  mark(after?.removal?._tag === "Kept", "removal: kept")
  mark(after !== undefined && after.misses === 2 && before?.misses === 1, "reading: a second miss")
  mark(now !== null && after?.unreadable != null, "reading: a broken record of a live issue")
  return found
}

export const make = (): Marks => {
  const reached = new Set<string>()
  let steps = 0

  const noteRestart = ({ event }: Moment): void => {
    if (event._tag !== "Started") return
    const known = new Set<IssueId>()
    for (const { hold, issueId, liveRun, retry } of event.stored.issues) {
      known.add(issueId)
      if (retry !== null) reached.add("restart: with a queued run")
      if (liveRun !== null) reached.add("restart: with a live run")
      if (hold !== null) reached.add("restart: with a hold")
    }
    if (event.stored.fleet?.paused != null) reached.add("restart: with a pause")
    if (event.workspaces.some(({ workspace }) => !known.has(workspace.issueId))) {
      reached.add("restart: of an unknown workspace")
    }
  }

  const noteCommand = ({ after, before }: Moment, command: Command): void => {
    reached.add(commandMark(command))
    if (command._tag === "RemoveWorkspace") {
      const was = HashMap.get(before.issues, command.issue.id)
      if (was._tag === "Some" && was.value.removal?._tag === "Kept") reached.add("removal: of a kept one tried again")
    } else if (command._tag === "ReadIssues" && command.lane === "refresh") {
      const isParked = ({ hold, listed, retry, run, workspace }: Entry): boolean =>
        workspace !== null && !listed && run === null && retry === null && hold === null
      for (const id of command.ids) {
        const found = HashMap.get(after.issues, id)
        if (found._tag === "Some" && isParked(found.value)) reached.add("reading: slow lane")
      }
    }
  }

  const noteAnswer = ({ before, event }: Moment): void => {
    if (event._tag !== "IssuesRead") return
    for (const { id } of event.batch.issues) {
      const found = HashMap.get(before.issues, id)
      if (found._tag === "Some" && found.value.readAt > event.startedAt) reached.add("reading: an old answer")
    }
  }

  return {
    reached: () => reached,
    note: (moment) => {
      const { after, at, before, commands, event, records, truth } = moment
      for (const record of records) for (const mark of recordMarks(record)) reached.add(mark)
      for (const command of commands) noteCommand(moment, command)
      noteRestart(moment)
      noteAnswer(moment)
      const ids = new Set(concerned(moment, truth))
      if (event._tag === "IssuesRead" || event._tag === "CandidatesPolled") {
        for (const id of HashMap.values(after.live)) ids.add(id)
      }
      for (const id of ids) {
        const was = HashMap.get(before.issues, id)
        const is = HashMap.get(after.issues, id)
        const from = was._tag === "Some" ? was.value : undefined
        const to = is._tag === "Some" ? is.value : undefined
        if (from === to) continue
        for (const mark of entryMarks(moment, from, to)) reached.add(mark)
        if (to?.removal?._tag === "Removing") reached.add(`decision: ${decide(after, to, at)._tag}`)
      }
      if (after.ignoredEvents !== before.ignoredEvents) reached.add("event: ignored")
      if (after.gates.failing?.trial != null) reached.add("run: trial")
      if (++steps % everySteps !== 0) return
      for (const entry of HashMap.values(after.issues)) reached.add(`decision: ${decide(after, entry, at)._tag}`)
    }
  }
}

/** The expected marks that were reached. */
export const count = (reached: ReadonlySet<string>): number => expected.filter((mark) => reached.has(mark)).length
