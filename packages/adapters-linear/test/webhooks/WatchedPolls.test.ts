import { assert, describe, it } from "@effect/vitest"
import { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type { TrackerBackendService } from "@opensymphony/core/ports/TrackerBackend"
import { Effect, Stream } from "effect"
import * as WatchedPolls from "../../src/webhooks/WatchedPolls.ts"

const issue = (id: string, updatedAtMs = 0) =>
  Issue.make({ id: IssueId(id), identifier: id, title: id, state: "Todo", updatedAtMs })

/** How often news are reported when polls give these issues, one list after the other. */
const newsIn = (...polls: ReadonlyArray<ReadonlyArray<Issue.Issue>>) =>
  Effect.gen(function* () {
    let at = 0
    let count = 0
    const empty = Effect.succeed({ issues: [], malformed: [] })
    const inner: TrackerBackendService = {
      candidateIssues: Effect.sync(() => ({ issues: polls[at++] ?? [], malformed: [] })),
      terminalIssues: empty,
      issuesByIds: () => empty,
      changes: Stream.empty
    }
    const pollFoundChanges = Effect.sync(() => void (count += 1))
    const tracker = WatchedPolls.make(inner, { pollFoundChanges })
    yield* Effect.forEach(polls, () => tracker.candidateIssues)
    return count
  })

describe("watched polls", () => {
  it.effect("report a poll that shows something else than the one before", () =>
    Effect.gen(function* () {
      const [a, b] = [issue("A-1"), issue("A-2")]
      const counts = yield* Effect.all([
        newsIn([a, b]),
        newsIn([a, b], [issue("A-2"), issue("A-1")]),
        newsIn([a], [a, b]),
        newsIn([a, b], [a]),
        newsIn([a], [b]),
        newsIn([a], [issue("A-1", 1)], [issue("A-1", 1)])
      ])
      assert.deepStrictEqual(counts, [0, 0, 1, 1, 1, 1])
    })
  )
})
