/** A tracker whose polls webhooks wake, and which notices when they stay away although there is news. */
import type { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type { IssueBatch, TrackerBackendService } from "@opensymphony/core/ports/TrackerBackend"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { LinearWebhooksService } from "./LinearWebhooks.ts"

type Board = ReadonlyMap<IssueId, Issue.Issue>

const boardOf = ({ issues }: IssueBatch): Board => new Map(issues.map((issue) => [issue.id, issue]))

const isSame = (self: Board, that: Board): boolean =>
  self.size === that.size &&
  [...self].every(([id, issue]) => {
    const other = that.get(id)
    return other !== undefined && Issue.isSame(issue, other)
  })

/** The same tracker; its candidates are compared from poll to poll. */
export const make = (tracker: TrackerBackendService, webhooks: LinearWebhooksService): TrackerBackendService => {
  let last: Board | null = null
  const noticed = (batch: IssueBatch) =>
    Effect.suspend(() => {
      const board = boardOf(batch)
      const isNews = last !== null && !isSame(last, board)
      last = board
      return isNews ? webhooks.pollFoundChanges : Effect.void
    })
  return {
    ...tracker,
    candidateIssues: Effect.tap(tracker.candidateIssues, noticed),
    changes: Stream.merge(tracker.changes, webhooks.wakes)
  }
}
