import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as Fixture from "./Fixture.ts"

const id = "7c1c7c1e-0000-4000-8000-000000000001"
const before = Fixture.issue("ENG-1", id)
const after = Fixture.issue("OPS-7", id)

const directories = (root: string) => readdirSync(root).filter((name) => name !== ".opensymphony")

describe("the workspace of an issue whose identifier changes", () => {
  it.live("stays where it is, with the work in it", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene({ hooks: { afterCreate: "echo made >> created" } })
      const made = yield* workspaces.ensureWorkspace(before)
      Fixture.write(join(made.path, "work"), "half done")
      const found = yield* workspaces.ensureWorkspace(after)
      assert.deepStrictEqual([found.path, found.key, found.identifier], [made.path, "ENG-1", "OPS-7"])
      assert.deepStrictEqual(directories(root), ["ENG-1"])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is found under its new name after a restart", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      const made = yield* workspaces.ensureWorkspace(before)
      yield* workspaces.ensureWorkspace(after)
      const later = yield* Fixture.backend({ root })
      const { workspaces: recovered } = yield* later.recoverWorkspaces
      assert.deepStrictEqual(
        recovered.map(({ workspace }) => [workspace.issueId as string, workspace.identifier, workspace.path]),
        [[id, "OPS-7", made.path]]
      )
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("does not become that of a new issue with the old identifier", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const made = yield* workspaces.ensureWorkspace(before)
      yield* workspaces.ensureWorkspace(after)
      const other = yield* workspaces.ensureWorkspace(Fixture.issue("ENG-1", "another"))
      assert.notStrictEqual(other.path, made.path)
      assert.strictEqual((yield* workspaces.ensureWorkspace(after)).path, made.path)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is removed where it is", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      yield* workspaces.ensureWorkspace(before)
      const found = yield* workspaces.ensureWorkspace(after)
      assert.strictEqual((yield* workspaces.cleanupWorkspace(found, after))._tag, "Removed")
      assert.deepStrictEqual(directories(root), [])
    }).pipe(Effect.provide(Fixture.platform))
  )
})
