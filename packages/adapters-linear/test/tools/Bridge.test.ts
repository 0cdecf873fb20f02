import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Layer, Path, Scope } from "effect"
import { FetchHttpClient } from "effect/http"
import * as Bridge from "../../src/tools/Bridge.ts"
import * as World from "./World.ts"

const platform = Layer.merge(NodeServices.layer, FetchHttpClient.layer)

const setUp = Effect.gen(function* () {
  const world = yield* World.make({ bridge: { command: "opensymphony", args: ["linear-mcp"] } })
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const bridge = yield* Bridge.make(world.workspace)
  const file = path.join(world.workspace, ".opensymphony", "tools.json")
  /** Opens a run, and returns how to end it. */
  const begin = Effect.fnUntraced(function* (identifier: string, runId: string) {
    const scope = yield* Scope.make()
    const run = yield* World.openRun(world, identifier, runId).pipe(Scope.provide(scope))
    return { ...run, end: Scope.close(scope, Exit.void) }
  })
  const says = (name: string, input: object = {}) =>
    Effect.map(bridge.call(name, input), ({ content, isError }) => {
      const [part] = content
      return `${isError === true ? "refused: " : ""}${part?.type === "text" ? part.text : ""}`
    })
  return { world, bridge, begin, fs, file, path, says }
})

const test = (name: string, body: (scene: Effect.Success<typeof setUp>) => Effect.Effect<void, unknown>) =>
  it.live(name, () => Effect.flatMap(setUp, body).pipe(Effect.provide(platform)))

describe("the bridge", () => {
  test("is the same command for every run", ({ begin, world }) =>
    Effect.gen(function* () {
      const { end, tools } = yield* begin("ENG-1", "run-1")
      assert.deepStrictEqual(tools.servers[0]?.bridge, {
        command: "opensymphony",
        args: ["linear-mcp", "--workspace", world.workspace]
      })
      yield* end
    }))

  test("reaches the run that is live, then the next one, and none between them", ({ begin, says, world }) =>
    Effect.gen(function* () {
      const first = yield* begin("ENG-1", "run-1")
      assert.include(yield* says("move_issue", { state: "Done" }), "Moved ENG-1")
      yield* first.end
      assert.include(yield* says("move_issue", { state: "Done" }), "refused: no run is live in")
      const second = yield* begin("ENG-2", "run-2")
      assert.include(yield* says("move_issue", { state: "Done" }), "Moved ENG-2")
      yield* second.end
      assert.strictEqual(world.linear.issue("ENG-2").state, "Done")
    }))

  test("passes on what a tool refuses", ({ begin, says }) =>
    Effect.gen(function* () {
      const { end } = yield* begin("ENG-1", "run-1")
      assert.include(yield* says("move_issue", { state: "Nowhere" }), 'refused: Team ENG has no state "Nowhere"')
      yield* end
    }))

  test("lists the tools also while no run is live", ({ begin, bridge }) =>
    Effect.gen(function* () {
      const without = yield* bridge.list
      const { end } = yield* begin("ENG-1", "run-1")
      const names = (yield* bridge.list).map(({ name }) => name)
      assert.deepStrictEqual(
        without.map(({ name }) => name),
        names
      )
      assert.include(names, "move_issue")
      yield* end
    }))

  test("says so when the orchestrator died and left its file", ({ begin, file, fs, says }) =>
    Effect.gen(function* () {
      const { end } = yield* begin("ENG-1", "run-1")
      const left = yield* fs.readFileString(file)
      yield* end
      yield* fs.writeFileString(file, left.replace(/:\d+/, ":1"))
      assert.match(yield* says("get_issue"), /^refused: the tools of this run cannot be reached/)
      yield* fs.writeFileString(file, left)
      assert.match(yield* says("get_issue"), /^refused: /)
    }))

  test("does not fall for a file that is none of ours", ({ file, fs, path, says }) =>
    Effect.gen(function* () {
      yield* fs.makeDirectory(path.dirname(file))
      const contents = ["", "{}", '{"url": 1}', "x".repeat(10_000), '{"url": "file:///etc/passwd", "token": "t"}']
      for (const content of contents) {
        yield* fs.writeFileString(file, content)
        assert.match(yield* says("get_issue"), /^refused: /)
      }
      yield* fs.remove(file)
      yield* fs.makeDirectory(file)
      assert.match(yield* says("get_issue"), /^refused: no run is live/)
    }))
})

describe("the file of a live run", () => {
  test("is for its user only, and gone with the run", ({ begin, file, fs, path }) =>
    Effect.gen(function* () {
      const { end, token } = yield* begin("ENG-1", "run-1")
      assert.strictEqual((yield* fs.stat(file)).mode & 0o777, 0o600)
      assert.strictEqual((yield* fs.stat(path.dirname(file))).mode & 0o777, 0o700)
      assert.include(yield* fs.readFileString(file), token)
      yield* end
      assert.deepStrictEqual(yield* fs.readDirectory(path.dirname(file)), [])
    }))

  test("stays when the next run has written its own before the last one ended", ({ begin, file, fs }) =>
    Effect.gen(function* () {
      const first = yield* begin("ENG-1", "run-1")
      const second = yield* begin("ENG-1", "run-2")
      yield* first.end
      assert.include(yield* fs.readFileString(file), second.token)
      yield* second.end
      assert.isFalse(yield* fs.exists(file))
    }))

  test("replaces a link instead of following it", ({ begin, file, fs, path }) =>
    Effect.gen(function* () {
      const victim = yield* fs.makeTempFileScoped()
      yield* fs.makeDirectory(path.dirname(file))
      yield* fs.symlink(victim, file)
      const { end } = yield* begin("ENG-1", "run-1")
      assert.strictEqual(yield* fs.readFileString(victim), "")
      yield* end
    }).pipe(Effect.scoped))

  test("is not written through a directory that is a link", ({ begin, file, fs, path }) =>
    Effect.gen(function* () {
      const elsewhere = yield* fs.makeTempDirectoryScoped()
      yield* fs.symlink(elsewhere, path.dirname(file))
      const error = yield* Effect.flip(begin("ENG-1", "run-1"))
      assert.match(String(error), /tools\.json could not be written \(\.opensymphony is not a directory\)/)
      assert.deepStrictEqual(yield* fs.readDirectory(elsewhere), [])
    }).pipe(Effect.scoped))
})
