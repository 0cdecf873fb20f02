import { assert, describe, it } from "@effect/vitest"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { IssueBatch } from "@opensymphony/core/ports/TrackerBackend"
import { IssueId } from "@opensymphony/core/domain/Ids"
import { Effect } from "effect"
import type { LinearApiService } from "../../src/LinearApi.ts"
import { LinearTooComplex } from "../../src/LinearError.ts"
import * as LinearTracker from "../../src/LinearTracker.ts"
import * as Scene from "./Scene.ts"

const only = ({ issues }: IssueBatch): Issue => {
  const [issue] = issues
  if (issue === undefined || issues.length > 1) throw new Error(`${issues.length} issues`)
  return issue
}

const named = ({ issues }: IssueBatch, identifier: string): Issue => {
  const issue = issues.find((one) => one.identifier === identifier)
  if (issue === undefined) throw new Error(`no ${identifier}`)
  return issue
}

const identifiers = (references: Issue["blockedBy"]) => references.map(({ identifier }) => identifier).sort()

describe("candidates of the Linear tracker", () => {
  it.live("are read with one request for every fifty, and nothing else", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      Scene.issues(linear, 120)
      yield* tracker.candidateIssues
      linear.clearRequests()
      const { issues } = yield* tracker.candidateIssues
      assert.lengthOf(new Set(issues.map(({ id }) => id)), 120)
      assert.lengthOf(linear.requests(), 3)
      assert.deepStrictEqual(linear.unimplemented(), [])
    }).pipe(Scene.quietly)
  )

  it.live("come in one order over all pages, the newest first", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const created = Scene.issues(linear, 120)
      const { issues } = yield* tracker.candidateIssues
      assert.deepStrictEqual(
        issues.map(({ id }) => String(id)),
        created.toReversed()
      )
    }).pipe(Scene.quietly)
  )

  it.live("are those of the project, in every team, and of no other", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make({ teams: [{ key: "ENG" }, { key: "OPS" }] })
      const project = linear.project.slugId
      const other = linear.createProject({ name: "Other" }).slugId
      for (const team of ["ENG", "OPS"]) linear.createIssue({ title: team, team, state: "Todo", project })
      linear.createIssue({ title: "Elsewhere", state: "Todo", project: other })
      linear.createIssue({ title: "Nowhere", state: "Todo" })
      const { issues } = yield* tracker.candidateIssues
      assert.deepStrictEqual(issues.map(({ title }) => title).sort(), ["ENG", "OPS"])
      assert.deepStrictEqual(issues.map(({ nativeRef }) => nativeRef).sort(), ["ENG", "OPS"])
    }).pipe(Scene.quietly)
  )

  it.live("are complete: more labels, blockers and sub-issues than come with an issue", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const project = linear.project.slugId
      const blockers = linear.createIssues(
        Array.from({ length: 130 }, (_, index) => ({ title: `Blocker ${index}`, state: "Backlog", project }))
      )
      const labels = Array.from({ length: 25 }, (_, index) => `Label ${index}`)
      const issue = linear.createIssue({ title: "Big", state: "Todo", project, labels })
      linear.setBlockedBy(
        issue.id,
        blockers.map(({ id }) => id)
      )
      for (const { id } of blockers.slice(0, 21)) linear.setParent(id, issue.id)
      const big = only(yield* tracker.candidateIssues)
      assert.deepStrictEqual([...big.labels].sort(), labels.map((label) => label.toLowerCase()).sort())
      assert.lengthOf(big.blockedBy, 130)
      assert.lengthOf(big.subIssues, 21)
      assert.isTrue(big.dispatchable)
      const lists = linear.requests().filter(({ operation }) => operation === "IssueLists")
      assert.lengthOf(lists, 2)
    }).pipe(Scene.quietly)
  )

  it.live("whose lists cannot be read to the end must not run this time, and say why", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const project = linear.project.slugId
      const labels = Array.from({ length: 25 }, (_, index) => `Label ${index}`)
      const big = linear.createIssue({ title: "Big", state: "Todo", project, labels })
      const small = linear.createIssue({ title: "Small", state: "Todo", project })
      linear.addFault({ fault: { kind: "forbidden" }, operation: "IssueLists", times: 1 })
      const batch = yield* tracker.candidateIssues
      const { dispatchable, notDispatchableReason } = named(batch, big.identifier)
      assert.isFalse(dispatchable)
      assert.include(notDispatchableReason, "could not be read to the end: ")
      assert.isTrue(named(batch, small.identifier).dispatchable)
      assert.isTrue(named(yield* tracker.candidateIssues, big.identifier).dispatchable)
    }).pipe(Scene.quietly)
  )

  it.live("whose lists were read before are unreadable when that fails: what runs is not stopped for it", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const labels = Array.from({ length: 25 }, (_, index) => `label ${index}`)
      const { id, identifier } = linear.createIssue({
        title: "Big",
        state: "Todo",
        project: linear.project.slugId,
        labels
      })
      assert.isTrue(only(yield* tracker.candidateIssues).dispatchable)
      linear.addFault({ fault: { kind: "forbidden" }, operation: "IssueLists" })
      const { issues, malformed } = yield* tracker.candidateIssues
      assert.deepStrictEqual(issues, [])
      assert.deepInclude(malformed[0], { id: IssueId(id), identifier })
      assert.include(malformed[0]?.message, "could not be read to the end: ")
    }).pipe(Scene.quietly)
  )

  it.live("take the blocking direction of a relation, and no other relation for a blocker", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const [first = "", second = "", third = ""] = Scene.issues(linear, 3)
      linear.setBlockedBy(second, [first])
      linear.relate(third, "related", second)
      linear.relate(third, "duplicate", second)
      linear.relate(third, "entangled", second)
      const batch = yield* tracker.candidateIssues
      assert.deepStrictEqual(identifiers(named(batch, "ENG-2").blockedBy), ["ENG-1"])
      assert.deepStrictEqual(identifiers(named(batch, "ENG-1").blockedBy), [])
    }).pipe(Scene.quietly)
  )

  it.live("are not blocked for ever by a duplicate, nor by what ended in a state that the workflow does not name", () =>
    Effect.gen(function* () {
      const { linear, trackerWith } = yield* Scene.make()
      const tracker = trackerWith({ terminalStates: ["Done"] })
      const project = linear.project.slugId
      const blocker = (state: string) => linear.createIssue({ title: state, state, project }).id
      linear.createState("ENG", { name: "Shipped", type: "completed" })
      const blockedBy = ["Duplicate", "Canceled", "Shipped", "Backlog", "Done"].map(blocker)
      const parent = linear.createIssue({ title: "Parent", state: "Todo", project, blockedBy })
      for (const id of blockedBy) linear.setParent(id, parent.id)
      const issue = only(yield* tracker.candidateIssues)
      const open = [
        ["ENG-4", "Backlog"],
        ["ENG-5", "Done"]
      ]
      for (const references of [issue.blockedBy, issue.subIssues]) {
        assert.deepStrictEqual(references.map(({ identifier, state }) => [identifier, state]).sort(), open)
      }
    }).pipe(Scene.quietly)
  )

  it.live("say that a blocker is archived", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const [blocker = "", blocked = ""] = Scene.issues(linear, 2)
      linear.setBlockedBy(blocked, [blocker])
      linear.archiveIssue(blocker)
      const issue = only(yield* tracker.candidateIssues)
      assert.deepStrictEqual(
        issue.blockedBy.map(({ note, state }) => [note, state]),
        [["archived", "Todo"]]
      )
    }).pipe(Scene.quietly)
  )

  it.live("are the assignee's only, where the workflow names one", () =>
    Effect.gen(function* () {
      const { linear, trackerWith } = yield* Scene.make()
      const tracker = trackerWith({ assignee: "me" })
      const [mine = "", others = ""] = Scene.issues(linear, 3)
      linear.createUser({ name: "Grace Hopper" })
      linear.editIssue(mine, { assignee: linear.viewer.id })
      linear.editIssue(others, { assignee: "grace-hopper" })
      const issue = only(yield* tracker.candidateIssues)
      assert.deepStrictEqual([issue.id, issue.assigneeId], [mine, linear.viewer.id])
      linear.editIssue(mine, { assignee: "grace-hopper" })
      const { dispatchable, notDispatchableReason } = only(yield* tracker.issuesByIds([issue.id]))
      assert.isFalse(dispatchable)
      assert.strictEqual(
        notDispatchableReason,
        "it is assigned to grace-hopper, not to Ada Lovelace (tracker.assignee)"
      )
    }).pipe(Scene.quietly)
  )

  it.live("are read in smaller pages from then on where Linear finds fifty too complex", () =>
    Effect.gen(function* () {
      const { api, linear, settings } = yield* Scene.make()
      Scene.issues(linear, 60)
      const refused: Array<unknown> = []
      const strict: LinearApiService = {
        ...api,
        call: (operation) => {
          const { first } = operation.variables
          if (typeof first !== "number" || first <= 20) return api.call(operation)
          refused.push(first)
          return Effect.fail(new LinearTooComplex({ message: "too complex", points: 10_001 }))
        }
      }
      const tracker = LinearTracker.make(strict, settings)
      assert.lengthOf((yield* tracker.candidateIssues).issues, 60)
      const { issues } = yield* tracker.candidateIssues
      assert.lengthOf(issues, 60)
      assert.deepStrictEqual(refused, [50, 25])
      assert.lengthOf((yield* tracker.issuesByIds(issues.slice(0, 40).map(({ id }) => id))).issues, 40)
    }).pipe(Scene.quietly)
  )

  it.live("are a matter of configuration where Linear finds even a quarter of a page too complex", () =>
    Effect.gen(function* () {
      const { api, settings } = yield* Scene.make()
      const tooComplex = Effect.fail(new LinearTooComplex({ message: "too complex", points: null }))
      const tracker = LinearTracker.make(
        { ...api, call: (operation) => (operation.name === "Issues" ? tooComplex : api.call(operation)) },
        settings
      )
      assert.strictEqual((yield* Effect.flip(tracker.candidateIssues))._tag, "TrackerConfigurationError")
    }).pipe(Scene.quietly)
  )

  it.live("of an empty set of states cost no request", () =>
    Effect.gen(function* () {
      const { linear, trackerWith } = yield* Scene.make()
      const tracker = trackerWith({ activeStates: ["Done"] })
      yield* tracker.candidateIssues
      assert.notInclude(
        linear.requests().map(({ operation }) => operation),
        "Issues"
      )
    }).pipe(Scene.quietly)
  )
})
