import { assert, describe, it } from "@effect/vitest"
import { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type { TrackerBackendService } from "@opensymphony/core/ports/TrackerBackend"
import { Effect, Stream } from "effect"
import * as WokenTracker from "../../src/webhooks/WokenTracker.ts"

const issue = (id: string, state = "Todo") => Issue.make({ id: IssueId(id), identifier: id, title: id, state })

/** How many changes a tracker notices whose polls give these issues, one list after the other. */
const noticed = (...polls: ReadonlyArray<ReadonlyArray<Issue.Issue>>) =>
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
    const tracker = WokenTracker.make(inner, {
      wakes: Stream.make(undefined),
      pollFoundChanges: Effect.sync(() => void (count += 1))
    })
    yield* Effect.forEach(polls, () => tracker.candidateIssues)
    return { count, wakes: (yield* Stream.runCollect(tracker.changes)).length }
  })

describe("a woken tracker", () => {
  it.effect("counts a poll that shows something else than the one before", () =>
    Effect.gen(function* () {
      const [a, b] = [issue("A-1"), issue("A-2")]
      const counts = yield* Effect.forEach(
        [
          [[a, b]],
          [
            [a, b],
            [issue("A-2"), issue("A-1")]
          ],
          [[a], [a, b]],
          [[a, b], [a]],
          [[a], [b]],
          [[a], [issue("A-1", "Done")], [issue("A-1", "Done")]]
        ],
        (polls) => Effect.map(noticed(...polls), ({ count }) => count)
      )
      assert.deepStrictEqual(counts, [0, 0, 1, 1, 1, 1])
    })
  )

  it.effect("is woken by deliveries", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* noticed()).wakes, 1)
    })
  )
})
