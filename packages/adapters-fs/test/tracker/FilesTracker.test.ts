import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { TrackerBackend } from "@opensymphony/core/ports/TrackerBackend"
import { Effect, FileSystem, Layer } from "effect"
import * as FilesTracker from "../../src/tracker/FilesTracker.ts"
import * as Board from "./Board.ts"

const { issue } = Board

/** Counts the files that are read, and lets something happen between the listing of a folder and their reading. */
const observed = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const seen = { reads: 0, afterListing: Effect.void as Effect.Effect<void> }
  const watched: FileSystem.FileSystem = {
    ...fs,
    readFile: (path) => Effect.suspend(() => ((seen.reads += 1), fs.readFile(path))),
    readDirectory: (path, options) => Effect.tap(fs.readDirectory(path, options), () => seen.afterListing)
  }
  return { seen, layer: Layer.succeed(FileSystem.FileSystem, watched) }
})

const longAgo = new Date("2020-01-01T00:00:00Z")

describe("FilesTracker", () => {
  it.effect("gives candidates, terminal issues and issues by id, by state", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("A.md", "---\ntitle: A\nstate: todo \n---\nDo it.")
      yield* board.write("B.md", "---\ntitle: B\nstate: DONE\n---\n")
      yield* board.write("C.md", "---\ntitle: C\nstate: Backlog\n---\n")
      const tracker = yield* Board.tracker(board)
      assert.deepStrictEqual(Board.identifiers(yield* tracker.candidateIssues), ["A"])
      assert.deepStrictEqual(Board.identifiers(yield* tracker.terminalIssues), ["B"])
      assert.deepStrictEqual(Board.identifiers(yield* tracker.issuesByIds(Board.ids("C", "B", "X"))), ["B", "C"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("counts a state in both lists as terminal", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("A.md", "---\ntitle: A\nstate: Done\n---\n")
      const both = { directory: board.directory, activeStates: ["Done"], terminalStates: ["done"] }
      const tracker = yield* FilesTracker.make(both)
      assert.deepStrictEqual(Board.identifiers(yield* tracker.candidateIssues), [])
      assert.deepStrictEqual(Board.identifiers(yield* tracker.terminalIssues), ["A"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("is available as the core's port", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("A.md", issue())
      const batch = yield* Effect.flatMap(TrackerBackend, (tracker) => tracker.candidateIssues).pipe(
        Effect.provide(FilesTracker.layer({ directory: board.directory, ...Board.states }))
      )
      assert.deepStrictEqual(Board.identifiers(batch), ["A"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("reports a malformed file with path and line, and the others work", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("good.md", issue())
      yield* board.write("bad.md", issue("priority: high"))
      yield* board.write("notes.md", "# Notes\n")
      const { issues, malformed } = yield* (yield* Board.tracker(board)).candidateIssues
      assert.deepStrictEqual(
        issues.map(({ identifier }) => identifier),
        ["good"]
      )
      assert.deepStrictEqual(
        malformed.map(({ source }) => source),
        [`${board.pathOf("bad.md")}:4`, `${board.pathOf("notes.md")}:1`]
      )
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("looks only at files called *.md, not at hidden files, directories and links to nothing", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      yield* board.write("A.md", issue())
      for (const name of [".A.md.swp", ".#A.md", ".hidden.md", "A.md~", "readme.txt"]) yield* board.write(name, "x")
      yield* fs.makeDirectory(board.pathOf("folder.md"))
      yield* fs.symlink(board.pathOf("nowhere"), board.pathOf("link.md"))
      const { issues, malformed } = yield* (yield* Board.tracker(board)).candidateIssues
      assert.deepStrictEqual([issues.length, malformed.length], [1, 0])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("reports files that are too large or not UTF-8", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      yield* board.write("large.md", issue() + "x".repeat(1024 * 1024))
      yield* fs.writeFile(board.pathOf("latin.md"), Uint8Array.from([...new TextEncoder().encode(issue()), 0xe9]))
      const { malformed } = yield* (yield* Board.tracker(board)).candidateIssues
      assert.match(malformed[0]?.message ?? "", /larger than/)
      assert.match(malformed[1]?.message ?? "", /UTF-8/)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("takes the file's times when the file gives none, and never an earlier update than creation", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      yield* board.write("A.md", issue())
      yield* board.write("B.md", issue("created_at: 2021-01-01", "updated_at: 2022-01-01"))
      yield* fs.utimes(board.pathOf("A.md"), longAgo, longAgo)
      const { issues } = yield* (yield* Board.tracker(board)).candidateIssues
      assert.deepStrictEqual(
        issues.map(({ createdAtMs, updatedAtMs }) => [createdAtMs, updatedAtMs]),
        [
          [longAgo.getTime(), longAgo.getTime()],
          [Date.UTC(2021, 0, 1), Date.UTC(2022, 0, 1)]
        ]
      )
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("does not make an issue younger when an editor replaces its file", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      yield* board.write("A.md", issue())
      yield* fs.utimes(board.pathOf("A.md"), longAgo, longAgo)
      const tracker = yield* Board.tracker(board)
      yield* tracker.candidateIssues
      yield* board.write("new", issue("priority: 1"))
      yield* fs.rename(board.pathOf("new"), board.pathOf("A.md"))
      const { issues } = yield* tracker.candidateIssues
      assert.deepStrictEqual([issues[0]?.priority, issues[0]?.createdAtMs], [1, longAgo.getTime()])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("FilesTracker, the folder", () => {
  it.effect("says how to mend a folder that does not exist", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      const tracker = yield* FilesTracker.make({ directory: board.pathOf("nowhere"), ...Board.states })
      const error = yield* Effect.flip(tracker.candidateIssues)
      assert.strictEqual(error._tag, "TrackerConfigurationError")
      assert.match(error.message, /nowhere does not exist; create it, or set tracker\.path/)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("says that a file is no folder", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("file", "")
      const tracker = yield* FilesTracker.make({ directory: board.pathOf("file"), ...Board.states })
      assert.strictEqual((yield* Effect.flip(tracker.candidateIssues))._tag, "TrackerConfigurationError")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("reports a folder that cannot be read as something to try again", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      const denied = yield* Effect.flip(fs.readDirectory(board.pathOf("nowhere")))
      const refusing: FileSystem.FileSystem = {
        ...fs,
        readDirectory: () =>
          Effect.fail({ ...denied, reason: { ...denied.reason, _tag: "PermissionDenied" } } as typeof denied)
      }
      const tracker = yield* Effect.provideService(Board.tracker(board), FileSystem.FileSystem, refusing)
      const error = yield* Effect.flip(tracker.candidateIssues)
      assert.strictEqual(error._tag, "TrackerTransportError")
      assert.match(error.message, /PermissionDenied/)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("works again once the folder is back", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      const tracker = yield* Board.tracker(board)
      yield* fs.remove(board.directory, { recursive: true })
      yield* Effect.flip(tracker.candidateIssues)
      yield* fs.makeDirectory(board.directory)
      yield* board.write("A.md", issue())
      assert.deepStrictEqual(Board.identifiers(yield* tracker.candidateIssues), ["A"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("takes a file that vanishes between listing and reading for one that is not there", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("A.md", issue())
      yield* board.write("B.md", issue())
      const { layer, seen } = yield* observed
      const tracker = yield* Effect.provide(Board.tracker(board), layer)
      seen.afterListing = board.remove("A.md")
      const { issues, malformed } = yield* tracker.candidateIssues
      assert.deepStrictEqual([issues.map(({ identifier }) => identifier), malformed], [["B"], []])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("reports a file that it may not read with its id, and reads it as soon as it may", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      yield* board.write("A.md", issue())
      yield* fs.utimes(board.pathOf("A.md"), longAgo, longAgo)
      const missing = yield* Effect.flip(fs.readFile(board.pathOf("nowhere")))
      const denied = { ...missing, reason: { ...missing.reason, _tag: "PermissionDenied" } } as typeof missing
      let mayRead = false
      const guarded: FileSystem.FileSystem = {
        ...fs,
        readFile: (path) => Effect.suspend(() => (mayRead ? fs.readFile(path) : Effect.fail(denied)))
      }
      const tracker = yield* Effect.provideService(Board.tracker(board), FileSystem.FileSystem, guarded)
      const { malformed } = yield* tracker.issuesByIds(Board.ids("A"))
      assert.match(malformed[0]?.message ?? "", /cannot be read \(PermissionDenied\)/)
      mayRead = true
      assert.strictEqual((yield* tracker.issuesByIds(Board.ids("A"))).issues.length, 1)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("reads 2,000 files once, and afterwards only the one that changed", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      const names = Array.from({ length: 2_000 }, (_, index) => `A-${index}.md`)
      yield* Effect.forEach(
        names,
        (name) => Effect.andThen(board.write(name, issue()), fs.utimes(board.pathOf(name), longAgo, longAgo)),
        { concurrency: 16, discard: true }
      )
      const { layer, seen } = yield* observed
      const tracker = yield* Effect.provide(Board.tracker(board), layer)
      const first = yield* tracker.candidateIssues
      assert.deepStrictEqual([first.issues.length, seen.reads], [2_000, 2_000])
      const second = yield* tracker.candidateIssues
      assert.strictEqual(seen.reads, 2_000)
      assert.isTrue(second.issues.every((one, index) => one === first.issues[index]))
      yield* board.write("A-7.md", issue("priority: 1"))
      const third = yield* tracker.candidateIssues
      assert.strictEqual(seen.reads, 2_001)
      assert.strictEqual(third.issues.filter((one, index) => one !== first.issues[index]).length, 1)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("sees a second change within one tick of the file's clock", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      const now = new Date()
      const write = (state: string) =>
        Effect.andThen(
          board.write("A.md", `---\ntitle: T\nstate: ${state}\n---\n`),
          fs.utimes(board.pathOf("A.md"), now, now)
        )
      yield* write("Todo")
      const tracker = yield* Board.tracker(board)
      assert.strictEqual((yield* tracker.candidateIssues).issues.length, 1)
      yield* write("Done")
      assert.strictEqual((yield* tracker.candidateIssues).issues.length, 0)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

describe("FilesTracker, issues between two reads", () => {
  it.effect("reports a file that breaks with the id that it had", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("file.md", issue("identifier: A-1", "id: i-1"))
      const tracker = yield* Board.tracker(board)
      yield* tracker.candidateIssues
      yield* board.write("file.md", "---\nbroken\n")
      const { issues, malformed } = yield* tracker.issuesByIds(Board.ids("i-1"))
      assert.deepStrictEqual([issues.length, malformed[0]?.id, malformed[0]?.identifier], [0, "i-1", "A-1"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("remembers the id of a broken file over several reads", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("file.md", issue("id: i-1"))
      const tracker = yield* Board.tracker(board)
      yield* tracker.candidateIssues
      for (const text of ["---\nbroken\n", "still broken", ""]) {
        yield* board.write("file.md", text)
        assert.strictEqual((yield* tracker.issuesByIds(Board.ids("i-1"))).malformed.length, 1)
      }
      yield* board.write("file.md", issue("id: i-1"))
      const mended = yield* tracker.issuesByIds(Board.ids("i-1"))
      assert.deepStrictEqual([mended.issues.length, mended.malformed.length], [1, 0])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("guesses the id of a file that never was readable from its name", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("A-1.md", "")
      const { malformed } = yield* (yield* Board.tracker(board)).issuesByIds(Board.ids("A-1"))
      assert.strictEqual(malformed[0]?.identifier, "A-1")
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("does not guess a name that another issue has", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("A-1.md", "")
      yield* board.write("B.md", issue("identifier: A-1"))
      const { issues, malformed } = yield* (yield* Board.tracker(board)).candidateIssues
      assert.deepStrictEqual([issues[0]?.id as string, malformed[0]?.id], ["A-1", null])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("finds an issue again whose file was renamed", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const board = yield* Board.make
      yield* board.write("old.md", issue("identifier: A-1"))
      const tracker = yield* Board.tracker(board)
      yield* tracker.candidateIssues
      yield* fs.rename(board.pathOf("old.md"), board.pathOf("new.md"))
      const { issues, malformed } = yield* tracker.issuesByIds(Board.ids("A-1"))
      assert.deepStrictEqual([issues[0]?.nativeRef, malformed.length], [board.pathOf("new.md"), 0])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.effect("does not return an issue whose file was deleted", () =>
    Effect.gen(function* () {
      const board = yield* Board.make
      yield* board.write("A.md", issue())
      const tracker = yield* Board.tracker(board)
      yield* tracker.candidateIssues
      yield* board.remove("A.md")
      assert.deepStrictEqual(yield* tracker.issuesByIds(Board.ids("A")), { issues: [], malformed: [] })
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
