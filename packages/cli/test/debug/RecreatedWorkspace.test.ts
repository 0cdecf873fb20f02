import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as RecreatedWorkspace from "../../src/debug/RecreatedWorkspace.ts"

/** Whether the workspace of A-1 is there after something was done while it was to leave no trace. */
const remains = (
  name: string,
  expected: boolean,
  happens: {
    readonly before?: (root: string) => ReadonlyArray<string>
    readonly during: (root: string) => ReadonlyArray<string>
  }
) =>
  it.effect(name, () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const root = yield* fs.makeTempDirectoryScoped()
      const make = (directories: ReadonlyArray<string>) =>
        Effect.forEach(directories, (directory) => fs.makeDirectory(directory, { recursive: true }))
      yield* make(happens.before?.(root) ?? [])
      const reading = Effect.andThen(RecreatedWorkspace.prevent(root, "A-1"), make(happens.during(root)))
      yield* Effect.scoped(reading)
      assert.strictEqual(yield* fs.exists(`${root}/A-1`), expected)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

describe("a workspace that the server makes again", () => {
  remains("is removed", false, { during: (root) => [`${root}/A-1/.git/objects`] })
  remains("is removed where it has no repository", false, { during: (root) => [`${root}/A-1`] })
  remains("stays when there is something in it", true, { during: (root) => [`${root}/A-1/.git`, `${root}/A-1/src`] })
  remains("stays when it was there before", true, {
    before: (root) => [`${root}/A-1/.git`],
    during: () => []
  })
  remains("stays when an orchestrator is making it", true, {
    during: (root) => [`${root}/A-1/.git`, `${root}/.opensymphony/creating/A-1`]
  })
})
