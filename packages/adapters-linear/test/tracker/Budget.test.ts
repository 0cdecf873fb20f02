import { assert, describe, it } from "@effect/vitest"
import { IssueId } from "@opensymphony/core/domain/Ids"
import { Clock, type Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import * as Scene from "./Scene.ts"

describe("the Linear tracker and its budget", () => {
  it.effect("stretches polls while the budget sinks, and says so at the beginning and at the end", () =>
    Effect.gen(function* () {
      yield* Scene.begin
      const lines: Array<string> = []
      const { linear, tracker } = yield* Scene.make()
      Scene.issues(linear, 300)
      const gaps: Array<number> = []
      let before = 0
      const poll = Effect.gen(function* () {
        yield* Scene.inTime(tracker.candidateIssues)
        const now = yield* Clock.currentTimeMillis
        gaps.push(Math.round((now - before) / 1000))
        before = now
        yield* TestClock.adjust("30 seconds")
      })
      yield* Scene.logged(lines)(
        Effect.gen(function* () {
          yield* poll
          yield* poll
          linear.setRemaining("requests", 200)
          for (let polls = 0; polls < 3; polls++) yield* poll
          linear.setRemaining("requests", 2_400)
          for (let polls = 0; polls < 2; polls++) yield* poll
        })
      )
      assert.isAtMost(gaps[2] ?? Infinity, 60)
      assert.isAbove(gaps[3] ?? 0, 100)
      assert.isAtMost(gaps.at(-1) ?? Infinity, 60)
      assert.deepStrictEqual(
        lines.filter((line) => line.includes("polls of Linear")).map((line) => line.split(/[,:] /)[1]),
        ["polls of Linear are stretched", "polls of Linear come at their interval again"]
      )
    })
  )

  it.effect("does not say that the stretching is over because one poll comes late by itself", () =>
    Effect.gen(function* () {
      yield* Scene.begin
      const lines: Array<string> = []
      const { linear, tracker } = yield* Scene.make()
      Scene.issues(linear, 300)
      const pollAfter = (pause: Duration.Input) =>
        Effect.andThen(TestClock.adjust(pause), Scene.inTime(tracker.candidateIssues))
      yield* Scene.logged(lines)(
        Effect.gen(function* () {
          yield* pollAfter(0)
          linear.setRemaining("requests", 200)
          yield* pollAfter("30 seconds")
          yield* pollAfter("30 seconds")
          yield* pollAfter("10 minutes")
          yield* pollAfter("30 seconds")
        })
      )
      assert.lengthOf(
        lines.filter((line) => line.includes("polls of Linear")),
        1,
        lines.join("\n")
      )
    })
  )

  it.effect("reads what runs while polls are held back", () =>
    Effect.gen(function* () {
      yield* Scene.begin
      const { linear, tracker } = yield* Scene.make()
      const [id = ""] = Scene.issues(linear, 300)
      yield* tracker.candidateIssues
      linear.setRemaining("requests", 200)
      yield* Scene.inTime(tracker.candidateIssues)
      yield* Effect.forkChild(tracker.candidateIssues, { startImmediately: true })
      linear.clearRequests()
      const { issues } = yield* tracker.issuesByIds([IssueId(id)])
      assert.lengthOf(issues, 1)
      assert.lengthOf(linear.requests(), 1)
    }).pipe(Scene.quietly)
  )

  it.effect("survives a start while Linear is away, and then finds its project", () =>
    Effect.gen(function* () {
      yield* Scene.begin
      const { linear, tracker } = yield* Scene.make()
      Scene.issues(linear, 1)
      linear.addFault({ fault: { kind: "html", status: 503 } })
      const error = yield* Scene.inTime(Effect.flip(tracker.candidateIssues))
      assert.strictEqual(error._tag, "TrackerTransportError")
      assert.isTrue(error.retryable)
      linear.clearFaults()
      assert.lengthOf((yield* tracker.candidateIssues).issues, 1)
    }).pipe(Scene.quietly)
  )

  it.effect("looks at the project again after an hour, and keeps what it knows while Linear is away", () =>
    Effect.gen(function* () {
      yield* Scene.begin
      const { linear, tracker } = yield* Scene.make()
      yield* tracker.candidateIssues
      linear.createState("ENG", { name: "todo", type: "unstarted" })
      linear.createIssue({ title: "New", state: "todo", project: linear.project.slugId })
      assert.lengthOf((yield* tracker.candidateIssues).issues, 0)
      yield* TestClock.adjust("61 minutes")
      linear.addFault({ fault: { kind: "forbidden" }, operation: "ProjectProbe", times: 1 })
      assert.lengthOf((yield* tracker.candidateIssues).issues, 0)
      yield* TestClock.adjust("61 minutes")
      assert.lengthOf((yield* tracker.candidateIssues).issues, 1)
    }).pipe(Scene.quietly)
  )

  it.effect("asks Linear what the settings mean once, however many reads begin together", () =>
    Effect.gen(function* () {
      yield* Scene.begin
      const { linear, tracker } = yield* Scene.make()
      const [id = ""] = Scene.issues(linear, 1)
      yield* Effect.all([tracker.candidateIssues, tracker.terminalIssues, tracker.issuesByIds([IssueId(id)])], {
        concurrency: "unbounded"
      })
      const probes = linear.requests().filter(({ operation }) => operation === "ProjectProbe")
      assert.lengthOf(probes, 1)
    }).pipe(Scene.quietly)
  )
})
