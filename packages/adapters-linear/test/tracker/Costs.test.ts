import { assert, describe, it } from "@effect/vitest"
import { IssueId } from "@opensymphony/core/domain/Ids"
import { Effect } from "effect"
import * as Scene from "./Scene.ts"

/** The table in docs/linear.md, "What it costs": change both together. */
const polls: ReadonlyArray<[candidates: number, requests: number, documented: number, observed: number]> = [
  [10, 1, 7_555, 88],
  [100, 2, 15_110, 176],
  [1_000, 20, 151_100, 1_760]
]

describe("what reading Linear costs", () => {
  it.live.each<(typeof polls)[number]>(polls)(
    "a poll of %i candidates: %i requests, %i or %i points",
    ([candidates, ...cost]) =>
      Effect.gen(function* () {
        const { linear, tracker } = yield* Scene.make()
        Scene.issues(linear, candidates)
        yield* tracker.candidateIssues
        linear.clearRequests()
        yield* tracker.candidateIssues
        const { complexity, requests } = linear.counters()
        assert.deepStrictEqual([requests, complexity.documented, complexity.observed], cost)
      }).pipe(Scene.quietly)
  )

  it.live.each<[issues: number, requests: number, documented: number, observed: number]>([
    [10, 1, 1_511, 88],
    [50, 1, 7_555, 88],
    [51, 2, 7_707, 176]
  ])("a read of %i issues by id: %i requests, %i or %i points", ([issues, ...cost]) =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const ids = Scene.issues(linear, issues).map((id) => IssueId(id))
      yield* tracker.issuesByIds(ids)
      linear.clearRequests()
      yield* tracker.issuesByIds(ids)
      const { complexity, requests } = linear.counters()
      assert.deepStrictEqual([requests, complexity.documented, complexity.observed], cost)
    }).pipe(Scene.quietly)
  )

  it.live("the start: two requests, 1,410 points", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      yield* tracker.issuesByIds([IssueId(linear.project.id)])
      const { byOperation, complexity } = linear.counters()
      assert.deepStrictEqual(byOperation, { ProjectProbe: 1, States: 1, IssuesByIds: 1 })
      assert.strictEqual(complexity.documented, 1_410 + 152)
    }).pipe(Scene.quietly)
  )

  it.live("one request more for up to eight issues with long lists", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const labels = Array.from({ length: 25 }, (_, index) => `Label ${index}`)
      for (const id of Scene.issues(linear, 9)) linear.editIssue(id, { labels })
      yield* tracker.candidateIssues
      linear.clearRequests()
      yield* tracker.candidateIssues
      assert.deepStrictEqual(linear.counters().byOperation, { Issues: 1, IssueLists: 2 })
    }).pipe(Scene.quietly)
  )
})
