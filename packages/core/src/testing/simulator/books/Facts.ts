/**
 * What the scheduler was told about issues: kept beside it, from the same answers of the tracker, by the rule that the
 * read that began last is right. Checkers judge by it whether an issue could start, "as far as known".
 */
import type { IssueId } from "../../../domain/Ids.ts"
import { type Issue, isSame, type IssueReference, stateKey } from "../../../domain/Issue.ts"
import type { Policy } from "../../../domain/Policy.ts"
import type { IssueBatch } from "../../../ports/TrackerBackend.ts"
import type { Event } from "../../../scheduler/Event.ts"

export interface Fact {
  issue: Issue
  /** When the newest read that showed it began. */
  readAt: number
  /** The last poll that listed it, by number. */
  poll: number
  /** Reads in a row that did not return it. */
  misses: number
  unreadable: boolean
  /** A read that began before the newest one could not read it. */
  isAmbiguous: boolean
  /** Nothing was left to do about it, so that only a poll brings it back. */
  isForgotten: boolean
  /** When anything of this changed. */
  changedAt: number
}

/** `unsure`: what is known allows either. */
export type Verdict = "fit" | "unfit" | "unsure"

export interface Facts {
  readonly known: ReadonlyMap<IssueId, Fact>
  /** When the last answered poll began. */
  readonly pollAt: () => number
  readonly isListed: (fact: Fact) => boolean
  readonly note: (event: Event, now: number) => void
  readonly forget: (id: IssueId) => void
  /** Whether the tracker's facts let the issue start under this policy. */
  readonly verdict: (id: IssueId, policy: Policy) => Verdict
  /** When what decides about this issue last changed: itself, its blockers, its sub-issues; infinity when that is unclear. */
  readonly settledSince: (fact: Fact, policy: Policy) => number
}

export const isTerminal = (state: string, policy: Policy): boolean => policy.terminalStates.includes(stateKey(state))

export const isActive = (state: string, policy: Policy): boolean =>
  policy.activeStates.includes(stateKey(state)) && !isTerminal(state, policy)

export const make = (): Facts => {
  const known = new Map<IssueId, Fact>()
  let polls = 0
  let pollAt = Number.NEGATIVE_INFINITY

  const see = (issue: Issue, startedAt: number, now: number, poll: number): void => {
    const fact = known.get(issue.id)
    if (fact === undefined) {
      known.set(issue.id, {
        issue,
        readAt: startedAt,
        poll,
        misses: 0,
        unreadable: false,
        isAmbiguous: false,
        isForgotten: false,
        changedAt: now
      })
      return
    }
    if (fact.isForgotten && poll === 0) return
    if (poll > fact.poll) {
      fact.isForgotten = false
      if (poll > fact.poll + 1) fact.changedAt = now
      fact.poll = poll
    }
    if (startedAt < fact.readAt) return
    if (fact.misses > 0 || fact.unreadable || fact.isAmbiguous || !isSame(fact.issue, issue)) {
      fact.changedAt = now
      fact.misses = 0
      fact.unreadable = false
      fact.isAmbiguous = false
    }
    fact.issue = issue
    fact.readAt = startedAt
  }

  /** A record that cannot be read outweighs a good one of the same issue, but for the candidates of a poll. */
  const takeBatch = (batch: IssueBatch, startedAt: number, now: number, poll: number): Set<IssueId> => {
    const seen = new Set<IssueId>()
    if (poll === 0) for (const { id } of batch.malformed) if (id !== null) seen.add(id)
    for (const issue of batch.issues) {
      if (seen.has(issue.id)) continue
      seen.add(issue.id)
      see(issue, startedAt, now, poll)
    }
    for (const { id } of batch.malformed) {
      const fact = id === null ? undefined : known.get(id)
      if (fact === undefined) continue
      seen.add(fact.issue.id)
      fact.changedAt = now
      if (startedAt < fact.readAt) fact.isAmbiguous = true
      else {
        fact.unreadable = true
        fact.misses = 0
      }
    }
    return seen
  }

  const note = (event: Event, now: number): void => {
    switch (event._tag) {
      case "Started":
        known.clear()
        pollAt = Number.NEGATIVE_INFINITY
        return
      case "CandidatesPolled":
        polls++
        pollAt = event.startedAt
        takeBatch(event.batch, event.startedAt, now, polls)
        return
      case "IssuesRead": {
        const seen = takeBatch(event.batch, event.startedAt, now, 0)
        for (const id of event.ids) {
          const fact = seen.has(id) ? undefined : known.get(id)
          if (fact === undefined || event.startedAt < fact.readAt) continue
          fact.misses++
          fact.changedAt = now
        }
      }
    }
  }

  const closure = (reference: IssueReference, owner: Fact, policy: Policy): "closed" | "open" | "unsure" => {
    const ofCopy = reference.state !== null && isTerminal(reference.state, policy) ? "closed" : "open"
    const fact = known.get(reference.id)
    if (fact === undefined || fact.misses >= 2 || fact.isForgotten) return ofCopy
    const ofFact = isTerminal(fact.issue.state, policy) ? "closed" : "open"
    if (ofFact === ofCopy) return ofCopy
    if (fact.misses > 0 || fact.unreadable || fact.isAmbiguous || fact.readAt === owner.readAt) return "unsure"
    return fact.readAt > owner.readAt ? ofFact : ofCopy
  }

  const verdict = (id: IssueId, policy: Policy): Verdict => {
    const fact = known.get(id)
    if (fact === undefined) return "unsure"
    const { issue } = fact
    if (fact.misses >= 2 || !isActive(issue.state, policy) || !issue.dispatchable) return "unfit"
    if (policy.requiredLabels.some((label) => !issue.labels.includes(label))) return "unfit"
    let result: Verdict = fact.misses > 0 || fact.isAmbiguous ? "unsure" : fact.unreadable ? "unfit" : "fit"
    for (const references of [issue.blockedBy, issue.subIssues]) {
      for (const reference of references) {
        const state = closure(reference, fact, policy)
        if (state === "open") return "unfit"
        if (state === "unsure") result = "unsure"
      }
    }
    return result
  }

  const settledSince = (fact: Fact, policy: Policy): number => {
    let since = fact.changedAt
    for (const references of [fact.issue.blockedBy, fact.issue.subIssues]) {
      for (const { id, state } of references) {
        const other = known.get(id)
        if (other === undefined) continue
        // Copy and original disagree: which of them counts may have changed with any read.
        const isClosed = state !== null && isTerminal(state, policy)
        if (isClosed !== isTerminal(other.issue.state, policy)) return Number.POSITIVE_INFINITY
        since = Math.max(since, other.changedAt)
      }
    }
    return since
  }

  return {
    known,
    pollAt: () => pollAt,
    isListed: (fact) => fact.poll === polls && polls > 0,
    note,
    forget: (id) => {
      const fact = known.get(id)
      if (fact !== undefined) fact.isForgotten = true
    },
    verdict,
    settledSince
  }
}
