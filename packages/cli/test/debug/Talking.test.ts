import { assert, describe, it } from "@effect/vitest"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import { TurnScript } from "@opensymphony/adapters-openhands/testing"
import { Effect, Fiber, FileSystem } from "effect"
import { TestConsole } from "effect/testing"
import * as Scene from "./Scene.ts"

const test = (name: string, options: Scene.SceneOptions, body: (scene: Scene.Scene) => Effect.Effect<void, any, any>) =>
  it.live(
    name,
    () =>
      Effect.flatMap(Scene.make(options), body).pipe(
        Effect.scoped,
        Effect.provide(Scene.platform)
      ) as Effect.Effect<void>
  )

const first: TurnScript.TurnRule = { match: "Do it", steps: [TurnScript.finish("did it")] }
/** A turn that takes a second and a half. */
const slow: Scene.SceneOptions = {
  server: { scripts: [first, { match: "Slowly", steps: [TurnScript.longCommand(15_000), TurnScript.finish("slept")] }] }
}

const lines = Effect.map(TestConsole.logLines, (all) => all.map(String).join("\n"))

describe("opensymphony debug --follow", () => {
  test(
    "shows what comes until the turn has ended",
    slow,
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      yield* Scene.setToWork(scene, conversation, "Slowly.")
      const following = yield* Effect.forkChild(scene.debug({ follow: true }))
      yield* lines.pipe(
        Effect.delay("10 millis"),
        Effect.repeat({ until: (text) => text.includes("$ sleep 15") }),
        Effect.timeout("10 seconds")
      )
      assert.notInclude(yield* lines, "slept")
      const shown = yield* Fiber.join(following)
      assert.strictEqual(shown.status, 0, shown.message)
      const text = shown.lines.join("\n")
      assert.strictEqual(text.split("finished: slept").length, 2)
      assert.match(text, /\(at rest: finished\)$/)
    })
  )

  test(
    "ends at once where nothing is under way",
    { server: { scripts: [first] } },
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      const shown = yield* scene.debug({ follow: true })
      assert.match(shown.lines.at(-1) ?? "", /^\(at rest: finished; there is nothing to follow\)$/)
    })
  )

  test(
    "outlives answers that are lost",
    slow,
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      yield* Scene.setToWork(scene, conversation, "Slowly.")
      const following = yield* Effect.forkChild(scene.debug({ follow: true }))
      const asked = () => scene.server.requests().filter(({ query }) => query.includes("sort_order=TIMESTAMP&"))
      yield* Scene.eventually("it is followed", () => asked().length > 0)
      scene.server.fault({ on: "request", method: "GET", times: 3, effect: { type: "reset" } })
      const shown = yield* Fiber.join(following)
      assert.strictEqual(shown.status, 0, shown.message)
      assert.strictEqual(shown.lines.filter((line) => line.includes("finished: slept")).length, 1)
      assert.isTrue(scene.server.requests().some(({ status }) => status === 0))
    })
  )
})

describe("opensymphony debug --say", () => {
  const scripts = [
    first,
    { match: "What is in it?", steps: [TurnScript.shell("echo a file"), TurnScript.finish("one file")] },
    { match: "Break", steps: [TurnScript.fail("LLMServiceUnavailableError", "no model there")] },
    { match: "Slowly", steps: [TurnScript.longCommand(600_000)] }
  ]

  test(
    "says it and shows the turn",
    { server: { scripts } },
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      const shown = yield* scene.debug({ say: "What is in it?", limit: 1 })
      assert.strictEqual(shown.status, 0, shown.message)
      assert.deepStrictEqual(
        shown.lines
          .slice(2)
          .map((line) => line.slice(21))
          .filter((line) => !line.startsWith("server")),
        ["user    What is in it?", "agent   $ echo a file", "tool    exit 0: a file", "agent   finished: one file"]
      )
      assert.deepStrictEqual(scene.server.conversation(conversation)?.messages, ["Do it.", "What is in it?"])
    })
  )

  test(
    "fails with the reason when the turn does not end well",
    { server: { scripts } },
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      const shown = yield* scene.debug({ say: "Break." })
      assert.match(shown.message, /^the turn did not end well: .*no model there/)
    })
  )

  test(
    "is refused while an orchestrator has the workspaces, when reading is not",
    { server: { scripts } },
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      yield* RootLock.acquire({ root: scene.root, workflowPath: scene.workflow })
      const said = yield* scene.debug({ say: "What is in it?" })
      assert.match(
        said.message,
        /^saying something to the agent of A-1 needs the workspace root .* process \d+, has it; stop/
      )
      assert.deepStrictEqual(scene.server.conversation(conversation)?.messages, ["Do it."])
      assert.strictEqual((yield* scene.debug()).status, 0)
    })
  )

  test(
    "is refused while the agent is at work",
    { server: { scripts } },
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      yield* Scene.setToWork(scene, conversation, "Slowly.")
      const said = yield* scene.debug({ say: "What is in it?" })
      assert.match(said.message, /^conversation \S+ is running, .*--follow shows when$/)
      assert.strictEqual(scene.server.conversation(conversation)?.status, "running")
    })
  )

  test(
    "is refused where the workspace is gone",
    { server: { scripts } },
    Effect.fnUntraced(function* (scene) {
      const fs = yield* FileSystem.FileSystem
      yield* scene.run("Do it.")
      yield* fs.remove(`${scene.root}/A-1`, { recursive: true })
      assert.match((yield* scene.debug({ say: "What is in it?" })).message, /^A-1 has no workspace/)
    })
  )

  test(
    "gives the workspaces back",
    { server: { scripts } },
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      yield* scene.debug({ say: "What is in it?" })
      yield* RootLock.acquire({ root: scene.root, workflowPath: scene.workflow })
    })
  )
})
