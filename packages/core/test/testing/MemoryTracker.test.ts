import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { IssueId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { type IssueBatch, TrackerTimeout, TrackerTransportError } from "../../src/ports/TrackerBackend.ts"
import * as MemoryTracker from "../../src/testing/MemoryTracker.ts"

const issue = (id: string, state: string, more: Partial<Issue.Issue> = {}) =>
  Issue.make({ id: IssueId(id), identifier: `ABC-${id}`, title: `Issue ${id}`, state, ...more })

const identifiers = (batch: IssueBatch) => batch.issues.map(({ identifier }) => identifier)
const outage = new TrackerTransportError({ message: "the tracker cannot be reached" })
const slow = new TrackerTimeout({ message: "the tracker took too long" })

describe("MemoryTracker", () => {
  it.effect("lists the issues in active states, however these are spelled", () =>
    Effect.gen(function* () {
      const { service } = yield* MemoryTracker.make([issue("1", " TODO"), issue("2", "Backlog"), issue("3", "Done")])
      assert.deepStrictEqual(identifiers(yield* service.candidateIssues), ["ABC-1"])
    })
  )

  it.effect("lists the issues in terminal states", () =>
    Effect.gen(function* () {
      const { service } = yield* MemoryTracker.make([issue("1", "Todo"), issue("2", "Done")])
      assert.deepStrictEqual(identifiers(yield* service.terminalIssues), ["ABC-2"])
    })
  )

  it.effect("takes a state in both lists for terminal", () =>
    Effect.gen(function* () {
      const options = { activeStates: ["Review"], terminalStates: ["Review"] }
      const { service } = yield* MemoryTracker.make([issue("1", "Review")], options)
      assert.deepStrictEqual(identifiers(yield* service.candidateIssues), [])
    })
  )

  it.effect("reads issues in any state by id and leaves out those that it does not have", () =>
    Effect.gen(function* () {
      const { service } = yield* MemoryTracker.make([issue("1", "Done"), issue("2", "Todo")])
      assert.deepStrictEqual(identifiers(yield* service.issuesByIds([IssueId("9"), IssueId("1")])), ["ABC-1"])
    })
  )

  it.effect("moves an issue and says when", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make([issue("1", "Todo")])
      yield* TestClock.adjust("5 seconds")
      yield* tracker.move(IssueId("1"), "Done")
      assert.deepInclude(yield* tracker.get(IssueId("1")), { state: "Done", updatedAtMs: 5_000 })
    })
  )

  it.effect("no longer shows an issue that was removed", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make([issue("1", "Todo")])
      yield* tracker.remove(IssueId("1"))
      assert.deepStrictEqual((yield* tracker.service.issuesByIds([IssueId("1")])).issues, [])
    })
  )

  it.effect("shows the state of a blocker as it is now", () =>
    Effect.gen(function* () {
      const blockedBy = [{ id: IssueId("1"), identifier: "ABC-1", state: "Todo", note: null }]
      const tracker = yield* MemoryTracker.make([issue("1", "Todo"), issue("2", "Todo", { blockedBy })])
      yield* tracker.move(IssueId("1"), "Done")
      const batch = yield* tracker.service.issuesByIds([IssueId("2")])
      assert.strictEqual(batch.issues[0]?.blockedBy[0]?.state, "Done")
    })
  )

  it.effect("reports an unreadable record beside the good ones", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make([issue("1", "Todo"), issue("2", "Todo")])
      yield* tracker.setMalformed(IssueId("1"), "no title")
      const batch = yield* tracker.service.candidateIssues
      assert.deepStrictEqual(identifiers(batch), ["ABC-2"])
      assert.deepStrictEqual(batch.malformed, [
        { source: "memory:1", id: IssueId("1"), identifier: "ABC-1", message: "no title" }
      ])
    })
  )

  it.effect("fails the next reads and then works again", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make([issue("1", "Todo")])
      yield* tracker.failNext(slow, 2)
      assert.strictEqual(yield* Effect.flip(tracker.service.candidateIssues), slow)
      assert.strictEqual(yield* Effect.flip(tracker.service.issuesByIds([])), slow)
      assert.deepStrictEqual(identifiers(yield* tracker.service.candidateIssues), ["ABC-1"])
    })
  )

  it.effect("fails until the outage is over", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make([issue("1", "Todo")])
      yield* tracker.failWith(outage)
      assert.strictEqual(yield* Effect.flip(tracker.service.candidateIssues), outage)
      assert.strictEqual(yield* Effect.flip(tracker.service.candidateIssues), outage)
      yield* tracker.failWith(null)
      assert.deepStrictEqual(identifiers(yield* tracker.service.candidateIssues), ["ABC-1"])
    })
  )

  it.effect("takes as long as it is told, by the Clock", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make([], { latencyMs: 200 })
      const reading = yield* Effect.forkChild(tracker.service.candidateIssues)
      yield* TestClock.adjust("199 millis")
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(reading.pollUnsafe())
    })
  )

  it.effect("logs what it was asked for", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make()
      yield* tracker.service.candidateIssues
      yield* tracker.service.issuesByIds([IssueId("1"), IssueId("2")])
      assert.deepStrictEqual(
        (yield* tracker.requests.calls).map(({ ids, operation }) => [operation, ids]),
        [
          ["candidateIssues", []],
          ["issuesByIds", [IssueId("1"), IssueId("2")]]
        ]
      )
    })
  )

  it.effect("announces changes when it is told to", () =>
    Effect.gen(function* () {
      const tracker = yield* MemoryTracker.make([issue("1", "Todo")], { announce: true })
      const change = yield* Effect.forkChild(Stream.runCollect(Stream.take(tracker.service.changes, 1)))
      yield* Effect.yieldNow
      yield* tracker.move(IssueId("1"), "Done")
      assert.strictEqual((yield* Fiber.join(change)).length, 1)
    })
  )
})
