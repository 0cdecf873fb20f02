/** Whether the tracker knows an issue: what there is to say about one that has no workspace. */
import { IssueId } from "@opensymphony/core/domain/Ids"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { TrackerBackendService, TrackerError } from "@opensymphony/core/ports/TrackerBackend"
import * as Effect from "effect/Effect"

const named = (issues: ReadonlyArray<Issue>, wanted: string): Issue | undefined =>
  issues.find(({ id, identifier }) => identifier === wanted || id === wanted)

/** The issue with this identifier or id among those that the tracker lists; null when it lists none such. */
export const find = Effect.fnUntraced(function* (
  tracker: TrackerBackendService,
  wanted: string
): Effect.fn.Return<Issue | null, TrackerError> {
  const candidates = yield* tracker.candidateIssues
  const candidate = named(candidates.issues, wanted)
  if (candidate !== undefined) return candidate
  // Not every tracker can be asked for an identifier, and some refuse what is no id of theirs.
  const asked = yield* Effect.orElseSucceed(
    Effect.map(tracker.issuesByIds([IssueId(wanted)]), ({ issues }) => issues),
    () => []
  )
  return named(asked, wanted) ?? named((yield* tracker.terminalIssues).issues, wanted) ?? null
})
