/**
 * Rule 9: counters say what happened. A gate, a cancellation or a usage limit is no failure; a success resets failures,
 * a change of the issue failures and continuations, an operator's release everything; nothing else resets anything.
 */
import type { IssueId } from "../../../domain/Ids.ts"
import { type Issue, isChanged } from "../../../domain/Issue.ts"
import type { Counters } from "../../../domain/Journal.ts"
import * as Outcome from "../../../domain/Outcome.ts"
import type { State } from "../../../scheduler/State.ts"
import type { RunPage } from "../books/RunBook.ts"
import type { Checker, Moment } from "../Checker.ts"

const excusesThatFail = 5

const hasProgress = (run: RunPage, issue: Issue | undefined): boolean => {
  const { closed, fingerprint } = run
  const didWork =
    closed !== null && closed.fingerprint !== null && fingerprint !== null && closed.fingerprint !== fingerprint
  return didWork || (run.issue !== null && issue !== undefined && isChanged(run.issue, issue))
}

/** What the end of a run makes of the counters. */
const afterRun = (counters: Counters, run: RunPage, issue: Issue | undefined): Counters => {
  const { outcome } = run
  const { failures, idleContinuations, runs, usageLimits } = counters
  const attempts = counters.attempts + 1
  if (outcome === null) return counters
  if (run.wasPutBack) return { ...counters, runs: Math.max(0, runs - 1) }
  if (outcome._tag === "Succeeded") {
    const idle = run.kind === "continuation" ? idleContinuations + 1 : idleContinuations
    const idleNow = hasProgress(run, issue) ? 0 : idle
    return { ...counters, attempts, failures: 0, usageLimits: 0, idleContinuations: idleNow }
  }
  if (Outcome.isExcused(outcome)) {
    return usageLimits + 1 >= excusesThatFail
      ? { ...counters, attempts, usageLimits: 0, failures: failures + 1 }
      : { ...counters, usageLimits: usageLimits + 1, runs: Math.max(0, runs - 1) }
  }
  return Outcome.isFailure(outcome)
    ? { ...counters, attempts, failures: failures + 1, usageLimits: 0 }
    : { ...counters, attempts }
}

const afterChange = (counters: Counters): Counters => ({
  ...counters,
  failures: 0,
  continuations: 0,
  idleContinuations: 0,
  usageLimits: 0
})

const isEqual = (self: Counters, that: Counters): boolean =>
  self.failures === that.failures &&
  self.continuations === that.continuations &&
  self.idleContinuations === that.idleContinuations &&
  self.runs === that.runs &&
  self.usageLimits === that.usageLimits &&
  self.attempts === that.attempts &&
  self.claims === that.claims

const liveRunOf = (state: State, issueId: IssueId) => {
  for (const [runId, id] of state.live) if (id === issueId) return runId
  return null
}

/** The run of this issue that was live before the step and is not any more. */
const endedRun = ({ after, before, books }: Moment, issueId: IssueId): RunPage | null => {
  const runId = liveRunOf(before, issueId)
  if (runId === null || liveRunOf(after, issueId) === runId) return null
  return books.runs.runs.get(runId) ?? null
}

/** All that the counters of an issue may be after this step. */
const allowed = (moment: Moment, before: Counters, issueId: IssueId): ReadonlyArray<Counters> => {
  const { books, event, records } = moment
  const isOurs = (tag: string) =>
    records.some((record) => record._tag === tag && "issueId" in record && record.issueId === issueId)
  const isContinued = records.some(
    (record) => record._tag === "RetryQueued" && record.issueId === issueId && record.kind === "continuation"
  )
  const ended = endedRun(moment, issueId)
  const issue = books.facts.known.get(issueId)?.issue
  const settled = ended === null ? before : afterRun(before, ended, issue)
  const bases = [settled]
  if (event._tag === "ReleaseRequested" && event.issueId === issueId) bases.push({ ...afterChange(settled), runs: 0 })
  const isRead = event._tag === "CandidatesPolled" || event._tag === "IssuesRead"
  if (isRead && ended === null) bases.push(afterChange(settled))
  const claims = isOurs("RunClaimed") ? 1 : 0
  return bases.flatMap((base) => {
    const claimed = { ...base, runs: base.runs + claims, claims: base.claims + claims }
    const { continuations } = claimed
    return isContinued ? [claimed, { ...claimed, continuations: continuations + 1 }] : [claimed]
  })
}

const render = ({ continuations, failures, idleContinuations, runs, usageLimits }: Counters): string =>
  `failures ${failures}, continuations ${continuations} (idle ${idleContinuations}), runs ${runs}, usage limits ${usageLimits}`

export const make = (): Checker => ({
  rule: 9,
  name: "HonestCounters",
  onRecord: (moment, record, report) => {
    if (record._tag !== "IssueSaved" || moment.event._tag === "Started") return
    const { counters, issueId } = record.projection
    const page = moment.books.issues.pages.get(issueId)
    if (page === undefined || page.counters === counters) return
    if (allowed(moment, page.counters, issueId).some((candidate) => isEqual(candidate, counters))) return
    const ended = endedRun(moment, issueId)
    const end = ended === null ? "" : ` and the end of ${ended.runId} (${ended.outcome?._tag ?? "no outcome"})`
    report(`${render(page.counters)} become ${render(counters)} by ${moment.event._tag}${end}`, issueId)
  }
})
