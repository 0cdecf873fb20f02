/**
 * Rule 4: no eligible issue waits beside a free slot for longer than one poll plus one second without a reason that is
 * true at that instant; and no run takes a slot of which nothing is left.
 */
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import type { IssueId, RunId } from "../../../domain/Ids.ts"
import { stateKey } from "../../../domain/Issue.ts"
import * as Decision from "../../../scheduler/Decision.ts"
import { decide } from "../../../scheduler/Eligibility.ts"
import type { Checker, Moment, Report } from "../Checker.ts"
import { couldStartSince } from "../Waiting.ts"

const slackMs = 1_000

/** Whether the tracker really is being asked for what the start of this issue waits for, or cannot be asked. */
const isAsked = ({ after, at, books, truth }: Moment, id: IssueId): boolean => {
  if (at.now < books.gates.trackerRestsUntil()) return true
  const { demand } = truth.reads
  if (demand === null) return false
  return demand.has(id) || HashSet.has(after.demand.wanted, id)
}

const checkWaiting = (moment: Moment, id: IssueId, report: Report): void => {
  const since = couldStartSince(moment, id)
  const { after, at } = moment
  const boundMs = after.policy.pollIntervalMs + slackMs
  if (since === null || at.now - since <= boundMs) return
  const found = HashMap.get(after.issues, id)
  if (found._tag === "None") return report("an eligible issue was forgotten", id)
  const decision = decide(after, found.value, at)
  if (decision._tag === "AwaitingRead" && isAsked(moment, id)) return
  report(`waits for ${at.now - since} ms beside a free slot: ${Decision.render(decision)}`, id)
}

/** A read that was asked for a start has to lead to it while slots are free. */
const checkAnswered = (moment: Moment, report: Report): void => {
  const { after, at, books, event, records } = moment
  if (event._tag !== "IssuesRead" || event.lane !== "demand" || books.slots.closedUntil(at.now) === at.now) return
  for (const id of event.ids) {
    const since = couldStartSince(moment, id)
    const fact = books.facts.known.get(id)
    if (since === null || fact === undefined || since > event.startedAt || fact.readAt < event.startedAt) continue
    if (books.slots.stateFullUntil(stateKey(fact.issue.state), at.now) === at.now) continue
    const isClaimed = records.some((record) => record._tag === "RunClaimed" && record.issueId === id)
    const entry = HashMap.get(after.issues, id)
    if (!isClaimed && entry._tag === "Some" && entry.value.run === null) {
      report("was read once more for its start and does not start", id)
    }
  }
}

export const make = (): Checker => {
  /** Live runs of which nothing is left in the world, and since when. */
  const empty = new Map<RunId, number>()

  const isBusy = ({ after, truth }: Moment, runId: RunId, issueId: IssueId): boolean => {
    const body = truth.bodies.get(runId)
    if (body === undefined || body.isAlive || body.owed > 0 || truth.isStoreDown) return true
    const { demand } = truth.reads
    return demand !== null && (demand.has(issueId) || HashSet.has(after.demand.wanted, issueId))
  }

  const checkSlots = (moment: Moment, report: Report): void => {
    const { after, at, books } = moment
    for (const [runId, issueId] of after.live) {
      if (isBusy(moment, runId, issueId) || at.now < books.gates.trackerRestsUntil()) {
        empty.delete(runId)
        continue
      }
      const since = empty.get(runId) ?? at.now
      empty.set(runId, since)
      const boundMs = after.policy.stopTimeoutMs + after.policy.pollIntervalMs + slackMs
      if (at.now - since > boundMs && at.now - moment.truth.resumedAt > boundMs) {
        report(`${runId} takes a slot and nothing of it is left`, issueId)
      }
    }
  }

  return {
    rule: 4,
    name: "NoIdleSlots",
    onStep: (moment, report) => {
      const { after, at, books, event } = moment
      if (event._tag === "Started") empty.clear()
      checkAnswered(moment, report)
      if (event._tag !== "Tick") return
      checkSlots(moment, report)
      for (const runId of empty.keys()) if (HashMap.get(after.live, runId)._tag === "None") empty.delete(runId)
      if (books.slots.closedUntil(at.now) === at.now) return
      for (const id of books.facts.known.keys()) checkWaiting(moment, id, report)
    }
  }
}
