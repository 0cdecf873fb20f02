/** Since when an issue could have started: the question behind the rules about slots that stay free and late retries. */
import type { IssueId } from "../../domain/Ids.ts"
import { stateKey } from "../../domain/Issue.ts"
import type { Moment } from "./Checker.ts"

/**
 * The instant since which nothing stood in the way of this issue, by the process's monotonic clock; null when something
 * stands, or may stand, in its way now. A read that its start needs is no obstacle: who waits has to ask for it.
 */
export const couldStartSince = (
  { after, at, books, truth }: Pick<Moment, "after" | "at" | "books" | "truth">,
  id: IssueId
): number | null => {
  const fact = books.facts.known.get(id)
  if (fact === undefined || truth.removals.has(id)) return null
  const page = books.issues.pages.get(id)
  const retry = page?.retry ?? null
  if (page !== undefined && (page.hold !== null || page.liveRun !== null)) return null
  if (retry === null ? !books.facts.isListed(fact) : retry.dueAt > at.now) return null
  if (books.facts.verdict(id, after.policy) !== "fit") return null
  return Math.max(
    books.facts.settledSince(fact, after.policy),
    page?.changedAt ?? Number.NEGATIVE_INFINITY,
    retry?.dueAt ?? Number.NEGATIVE_INFINITY,
    books.slots.closedUntil(at.now),
    books.slots.stateFullUntil(stateKey(fact.issue.state), at.now),
    Math.min(at.now, books.gates.trackerRestsUntil()),
    truth.isStoreDown ? at.now : truth.resumedAt
  )
}
