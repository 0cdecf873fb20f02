import { assert, describe, it } from "@effect/vitest"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import { TurnScript } from "@opensymphony/adapters-openhands/testing"
import { Effect, FileSystem } from "effect"
import * as Scene from "../debug/Scene.ts"

const scripts = [
  { match: "Slowly", steps: [TurnScript.longCommand(600_000)] },
  { steps: [TurnScript.shell("echo 4711 > number"), TurnScript.finish("wrote the number")] }
]

const test = (name: string, options: Scene.SceneOptions, body: (scene: Scene.Scene) => Effect.Effect<void, any, any>) =>
  it.live(
    name,
    () =>
      Effect.flatMap(Scene.make({ ...options, server: { scripts, ...options.server } }), body).pipe(
        Effect.scoped,
        Effect.provide(Scene.platform)
      ) as Effect.Effect<void>
  )

const idsOf = ({ server }: Scene.Scene) => server.conversations().map(({ id }) => id)

describe("opensymphony rehydrate", () => {
  test(
    "puts a new conversation in place that knows what was done, and keeps the old one",
    {},
    Effect.fnUntraced(function* (scene) {
      const { conversation: old } = yield* scene.run("Do it.")
      const shown = yield* scene.rehydrate()
      assert.strictEqual(shown.status, 0, shown.message)
      const now = yield* scene.session
      assert.notStrictEqual(now, old)
      assert.sameMembers(idsOf(scene), [old, String(now)])
      const [told = ""] = scene.server.conversation(String(now))?.messages ?? []
      assert.include(told, "echo 4711 > number")
      assert.include(told, "wrote the number")
      assert.include(shown.lines.join("\n"), `conversation ${now}`)
      assert.include(shown.lines.join("\n"), `the one before, ${old}, is kept`)
    })
  )

  test(
    "is taken up by the next run",
    {},
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      yield* scene.rehydrate()
      const now = yield* scene.session
      const { conversation, result } = yield* scene.run("Go on.")
      assert.strictEqual(conversation, now)
      assert.strictEqual(result._tag, "Completed")
      assert.strictEqual(scene.server.conversation(conversation)?.messages.length, 2)
    })
  )

  test(
    "tells with --dry-run what it would do, and does nothing",
    {},
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      const shown = yield* scene.rehydrate({ dryRun: true })
      assert.strictEqual(shown.status, 0, shown.message)
      assert.include(shown.lines.join("\n"), "wrote the number")
      assert.deepStrictEqual(idsOf(scene), [conversation])
      assert.strictEqual(yield* scene.session, conversation)
    })
  )

  test(
    "hands no secret on",
    { server: { scripts: [{ steps: [TurnScript.finish(`the key is ${Scene.modelKey}`)] }] } },
    Effect.fnUntraced(function* (scene) {
      yield* scene.run("Do it.")
      yield* scene.rehydrate()
      const told = scene.server.conversation(String(yield* scene.session))?.messages.join("\n") ?? ""
      assert.include(told, "the key is ***")
    })
  )

  test(
    "makes do with the workspace when the old conversation is gone",
    {},
    Effect.fnUntraced(function* (scene) {
      yield* scene.record("ffffffff-0000-4000-8000-000000000000")
      const shown = yield* scene.rehydrate()
      assert.strictEqual(shown.status, 0, shown.message)
      assert.match(shown.lines.join("\n"), /is gone from the server: only the workspace/)
      assert.deepStrictEqual(idsOf(scene), [String(yield* scene.session)])
    })
  )

  for (const [what, effect] of [
    [
      "does not take what it is told",
      { on: "request", method: "POST", path: "/events$", effect: { type: "status", status: 500 } }
    ],
    [
      "does not show its events",
      { on: "request", method: "GET", path: "/events/search$", after: 2, effect: { type: "status", status: 400 } }
    ]
  ] as const) {
    test(
      `leaves everything as it was when the new conversation ${what}`,
      {},
      Effect.fnUntraced(function* (scene) {
        const { conversation } = yield* scene.run("Do it.")
        scene.server.fault(effect)
        const shown = yield* scene.rehydrate()
        assert.match(shown.message, /^the OpenHands agent-server could not /)
        assert.strictEqual(yield* scene.session, conversation)
        assert.deepStrictEqual(idsOf(scene), [conversation])
      })
    )
  }
})

const refuses = (
  name: string,
  options: Scene.SceneOptions,
  prepare: (scene: Scene.Scene) => Effect.Effect<unknown, any, any>,
  expected: RegExp
) =>
  test(
    name,
    options,
    Effect.fnUntraced(function* (scene) {
      yield* prepare(scene)
      const before = idsOf(scene)
      const shown = yield* scene.rehydrate()
      assert.match(shown.message, expected)
      assert.deepStrictEqual(idsOf(scene), before)
    })
  )

describe("opensymphony rehydrate refuses", () => {
  refuses(
    "while an orchestrator has the workspaces",
    {},
    (scene) =>
      Effect.andThen(scene.run("Do it."), RootLock.acquire({ root: scene.root, workflowPath: scene.workflow })),
    /^giving A-1 a new conversation needs the workspace root .* process \d+, has it; stop that first$/
  )
  refuses(
    "while the old conversation is at work",
    {},
    Effect.fnUntraced(function* (scene) {
      const { conversation } = yield* scene.run("Do it.")
      yield* Scene.setToWork(scene, conversation, "Slowly.")
    }),
    /^conversation \S+ of A-1 is running; wait until it is at rest: opensymphony debug A-1 --follow$/
  )
  refuses(
    "where nothing was done yet",
    {},
    (scene) => Effect.andThen(scene.run("Do it."), scene.rehydrate()),
    /^nothing was done yet in conversation \S+ of A-1/
  )
  refuses(
    "where every run begins a new conversation",
    { conversation: "reuse_policy: fresh_each_run" },
    () => Effect.void,
    /reuse_policy is fresh_each_run/
  )
  refuses("where nothing is on record", {}, (scene) => scene.workspace, /^A-1 has no conversation on record/)
  refuses("where there is no workspace", {}, () => Effect.void, /^A-1 has no workspace: its next run begins/)
  refuses(
    "where the issue is gone from the tracker",
    {},
    Effect.fnUntraced(function* (scene) {
      const fs = yield* FileSystem.FileSystem
      yield* scene.run("Do it.")
      yield* fs.remove(`${scene.directory}/issues/A-1.md`)
    }),
    /^A-1 is gone from the tracker/
  )
  refuses(
    "a server that is too old",
    { server: { version: "1.20.0" } },
    (scene) => scene.record("ffffffff-0000-4000-8000-000000000000"),
    /^the agent-server is version 1\.20\.0, /
  )
})
