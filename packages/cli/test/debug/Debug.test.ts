import { assert, describe, it } from "@effect/vitest"
import { TurnScript } from "@opensymphony/adapters-openhands/testing"
import { Effect, FileSystem } from "effect"
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

const script = (...steps: ReadonlyArray<TurnScript.TurnStep>): Scene.SceneOptions => ({
  server: { scripts: [{ steps }] }
})

const events = ({ lines }: Scene.Shown) => lines.filter((line) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}/.test(line))
const texts = (shown: Scene.Shown) => events(shown).map((line) => line.slice(21))

describe("opensymphony debug", () => {
  test(
    "shows who did what, commands with their exit codes",
    script(TurnScript.shell("echo hello; exit 3"), TurnScript.finish("did it")),
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      const shown = yield* scene.debug()
      assert.strictEqual(shown.status, 0, shown.message)
      assert.include(shown.lines[0] ?? "", `A-1: conversation ${conversation}, finished`)
      assert.deepStrictEqual(
        texts(shown).filter((text) => !text.startsWith("server")),
        ["user    Do it.", "agent   $ echo hello; exit 3", "tool    exit 3: hello", "agent   finished: did it"]
      )
    })
  )

  test(
    "shows the newest events only, and says that there are older ones",
    script(TurnScript.finish("did it")),
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      const shown = yield* scene.debug({ limit: 2 })
      assert.deepStrictEqual(texts(shown), ["agent   finished: did it", "server  status finished"])
      assert.isTrue(shown.lines.some((line) => line.includes("raise --limit")))
    })
  )

  test(
    "reads as many pages as it takes",
    script({ type: "chatter", count: 450, everyMs: 0 }, TurnScript.finish("did it")),
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      const shown = yield* scene.debug({ limit: 400 })
      assert.strictEqual(events(shown).length, 400)
      assert.strictEqual(new Set(texts(shown)).size, 400)
      assert.include(texts(shown).at(-1) ?? "", "status finished")
    })
  )

  test(
    "keeps an event on one line, and cannot be made to steer the terminal",
    script(TurnScript.finish("first\nsecond \u001b[31mred\u001b[0m \u202Ereversed")),
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      assert.include(texts(yield* scene.debug()), "agent   finished: first second red reversed")
    })
  )

  test(
    "shows messages in full on demand, with their own lines",
    script(TurnScript.finish(`first\n  second ${"x".repeat(500)}`)),
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      const text = (yield* scene.debug({ form: "full" })).lines.join("\n")
      assert.match(text, /finished: first\n {31}second x{500}$/m)
    })
  )

  test(
    "prints JSON for programs",
    script(TurnScript.shell("exit 4"), TurnScript.finish("did\nit")),
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      const shown = yield* scene.debug({ form: "json", limit: 4 })
      const [first, ...rest] = shown.lines.map((line) => JSON.parse(line))
      assert.deepInclude(first.conversation, { id: conversation, issue: "A-1", status: "finished", older: true })
      assert.strictEqual(rest.length, 4)
      assert.isTrue(rest.some(({ event }) => event.who === "tool" && event.exitCode === 4))
      assert.isTrue(rest.some(({ event }) => event.text === "finished: did\nit"))
    })
  )

  for (const form of ["lines", "full", "json"] as const) {
    test(
      `shows no secret (${form})`,
      script(TurnScript.finish(`keys: ${Scene.modelKey} ${Scene.sessionKey}`)),
      Effect.fnUntraced(function* (scene) {
        yield* scene.run("Do it.")
        const text = (yield* scene.debug({ form })).lines.join("\n")
        assert.include(text, "keys: *** ***")
        assert.notInclude(text, Scene.modelKey)
      })
    )
  }

  test(
    "finds the issue whatever the case of its letters",
    {},
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      assert.include((yield* scene.debug({ issue: "a-1" })).lines[0] ?? "", "A-1: conversation")
    })
  )

  test(
    "finds the conversation of an issue whose workspace is gone",
    {},
    Effect.fnUntraced(function* (scene) {
      const fs = yield* FileSystem.FileSystem
      const { conversation } = yield* scene.run("Do it.")
      yield* fs.remove(`${scene.root}/A-1`, { recursive: true })
      const shown = yield* scene.debug()
      assert.include(shown.lines[0] ?? "", conversation)
      assert.include(shown.lines[0] ?? "", "its workspace is gone")
    })
  )

  test(
    "shows a conversation that is not the one on record",
    {},
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      yield* scene.record("ffffffff-0000-4000-8000-000000000000")
      assert.include((yield* scene.debug({ conversation })).lines[0] ?? "", conversation)
    })
  )
})

const fails = (
  name: string,
  options: Scene.SceneOptions,
  prepare: (scene: Scene.Scene) => Effect.Effect<unknown, any, any>,
  expected: RegExp,
  issue = "A-1"
) =>
  test(
    name,
    options,
    Effect.fnUntraced(function* (scene) {
      yield* prepare(scene)
      const shown = yield* scene.debug({ issue })
      assert.match(shown.message, expected)
      assert.deepStrictEqual(shown.lines, [])
    })
  )

describe("opensymphony debug, when there is nothing to show", () => {
  const nothing = () => Effect.void
  fails("says that nobody knows the issue", {}, nothing, /^there is no issue B-7: .*check how .* spelled$/, "B-7")
  fails(
    "says that an issue was never worked on",
    {},
    nothing,
    /^A-1 has no workspace here, and the server at \S+ has no conversation of it/
  )
  fails(
    "says that no session is on record",
    {},
    (scene) => scene.workspace,
    /^no session of A-1 is on record in \S+workspaces\/A-1, /
  )
  fails(
    "says that another runtime worked on the issue",
    {},
    (scene) => scene.record("thread-4711"),
    /^the last session of A-1 was one of another runtime/
  )
  fails(
    "says that the conversation is gone",
    {},
    (scene) => scene.record("ffffffff-0000-4000-8000-000000000000"),
    /^conversation ffffffff-\S+ of A-1 is gone from the server .*begins a new one$/
  )
  fails(
    "says that the workflow's runtime has no conversations",
    { runtime: 'command: {run: "true"}' },
    nothing,
    /runs its issues with the runtime command, which has no conversations/
  )
  fails(
    "says that nobody answers",
    {},
    (scene) => Effect.andThen(scene.workspace, Effect.promise(scene.server.stop)),
    /does not answer as it should: nobody listens there; check that it runs/
  )
  fails(
    "says that the key is refused",
    { server: { apiKeys: ["another-session-key"] } },
    (scene) => scene.workspace,
    /refuses the session key .*check the key in SESSION_KEY/
  )
})
