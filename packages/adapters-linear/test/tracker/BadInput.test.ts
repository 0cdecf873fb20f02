import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Fault } from "../../src/testing/index.ts"
import type { JsonValue } from "../../src/testing/Json.ts"
import * as Meddler from "./Meddler.ts"
import * as Scene from "./Scene.ts"

/** Three candidates, the second of which Linear returns with these fields; what is read, and what is logged. */
const readWith = Effect.fnUntraced(function* (fields: Readonly<Record<string, JsonValue>>) {
  const lines: Array<string> = []
  const { linear, tracker } = yield* Scene.make()
  Scene.issues(linear, 3)
  linear.corrupt("ENG-2", fields)
  const batch = yield* Scene.logged(lines)(tracker.candidateIssues)
  const issue = batch.issues.find(({ identifier }) => identifier === "ENG-2")
  return { ...batch, issue, warnings: lines.filter((line) => line.startsWith("Warn")), tracker, linear }
})

/** A poll of three candidates on which this goes wrong, in virtual time. */
const pollWith = Effect.fnUntraced(function* (fault: Fault, times = 1_000) {
  yield* Scene.begin
  const { linear, tracker } = yield* Scene.make()
  Scene.issues(linear, 3)
  yield* tracker.candidateIssues
  linear.addFault({ fault, times, operation: "Issues" })
  return yield* Scene.inTime(Effect.result(tracker.candidateIssues))
}, Scene.quietly)

describe("a bad record of Linear", () => {
  it.live.each<[what: string, fields: Readonly<Record<string, JsonValue>>]>([
    ["no title", { title: null }],
    ["a blank title", { title: " \n " }],
    ["a title that is a number", { title: 7 }],
    ["no identifier", { identifier: null }],
    ["an identifier with a line break", { identifier: "ENG-2\nENG-3" }],
    ["no state", { state: null }],
    ["a state without a name", { state: { id: "x", name: "", type: "started" } }],
    ["labels that are none", { labels: null }],
    ["a description that is none", { description: { rich: true } }]
  ])("costs only itself, and is reported: %s", ([, fields]) =>
    Effect.gen(function* () {
      const { issues, linear, malformed } = yield* readWith(fields)
      assert.deepStrictEqual(issues.map(({ identifier }) => identifier).sort(), ["ENG-1", "ENG-3"])
      assert.deepStrictEqual(
        malformed.map(({ id }) => id as string | null),
        [linear.issue("ENG-2").id]
      )
      for (const { message, source } of malformed) {
        assert.match(message, /^this issue cannot be read: [^\n]+; edit it in Linear$/)
        assert.match(source, /\S/)
      }
    })
  )

  it.live.each<[what: string, fields: Readonly<Record<string, JsonValue>>, warning: string]>([
    ["priority 2.5", { priority: 2.5 }, "its priority 2.5 is none of 0 to 4; it is read as none"],
    ["priority 9", { priority: 9 }, "its priority 9 is none of 0 to 4"],
    ["a priority in words", { priority: "high" }, 'its priority "high" is none of 0 to 4'],
    ["a date that does not parse", { createdAt: "soon" }, 'its createdAt "soon" is no date; it is read as unknown'],
    ["a date that is a number", { updatedAt: 12 }, "its updatedAt 12 is no date"],
    ["control characters in the title", { title: "a\u0000b\u001b[31m\nc" }, "its title contains control characters"]
  ])("is read without what is odd about it, with a warning: %s", ([, fields, warning]) =>
    Effect.gen(function* () {
      const { issue, issues, malformed, warnings } = yield* readWith(fields)
      assert.lengthOf(issues, 3)
      assert.lengthOf(malformed, 0)
      assert.notMatch(issue?.title ?? "\u0000", /\p{Cc}/u)
      assert.lengthOf(warnings, 1)
      assert.include(warnings[0], `ENG-2: ${warning}`)
    })
  )

  it.live("is warned about once, not with every poll", () =>
    Effect.gen(function* () {
      const { tracker, warnings } = yield* readWith({ priority: 2.5 })
      assert.lengthOf(warnings, 1)
      const lines: Array<string> = []
      yield* Scene.logged(lines)(tracker.candidateIssues)
      assert.deepStrictEqual(lines, [])
    })
  )

  it.live("with half a megabyte of description keeps the beginning, and says so to the agent too", () =>
    Effect.gen(function* () {
      const { issue, warnings } = yield* readWith({ description: "é".repeat(500_000) })
      assert.isBelow(issue?.description?.length ?? Infinity, 101_000)
      assert.include(issue?.description?.slice(-100), "100000 of 500000 characters; the rest is in Linear")
      assert.include(warnings[0], "its description has 500000 characters")
    })
  )

  it.live.each(["inverseRelations", "children"])(
    "with a null among its %s must not run: a blocker may be behind it",
    (connection) =>
      Effect.gen(function* () {
        const { linear, tracker } = yield* Scene.make()
        const [first = "", second = "", third = ""] = Scene.issues(linear, 3)
        linear.setBlockedBy(second, [first])
        linear.setParent(third, second)
        yield* tracker.candidateIssues
        linear.addFault({ fault: { kind: "nullNodes", connection }, operation: "Issues", times: 1 })
        const { issues, malformed } = yield* tracker.candidateIssues
        assert.notInclude(
          issues.map(({ identifier }) => identifier),
          "ENG-2"
        )
        assert.include(malformed.find(({ identifier }) => identifier === "ENG-2")?.message, "cannot be read")
      }).pipe(Scene.quietly)
  )

  it.live("with a null among its labels has the others", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      const project = linear.project.slugId
      linear.createIssue({ title: "Labelled", state: "Todo", project, labels: ["One", "Two"] })
      linear.addFault({ fault: { kind: "nullNodes", connection: "labels" }, operation: "Issues", times: 1 })
      const [issue] = (yield* tracker.candidateIssues).issues
      assert.isTrue(issue?.dispatchable)
      assert.isAtLeast(issue?.labels.length ?? 0, 1)
    }).pipe(Scene.quietly)
  )

  it.live("appears once, also on two pages", () =>
    Effect.gen(function* () {
      const { linear, tracker } = yield* Scene.make()
      Scene.issues(linear, 60)
      linear.addFault({ fault: { kind: "duplicateAcrossPages" }, operation: "Issues" })
      const { issues } = yield* tracker.candidateIssues
      assert.lengthOf(new Set(issues.map(({ id }) => id)), issues.length)
      assert.isAtLeast(issues.length, 59)
    }).pipe(Scene.quietly)
  )
})

describe("a bad answer of Linear", () => {
  it.live("with an error at one issue costs that issue", () =>
    Effect.gen(function* () {
      const { linear } = yield* Scene.make()
      const [, second] = Scene.issues(linear, 3)
      const endpoint = yield* Meddler.make(linear, (body) => {
        const { nodes } = body.data.issues
        const index = nodes.findIndex((node) => node?.["id"] === second)
        body.errors = [{ message: "Oops", path: ["issues", "nodes", index, "description"] }]
      })
      const { tracker } = yield* Scene.on(linear, endpoint)
      const { issues, malformed } = yield* tracker.candidateIssues
      assert.deepStrictEqual(issues.map(({ identifier }) => identifier).sort(), ["ENG-1", "ENG-3"])
      assert.deepStrictEqual(
        malformed.map(({ identifier, message }) => [identifier, message]),
        [["ENG-2", "Linear could not deliver this issue completely"]]
      )
    }).pipe(Scene.quietly)
  )

  it.effect.each<[fault: Fault, tag: string, words: string]>([
    [
      { kind: "html", status: 200 },
      "TrackerInvalidResponse",
      "was answered with HTML (HTTP 200); check tracker.endpoint"
    ],
    [{ kind: "html", status: 502 }, "TrackerTransportError", "Linear failed at Issues (HTTP 502)"],
    [{ kind: "malformedJson" }, "TrackerInvalidResponse", "was answered with broken JSON"],
    [{ kind: "partialData", field: "pageInfo" }, "TrackerInvalidResponse", "only in part"],
    [{ kind: "missingCursor" }, "TrackerInvalidResponse", "promised more and gave no cursor"],
    [{ kind: "repeatedCursor" }, "TrackerInvalidResponse", "gave the same cursor twice"],
    [{ kind: "endlessPages" }, "TrackerInvalidResponse", "more than 200 pages"],
    [{ kind: "hangInBody" }, "TrackerTimeout", "did not answer Issues within 20 s"],
    [{ kind: "unauthorized" }, "TrackerAuthError", "refuses the API key"],
    [{ kind: "forbidden" }, "TrackerPermissionDenied", "may not do Issues"],
    [{ kind: "rateLimited", retryAfter: "300", reset: "missing" }, "TrackerRateLimited", "rate limit"]
  ])("fails the poll, and is never taken for an empty board: %j", ([fault, tag, words]) =>
    Effect.gen(function* () {
      const result = yield* pollWith(fault)
      if (result._tag === "Success") throw new Error(`read ${result.success.issues.length} issues`)
      assert.strictEqual(result.failure._tag, tag)
      assert.include(result.failure.message, words)
      assert.notMatch(result.failure.message, /\n/)
    })
  )
})
