import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Queue, Stream } from "effect"
import * as Board from "./Board.ts"

/** The wake-ups of a board; returns once the watch stands. */
const watched = Effect.gen(function* () {
  const board = yield* Board.make
  const tracker = yield* Board.tracker(board)
  const wakes = yield* Queue.unbounded<void>()
  yield* tracker.changes.pipe(
    Stream.runForEach(() => Queue.offer(wakes, undefined)),
    Effect.forkScoped
  )
  yield* Queue.take(wakes)
  return { board, wakes }
})

const isQuiet = (wakes: Queue.Queue<void>) =>
  Effect.map(Effect.timeoutOption(Queue.take(wakes), "400 millis"), ({ _tag }) => _tag === "None")

/** Takes every wake-up until no more comes, so that the next one has a cause of its own. */
const untilQuiet = (wakes: Queue.Queue<void>) => Effect.repeat(isQuiet(wakes), { until: (quiet) => quiet })

describe("FilesTracker.changes", () => {
  it.live("wakes the poll when a file is added, changed and removed", () =>
    Effect.gen(function* () {
      const { board, wakes } = yield* watched
      yield* board.write("A.md", Board.issue())
      yield* Queue.take(wakes)
      yield* board.write("A.md", Board.issue("priority: 1"))
      yield* Queue.take(wakes)
      yield* board.remove("A.md")
      yield* Queue.take(wakes)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("wakes once for a burst of changes", () =>
    Effect.gen(function* () {
      const { board, wakes } = yield* watched
      for (let index = 0; index < 20; index++) yield* board.write(`A-${index}.md`, Board.issue())
      yield* Queue.take(wakes)
      assert.isTrue(yield* isQuiet(wakes))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("sleeps through temporary files of editors", () =>
    Effect.gen(function* () {
      const { board, wakes } = yield* watched
      for (const name of [".A.md.swp", "A.md~", "4913", ".A.md.x1.tmp", ".A.md.lock"]) yield* board.write(name, "x")
      assert.isTrue(yield* isQuiet(wakes))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("wakes again after the folder was removed and made anew", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { board, wakes } = yield* watched
      yield* fs.remove(board.directory, { recursive: true })
      yield* untilQuiet(wakes)
      yield* fs.makeDirectory(board.directory)
      yield* Queue.take(wakes)
      yield* untilQuiet(wakes)
      yield* board.write("A.md", Board.issue())
      yield* Queue.take(wakes)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("wakes again after another folder took the place of the first", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { board, wakes } = yield* watched
      yield* fs.rename(board.directory, `${board.directory}-old`)
      yield* fs.makeDirectory(board.directory)
      yield* Queue.take(wakes)
      yield* untilQuiet(wakes)
      yield* board.write("A.md", Board.issue())
      yield* Queue.take(wakes)
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
