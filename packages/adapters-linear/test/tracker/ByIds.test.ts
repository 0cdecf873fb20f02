import { assert, describe, it } from "@effect/vitest"
import { IssueId } from "@opensymphony/core/domain/Ids"
import { Effect } from "effect"
import * as Meddler from "./Meddler.ts"
import * as Scene from "./Scene.ts"

/** What a read by id says of one issue. */
const outcome = Effect.fnUntraced(function* ({ tracker }: Scene.Scene, id: string) {
  const { issues, malformed } = yield* tracker.issuesByIds([IssueId(id)])
  const [issue] = issues
  if (issue === undefined) return malformed.length > 0 ? "malformed" : "absent"
  return issue.dispatchable ? "fine" : issue.notDispatchableReason
})

describe("issues by id of the Linear tracker", () => {
  it.live("are read with one request for every fifty", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const ids = Scene.issues(linear, 120).map((id) => IssueId(id))
      yield* tracker.issuesByIds(ids.slice(0, 1))
      linear.clearRequests()
      const { issues } = yield* tracker.issuesByIds(ids)
      assert.deepStrictEqual(new Set(issues.map(({ id }) => id)), new Set(ids))
      assert.lengthOf(linear.requests(), 3)
    }).pipe(Scene.quietly)
  )

  it.live("cost no request when none are asked for", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      assert.deepStrictEqual(yield* tracker.issuesByIds([]), { issues: [], malformed: [] })
      assert.lengthOf(linear.requests(), 0)
    }).pipe(Scene.quietly)
  )

  it.live("tell archived, deleted, moved to another project, without project, and gone apart", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make()
      const { linear } = scene
      const other = linear.createProject({ name: "Other" }).slugId
      const [fine = "", archived = "", trashed = "", moved = "", without = "", gone = ""] = Scene.issues(linear, 6)
      linear.archiveIssue(archived)
      linear.trashIssue(trashed)
      linear.moveToProject(moved, other)
      linear.moveToProject(without, null)
      linear.deleteIssue(gone)
      assert.strictEqual(yield* outcome(scene, fine), "fine")
      assert.strictEqual(yield* outcome(scene, archived), "it is archived")
      assert.strictEqual(yield* outcome(scene, trashed), "it was deleted: it is in Linear's trash")
      assert.strictEqual(yield* outcome(scene, moved), "it is in the project Other now, not in Symphony")
      assert.strictEqual(yield* outcome(scene, without), "it belongs to no project now, not in Symphony")
      assert.strictEqual(yield* outcome(scene, gone), "absent")
    }).pipe(Scene.quietly)
  )

  it.live("keep their id when the team, and with it the identifier, changes", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make({ teams: [{ key: "ENG" }, { key: "OPS" }] })
      const [id = ""] = Scene.issues(linear, 1)
      linear.moveToTeam(id, "OPS")
      const { issues } = yield* tracker.issuesByIds([IssueId(id)])
      assert.deepStrictEqual(
        issues.map((issue) => [issue.id, issue.identifier, issue.dispatchable]),
        [[IssueId(id), "OPS-1", true]]
      )
      const candidates = yield* tracker.candidateIssues
      assert.deepStrictEqual(
        candidates.issues.map((issue) => [issue.id, issue.identifier]),
        [[IssueId(id), "OPS-1"]]
      )
    }).pipe(Scene.quietly)
  )

  it.live("of another tracker are not asked for: Linear would refuse the others with them", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const [id = ""] = Scene.issues(linear, 1)
      const { issues } = yield* tracker.issuesByIds([IssueId("GARDEN-3"), IssueId(id), IssueId("")])
      assert.deepStrictEqual(
        issues.map((issue) => issue.id),
        [IssueId(id)]
      )
      linear.clearRequests()
      assert.deepStrictEqual(yield* tracker.issuesByIds([IssueId("GARDEN-3")]), { issues: [], malformed: [] })
      assert.lengthOf(linear.requests(), 0)
    }).pipe(Scene.quietly)
  )

  it.live("are unreadable, not unfit to run, when their lists cannot be read to the end", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make()
      const { linear } = scene
      const labels = Array.from({ length: 25 }, (_, index) => `label ${index}`)
      const { id } = linear.createIssue({ title: "Big", state: "Todo", project: linear.project.slugId, labels })
      const lost = linear.addFault({ fault: { kind: "forbidden" }, operation: "IssueLists" })
      assert.strictEqual(yield* outcome(scene, id), "malformed")
      linear.removeFault(lost)
      assert.strictEqual(yield* outcome(scene, id), "fine")
    }).pipe(Scene.quietly)
  )

  it.live("are seen to be finished, moved or archived without their lists", () =>
    Effect.gen(function* () {
      const scene = yield* Scene.make()
      const { linear, tracker } = scene
      const labels = Array.from({ length: 25 }, (_, index) => `label ${index}`)
      const { id } = linear.createIssue({ title: "Big", state: "Done", project: linear.project.slugId, labels })
      linear.addFault({ fault: { kind: "forbidden" }, operation: "IssueLists" })
      const { issues } = yield* tracker.issuesByIds([IssueId(id)])
      assert.deepStrictEqual(
        issues.map(({ state }) => state),
        ["Done"]
      )
      linear.moveIssue(id, "Todo")
      linear.archiveIssue(id)
      assert.strictEqual(yield* outcome(scene, id), "it is archived")
    }).pipe(Scene.quietly)
  )

  it.live("are unreadable, not gone, where Linear has an error in their place", () =>
    Effect.gen(function* () {
      const { linear } = yield* Scene.make()
      const ids = Scene.issues(linear, 3).map((id) => IssueId(id))
      const endpoint = yield* Meddler.make(linear, (body) => {
        body.data.issues.nodes[1] = null
        body.errors = [{ message: "Oops", path: ["issues", "nodes", 1] }]
      })
      const { tracker } = yield* Scene.on(linear, endpoint)
      const { issues, malformed } = yield* tracker.issuesByIds(ids)
      assert.deepStrictEqual([issues.length, malformed.length], [2, 1])
      assert.deepStrictEqual(new Set([...issues, ...malformed].map(({ id }) => id)), new Set(ids))
    }).pipe(Scene.quietly)
  )
})
