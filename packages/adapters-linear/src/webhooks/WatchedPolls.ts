/** Tells the webhooks when a poll found what no delivery announced, so that a webhook that went silent is noticed. */
import type { IssueId } from "@opensymphony/core/domain/Ids"
import type { IssueBatch, TrackerBackendService } from "@opensymphony/core/ports/TrackerBackend"
import * as Effect from "effect/Effect"
import type { LinearWebhooksService } from "./LinearWebhooks.ts"

/** When each candidate was last changed, as one poll saw it. */
type Seen = ReadonlyMap<IssueId, number | null>

const seenIn = ({ issues }: IssueBatch): Seen => new Map(issues.map(({ id, updatedAtMs }) => [id, updatedAtMs]))

const isSame = (self: Seen, that: Seen): boolean =>
  self.size === that.size && [...self].every(([id, updatedAtMs]) => that.has(id) && that.get(id) === updatedAtMs)

/** The tracker, with its polls watched. */
export const make = (
  tracker: TrackerBackendService,
  webhooks: Pick<LinearWebhooksService, "pollFoundChanges">
): TrackerBackendService => {
  let last: Seen | null = null
  return {
    ...tracker,
    candidateIssues: Effect.tap(tracker.candidateIssues, (batch) => {
      const seen = seenIn(batch)
      const isNews = last !== null && !isSame(last, seen)
      last = seen
      return isNews ? webhooks.pollFoundChanges : Effect.void
    })
  }
}
