import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Board from "./Board.ts"

const { issue } = Board

/** Everything on a board with these files, in any active state. */
const boardOf = (files: { readonly [name: string]: string }) =>
  Effect.gen(function* () {
    const board = yield* Board.make
    yield* Effect.forEach(Object.entries(files), ([name, text]) => board.write(name, text))
    return yield* (yield* Board.tracker(board)).candidateIssues
  }).pipe(Effect.provide(NodeServices.layer))

const done = "---\ntitle: T\nstate: Done\n---\n"

describe("IssueGraph, duplicates", () => {
  it.effect("reports every file of a doubled identifier, and returns none of them", () =>
    Effect.gen(function* () {
      const { issues, malformed } = yield* boardOf({
        "A.md": issue(),
        "copy of A.md": issue("identifier: A"),
        "B.md": issue()
      })
      assert.deepStrictEqual(
        issues.map(({ identifier }) => identifier),
        ["B"]
      )
      assert.deepStrictEqual(
        malformed.map(({ id, message }) => [id as string, message]),
        [
          ["A", 'the identifier "A" is also that of copy of A.md; give each file its own identifier'],
          ["A", 'the identifier "A" is also that of A.md; give each file its own identifier']
        ]
      )
    })
  )

  it.effect("reports every file of a doubled id", () =>
    Effect.gen(function* () {
      const { issues, malformed } = yield* boardOf({ "A.md": issue("id: 1"), "B.md": issue("id: 1") })
      assert.deepStrictEqual([issues.length, malformed.length], [0, 2])
      assert.match(malformed[0]?.message ?? "", /the id "1" is also that of B\.md/)
    })
  )

  it.effect("takes identifiers that differ in case for different ones", () =>
    Effect.gen(function* () {
      const { issues } = yield* boardOf({ "1.md": issue("identifier: ABC"), "2.md": issue("identifier: abc") })
      assert.strictEqual(issues.length, 2)
    })
  )
})

describe("IssueGraph, blockers", () => {
  it.effect("gives a blocker its id and state from the folder", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({
        "A.md": issue("blocked_by: [B-1]"),
        "B.md": `${done.replace("---\n", "---\nid: 9\nidentifier: B-1\n")}`
      })
      assert.deepStrictEqual(batch.issues[0]?.blockedBy as unknown, [
        { id: "9", identifier: "B-1", state: "Done", note: null }
      ])
    })
  )

  it.effect("says that a blocker is not on the board, with an id that no issue has", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({ "A.md": issue("blocked_by: [X]"), "B.md": issue("id: X") })
      const expected = [{ identifier: "X", state: null, note: "is not on the board" }]
      assert.deepStrictEqual(Board.references(batch, "A", "blockedBy"), expected)
      assert.notInclude(
        batch.issues.map(({ id }) => id),
        batch.issues[0]?.blockedBy[0]?.id
      )
    })
  )

  it.effect("says that a blocker is the issue itself", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({ "A.md": issue("blocked_by: [A]") })
      const expected = [{ identifier: "A", state: "Todo", note: "is the issue itself" }]
      assert.deepStrictEqual(Board.references(batch, "A", "blockedBy"), expected)
    })
  )

  it.effect("says that a blocker cannot be read", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({ "A.md": issue("blocked_by: [B]"), "B.md": issue("priority: x") })
      const expected = [{ identifier: "B", state: null, note: "cannot be read" }]
      assert.deepStrictEqual(Board.references(batch, "A", "blockedBy"), expected)
    })
  )

  it.effect("says that a doubled blocker cannot be read", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({
        "A.md": issue("blocked_by: [B]"),
        "B.md": issue(),
        "C.md": issue("identifier: B")
      })
      assert.deepStrictEqual(Board.references(batch, "A", "blockedBy")[0]?.note, "cannot be read")
    })
  )

  it.effect("names a cycle on each of its steps, and on no other", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({
        "A.md": issue("blocked_by: [B, D]"),
        "B.md": issue("blocked_by: [C]"),
        "C.md": issue("blocked_by: [A]"),
        "D.md": issue(),
        "E.md": issue("blocked_by: [A]")
      })
      const notes = ["A", "B", "C", "E"].map((one) => Board.references(batch, one, "blockedBy").map(({ note }) => note))
      assert.deepStrictEqual(notes, [
        ["part of a cycle: A -> B -> C -> A", null],
        ["part of a cycle: B -> C -> A -> B"],
        ["part of a cycle: C -> A -> B -> C"],
        [null]
      ])
    })
  )

  it.effect("sees no cycle where an issue of it is done", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({
        "A.md": issue("blocked_by: [B]"),
        "B.md": "---\ntitle: T\nstate: Done\nblocked_by: [A]\n---\n"
      })
      assert.deepStrictEqual(Board.references(batch, "A", "blockedBy")[0]?.note, null)
    })
  )

  it.effect("shortens the way round a long cycle", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 500 }, (_, index) => `N${index}`)
      const files = names.map((name, index) => [`${name}.md`, issue(`blocked_by: [N${(index + 1) % 500}]`)] as const)
      const batch = yield* boardOf(Object.fromEntries(files))
      assert.deepStrictEqual(
        Board.references(batch, "N0", "blockedBy")[0]?.note,
        "part of a cycle: N0 -> N1 -> N2 -> N3 -> N4 -> N5 -> ... -> N0"
      )
    })
  )
})

describe("IssueGraph, sub-issues", () => {
  it.effect("follow from parent, with the parent's id on the child", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({
        "P.md": issue("id: 1"),
        "A.md": issue("parent: P"),
        "B.md": "---\ntitle: T\nstate: Done\nparent: P\n---\n"
      })
      assert.deepStrictEqual(Board.references(batch, "P", "subIssues"), [
        { identifier: "A", state: "Todo", note: null },
        { identifier: "B", state: "Done", note: null }
      ])
      assert.strictEqual(batch.issues.find(({ identifier }) => identifier === "A")?.parentId as string, "1")
    })
  )

  it.effect("have no parent that is not on the board", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({ "A.md": issue("parent: X") })
      assert.isNull(batch.issues[0]?.parentId)
    })
  )

  it.effect("stay with their parent while they cannot be read", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({ "P.md": issue(), "A.md": issue("parent: P", "priority: x") })
      const expected = [{ identifier: "A", state: null, note: "cannot be read" }]
      assert.deepStrictEqual(Board.references(batch, "P", "subIssues"), expected)
    })
  )

  it.effect("stay with their parent when they broke after they were read", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("P.md", issue())
      yield* board.write("A.md", issue("parent: P"))
      const tracker = yield* Board.tracker(board)
      yield* tracker.candidateIssues
      yield* board.write("A.md", "broken")
      const batch = yield* tracker.candidateIssues
      const expected = [{ identifier: "A", state: null, note: "cannot be read" }]
      assert.deepStrictEqual(Board.references(batch, "P", "subIssues"), expected)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("are named when they are their own parent", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({ "A.md": issue("parent: A") })
      assert.deepStrictEqual(Board.references(batch, "A", "subIssues")[0]?.note, "is the issue itself")
    })
  )

  it.effect("are named when parents form a cycle", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({ "A.md": issue("parent: B"), "B.md": issue("parent: A") })
      assert.deepStrictEqual(Board.references(batch, "A", "subIssues")[0]?.note, "part of a cycle: A -> B -> A")
    })
  )

  it.effect("are named when they wait for the parent that waits for them", () =>
    Effect.gen(function* () {
      const batch = yield* boardOf({ "P.md": issue(), "A.md": issue("parent: P", "blocked_by: [P]") })
      assert.deepStrictEqual(Board.references(batch, "A", "blockedBy")[0]?.note, "part of a cycle: A -> P -> A")
      assert.deepStrictEqual(Board.references(batch, "P", "subIssues")[0]?.note, "part of a cycle: P -> A -> P")
    })
  )
})
