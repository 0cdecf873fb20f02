/**
 * Rule 9: counters say what happened. A gate, a cancellation or a usage limit is no failure; a success resets failures,
 * a change of the issue failures and continuations, an operator's release everything; nothing else resets anything.
 */
import type { IssueId } from "../../../domain/Ids.ts"
import { isChanged } from "../../../domain/Issue.ts"
import type { Counters, IssueProjection } from "../../../domain/Journal.ts"
import * as Outcome from "../../../domain/Outcome.ts"
import type { RunPage } from "../books/RunBook.ts"
import type { Checker, Moment } from "../Checker.ts"

const usageLimitsThatFail = 5

/** Whether a run put back before its agent started: nothing of it counts. */
const wasPutBack = ({ launch, outcome, turns }: RunPage, reason: string): boolean =>
  turns === 0 && outcome?._tag === "Cancelled" && (launch === "none" || reason !== "")

/** What the end of a run makes of the counters; `unsure` fields are compared with nothing. */
const settled = (counters: Counters, run: RunPage, hasProgress: boolean): Counters => {
  const { outcome } = run
  if (outcome === null) return counters
  const { continuations, failures, runs, usageLimits } = counters
  const attempts = counters.attempts + 1
  if (outcome._tag === "Succeeded") {
    const idleContinuations = run.kind === "continuation" && !hasProgress ? counters.idleContinuations + 1 : 0
    return { ...counters, attempts, failures: 0, usageLimits: 0, idleContinuations, continuations }
  }
  if (outcome._tag === "UsageLimited") {
    return usageLimits + 1 >= usageLimitsThatFail
      ? { ...counters, attempts, usageLimits: 0, failures: failures + 1 }
      : { ...counters, usageLimits: usageLimits + 1, runs: Math.max(0, runs - 1) }
  }
  return Outcome.isFailure(outcome) ? { ...counters, attempts, failures: failures + 1, usageLimits: 0 } : counters
}

const changed = (counters: Counters): Counters => ({
  ...counters,
  failures: 0,
  continuations: 0,
  idleContinuations: 0,
  usageLimits: 0
})

export const make = (): Checker => {
  /** Pages and facts as they were before the step. */
  const check = (moment: Moment, before: Counters, projection: IssueProjection): string | null => {
    const { counters: after, issueId } = projection
    const { books, event, records } = moment
    const ended = endedRun(moment, issueId)
    const isReleased = event._tag === "ReleaseRequested" && event.issueId === issueId
    const isRead = event._tag === "CandidatesPolled" || event._tag === "IssuesRead"
    const claims = records.filter((record) => record._tag === "RunClaimed" && record.issueId === issueId).length
    const fact = books.facts.known.get(issueId)
    const worked =
      ended === null
        ? false
        : isProgress(ended) || (ended.issue !== null && fact !== undefined && isChanged(ended.issue, fact.issue))
    const expected = ended === null ? before : settled(before, ended, worked)
    const allowed: Array<Counters> = [expected]
    if (isReleased) allowed.push({ ...changed(expected), runs: 0 })
    if (isRead && (ended === null || ended.closed !== null)) allowed.push(changed(expected))
    const isOfCancelled = ended?.outcome?._tag === "Cancelled"
    const fits = (candidate: Counters): boolean => {
      if (after.failures !== candidate.failures || after.usageLimits !== candidate.usageLimits) return false
      if (after.idleContinuations !== candidate.idleContinuations) return false
      if (after.claims !== before.claims + claims) return false
      if (after.continuations !== candidate.continuations && after.continuations !== candidate.continuations + 1) return false
      const runs = candidate.runs + claims
      return after.runs === runs || (isOfCancelled && ended !== null && wasPutBack(ended, "") && after.runs === Math.max(0, runs - 1)) || (isOfCancelled && after.runs === Math.max(0, candidate.runs - 1) + claims)
    }
    if (allowed.some(fits)) return null
    return `counters go from ${render(before)} to ${render(after)} by ${event._tag}${ended === null ? "" : ` and the end of ${ended.runId} (${ended.outcome?._tag ?? "no outcome"})`}`
  }

  return {
    rule: 9,
    name: "HonestCounters",
    onRecord: (moment, record, report) => {
      if (record._tag !== "IssueSaved" || moment.event._tag === "Started") return
      const { projection } = record
      const page = moment.books.issues.pages.get(projection.issueId)
      if (page === undefined || page.counters === projection.counters) return
      const wrong = check(moment, page.counters, projection)
      if (wrong !== null) report(wrong, projection.issueId)
    }
  }
}

/** The run of this issue that was live before the step and is not any more. */
const endedRun = ({ after, before, books }: Moment, issueId: IssueId): RunPage | null => {
  const runId = liveRunOf(before, issueId)
  if (runId === null || liveRunOf(after, issueId) === runId) return null
  return books.runs.runs.get(runId) ?? null
}

const liveRunOf = (state: Moment["before"], issueId: IssueId) => {
  for (const [runId, id] of state.live) if (id === issueId) return runId
  return null
}

const isProgress = ({ closed, fingerprint }: RunPage): boolean =>
  closed !== null && closed.fingerprint !== null && fingerprint !== null && closed.fingerprint !== fingerprint

const render = ({ continuations, failures, idleContinuations, runs, usageLimits }: Counters): string =>
  `failures ${failures}, continuations ${continuations} (idle ${idleContinuations}), runs ${runs}, usage limits ${usageLimits}`
