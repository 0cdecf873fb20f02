import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Path, Result } from "effect"
import { TestClock } from "effect/testing"
import * as FileEdit from "../../src/tracker/FileEdit.ts"
import * as IssueBoard from "../../src/tracker/IssueBoard.ts"
import * as Board from "./Board.ts"

const { issue } = Board

const open = (board: Board.Board) => IssueBoard.make({ directory: board.directory, ...Board.states })

const input: IssueBoard.NewIssueInput = {
  key: null,
  title: "T",
  state: "Todo",
  priority: null,
  labels: [],
  blockedBy: [],
  parent: null,
  description: ""
}

const names = (board: Board.Board) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.map(fs.readDirectory(board.directory), (all) => all.sort()))

describe("IssueBoard.show", () => {
  it.effect("finds by identifier, exactly first, else in other case when there is only one", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("1.md", issue("identifier: Abc"))
      yield* files.write("2.md", issue("identifier: ABC"))
      yield* files.write("3.md", issue("identifier: Other"))
      const board = yield* open(files)
      assert.strictEqual((yield* board.show("ABC")).identifier, "ABC")
      assert.strictEqual((yield* board.show("OTHER")).identifier, "Other")
      const error = yield* Effect.flip(board.show("abc"))
      assert.match(error.message, /did you mean Abc or ABC\?/)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("lists near matches of a key that nobody has", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      for (const name of ["ABC-1", "ABC-12", "login-page"]) yield* files.write(`${name}.md`, issue())
      const board = yield* open(files)
      const error = yield* Effect.flip(board.show("ABD-1"))
      assert.strictEqual(error._tag, "IssueNotFound")
      assert.match(error.message, /no issue "ABD-1".*did you mean ABC-1/)
      assert.match((yield* Effect.flip(board.show("login"))).message, /did you mean login-page\?/)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("says where the file of an issue is malformed", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", issue("priority: x"))
      const error = yield* Effect.flip((yield* open(files)).show("A"))
      assert.strictEqual(error._tag, "IssueUnreadable")
      assert.include(error.message, `${files.pathOf("A.md")}:4: priority must be`)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("IssueBoard.create", () => {
  it.effect("writes what the tracker reads", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      const board = yield* open(files)
      yield* board.create({ ...input, key: "P" })
      yield* board.create({
        key: "A-1",
        title: 'Say "hi": now # really',
        state: "In Progress",
        priority: 2,
        labels: ["bug", "needs: care"],
        blockedBy: ["B, C", "7"],
        parent: "P",
        description: "\n---\n# Head\n"
      })
      const created = yield* board.show("A-1")
      assert.deepStrictEqual(
        [created.title, created.state, created.priority, created.labels, created.parentId, created.description],
        ['Say "hi": now # really', "In Progress", 2, ["bug", "needs: care"], "P" as never, "---\n# Head"]
      )
      assert.deepStrictEqual(
        created.blockedBy.map(({ identifier }) => identifier),
        ["B, C", "7"]
      )
      assert.strictEqual(created.createdAtMs, 0)
      assert.deepStrictEqual(yield* names(files), ["A-1.md", "P.md"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  const series: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [[], "ISSUE-1"],
    [["ABC-1", "ABC-9", "login"], "ABC-10"],
    [["001", "002"], "003"],
    [["A-1", "B-1", "B-2"], "B-3"],
    [["login"], "ISSUE-1"]
  ]
  it.effect.each(series)("takes the next free name after %j", ([existing, expected]) =>
    Effect.gen(function* () {
      const files = yield* Board.make
      for (const name of existing) yield* files.write(`${name}.md`, issue())
      assert.strictEqual((yield* (yield* open(files)).create(input)).identifier, expected)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("passes over the names of malformed files", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A-1.md", issue())
      yield* files.write("A-2.md", "broken")
      assert.strictEqual((yield* (yield* open(files)).create(input)).identifier, "A-3")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("gives every one of many at the same time a name of its own", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      const created = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, index) => index),
        (index) => Effect.flatMap(open(files), (board) => board.create({ ...input, title: `T${index}` })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(created.map(({ identifier }) => identifier)).size, 12)
      assert.strictEqual(new Set(created.map(({ title }) => title)).size, 12)
      assert.strictEqual((yield* names(files)).length, 12)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("refuses a key that is taken, by a file or by an identifier", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", issue("identifier: X"))
      const board = yield* open(files)
      for (const key of ["A", "X"]) {
        assert.strictEqual((yield* Effect.flip(board.create({ ...input, key })))._tag, "IssueKeyTaken")
      }
      assert.strictEqual(yield* files.read("A.md"), issue("identifier: X"))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect.each(["../x", "a/b", ".hidden", "", " a", "a\nb", "x".repeat(201)])("refuses the key %j", (key) =>
    Effect.gen(function* () {
      const files = yield* Board.make
      const error = yield* Effect.flip((yield* open(files)).create({ ...input, key }))
      assert.strictEqual(error._tag, "IssueInputRefused")
      assert.deepStrictEqual(yield* names(files), [])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect.each([{ title: " " }, { state: "" }, { priority: 7 }])("refuses %j", (change) =>
    Effect.gen(function* () {
      const files = yield* Board.make
      const error = yield* Effect.flip((yield* open(files)).create({ ...input, ...change }))
      assert.strictEqual(error._tag, "IssueInputRefused")
      assert.deepStrictEqual(yield* names(files), [])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("IssueBoard.move", () => {
  it.effect("changes only the value and leaves no other file behind", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      const text = (state: string) => `\uFEFF---\r\n# first\r\ntitle: T\r\nstate: '${state}' # where\r\n---\r\n\r\nbody`
      yield* files.write("A.md", text("Todo"))
      const moved = yield* (yield* open(files)).move("a", "In Progress")
      assert.deepStrictEqual(moved, {
        identifier: "A",
        from: "Todo",
        to: "In Progress",
        changed: true,
        isKnownState: true,
        nearestState: null
      })
      assert.strictEqual(yield* files.read("A.md"), text("In Progress"))
      assert.deepStrictEqual(yield* names(files), ["A.md"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("keeps the permissions of the file", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const files = yield* Board.make
      yield* files.write("A.md", issue())
      yield* fs.chmod(files.pathOf("A.md"), 0o640)
      yield* (yield* open(files)).move("A", "Done")
      assert.strictEqual((yield* fs.stat(files.pathOf("A.md"))).mode & 0o777, 0o640)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("follows a link to the file", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const files = yield* Board.make
      const target = path.join(path.dirname(files.directory), "elsewhere.md")
      yield* fs.writeFileString(target, issue())
      yield* fs.symlink(target, files.pathOf("A.md"))
      yield* (yield* open(files)).move("A", "Done")
      assert.strictEqual(yield* fs.readLink(files.pathOf("A.md")), target)
      assert.include(yield* fs.readFileString(target), "state: Done\n")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("says that an issue is in that state already, and leaves its file alone", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const files = yield* Board.make
      yield* files.write("A.md", issue())
      const before = yield* fs.stat(files.pathOf("A.md"))
      assert.isFalse((yield* (yield* open(files)).move("A", "Todo")).changed)
      assert.deepStrictEqual((yield* fs.stat(files.pathOf("A.md"))).ino, before.ino)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("knows the states of the workflow and of other issues, and suggests one of them", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", issue())
      yield* files.write("B.md", "---\ntitle: T\nstate: Backlog\n---\n")
      const board = yield* open(files)
      assert.isTrue((yield* board.move("A", "backlog")).isKnownState)
      assert.isTrue((yield* board.move("A", "in progress")).isKnownState)
      const moved = yield* board.move("A", "Doen")
      assert.deepStrictEqual([moved.changed, moved.isKnownState, moved.nearestState], [true, false, "Done"])
      assert.isFalse((yield* board.move("A", "Doen")).isKnownState)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("refuses an empty state and a malformed file", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", issue())
      yield* files.write("B.md", issue("priority: x"))
      const board = yield* open(files)
      assert.strictEqual((yield* Effect.flip(board.move("A", " ")))._tag, "IssueInputRefused")
      assert.strictEqual((yield* Effect.flip(board.move("B", "Done")))._tag, "IssueUnreadable")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("IssueBoard.comment", () => {
  it.effect("appends with author and time", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", issue())
      assert.strictEqual(yield* (yield* open(files)).comment("a", "Looks good.", "ann\nlee"), "A")
      const expected = `${issue()}\n## Comments\n\n### ann lee, 1970-01-01T00:00:00.000Z\n\nLooks good.\n`
      assert.strictEqual(yield* files.read("A.md"), expected)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("refuses an empty comment, and one that makes the file too large", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", issue())
      const board = yield* open(files)
      for (const text of [" \n", "x".repeat(1024 * 1024)]) {
        assert.strictEqual((yield* Effect.flip(board.comment("A", text, "ann")))._tag, "IssueInputRefused")
      }
      assert.strictEqual(yield* files.read("A.md"), issue())
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("loses none of many changes at the same time", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", issue())
      const texts = Array.from({ length: 20 }, (_, index) => `comment number ${index}.`)
      const board = yield* open(files)
      yield* Effect.all(
        [
          ...texts.map((text) => Effect.flatMap(open(files), (own) => own.comment("A", text, "ann"))),
          ...["In Progress", "Done", "In Review"].map((state) => board.move("A", state))
        ],
        { concurrency: "unbounded" }
      )
      const { description, state } = yield* board.show("A")
      assert.deepStrictEqual(
        texts.filter((text) => !(description ?? "").includes(text)),
        []
      )
      assert.notStrictEqual(state, "Todo")
      assert.deepStrictEqual(yield* names(files), ["A.md"])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("FileEdit", () => {
  it.effect("makes the change anew when somebody without the lock was faster", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", "one\n")
      let isFirst = true
      yield* FileEdit.edit(files.pathOf("A.md"), (bytes) =>
        Effect.gen(function* () {
          const before = new TextDecoder().decode(bytes)
          if (isFirst) yield* files.write("A.md", `${before}theirs\n`)
          isFirst = false
          return { text: `${before}ours\n`, value: null }
        })
      )
      assert.strictEqual(yield* files.read("A.md"), "one\ntheirs\nours\n")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("gives up on a file that somebody changes all the time", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", "")
      const attempt = FileEdit.edit(files.pathOf("A.md"), (bytes) =>
        Effect.as(files.write("A.md", `${new TextDecoder().decode(bytes)}x`), { text: "ours", value: null })
      )
      assert.strictEqual((yield* Effect.flip(attempt))._tag, "FileBusy")
      assert.deepStrictEqual(yield* names(files), ["A.md"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("waits for a lock, and takes over that of an editor that died", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", "one")
      yield* files.write(".A.md.lock", "dead")
      const change = () => Effect.succeed({ text: "two", value: null })
      const fiber = yield* Effect.forkChild(FileEdit.edit(files.pathOf("A.md"), change))
      const isDone = Effect.sync(() => fiber.pollUnsafe() !== undefined)
      // The editor looks at real files between two sleeps, so virtual time passes in small steps.
      const step = Effect.andThen(TestClock.adjust("20 millis"), TestClock.withLive(Effect.sleep("1 millis")))
      yield* Effect.repeat(step, { times: 100 })
      assert.isFalse(yield* isDone)
      yield* Effect.repeat(Effect.andThen(step, isDone), { until: (done) => done })
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* files.read("A.md"), "two")
      assert.deepStrictEqual(yield* names(files), ["A.md"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("leaves the file and no other behind when the change fails", () =>
    Effect.gen(function* () {
      const files = yield* Board.make
      yield* files.write("A.md", "one")
      const result = yield* Effect.result(FileEdit.edit(files.pathOf("A.md"), () => Effect.fail("no")))
      assert.isTrue(Result.isFailure(result))
      assert.deepStrictEqual([yield* files.read("A.md"), yield* names(files)], ["one", ["A.md"]])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
