import { assert, describe, it } from "@effect/vitest"
import { SessionId } from "@opensymphony/core/domain/Ids"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import * as Fixture from "./Fixture.ts"

const own = (path: string, ...names: ReadonlyArray<string>) => join(path, ".opensymphony", ...names)

describe("an unreadable record", () => {
  it.live.each([
    ["cut off", '{"version": 1, "issueId": "A'],
    ["empty", ""],
    ["of a later version", '{"version": 99, "issueId": "B"}'],
    ["not JSON", "\u0000\u0001"]
  ] as const)("is moved aside and written anew: %s", ([, text]) =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene({ hooks: { afterCreate: "touch made" } })
      const { path } = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      Fixture.write(own(path, "issue.json"), text)
      const again = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.strictEqual(again.path, path)
      assert.strictEqual(readFileSync(own(path, "issue.json.unreadable-1"), "utf8"), text)
      assert.strictEqual(Fixture.readJson(own(path, "issue.json"))["issueId"], "A-1")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("may also be a directory or a pipe", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const { path } = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      rmSync(own(path, "issue.json"))
      mkdirSync(own(path, "issue.json"))
      execFileSync("mkfifo", [own(path, "session.json")])
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.isNull(yield* workspaces.readSession(workspace))
      assert.isTrue(statSync(own(path, "issue.json")).isFile())
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is kept in a bounded number of versions", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const { path } = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      for (let round = 0; round < 15; round++) {
        Fixture.write(own(path, "issue.json"), `bad ${round}`)
        yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      }
      const versions = readdirSync(own(path)).filter((name) => name.includes("unreadable"))
      assert.strictEqual(versions.length, 9)
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("the session", () => {
  it.live("is null until one was written, and then what was written last", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.isNull(yield* workspaces.readSession(workspace))
      yield* workspaces.writeSession(workspace, SessionId("one"))
      yield* workspaces.writeSession(workspace, SessionId("two"))
      assert.strictEqual(yield* workspaces.readSession(workspace), "two")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("can be written after an agent wiped everything that git ignores", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene({ hooks: { afterCreate: "git init --quiet" } })
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      Fixture.git(workspace.path, "clean", "-fdxq")
      assert.isFalse(Fixture.existsSync(own(workspace.path)))
      yield* workspaces.writeSession(workspace, SessionId("one"))
      assert.strictEqual(statSync(own(workspace.path)).mode & 0o777, 0o700)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is not written where the workspace is gone", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      rmSync(workspace.path, { recursive: true })
      const error = yield* Effect.flip(workspaces.writeSession(workspace, SessionId("one")))
      assert.strictEqual(error._tag, "WorkspaceIoError")
      assert.isFalse(Fixture.existsSync(workspace.path))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is refused for a path outside the root", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const outside = yield* Fixture.temporaryDirectory
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      const error = yield* Effect.flip(workspaces.writeSession({ ...workspace, path: outside }, SessionId("one")))
      assert.strictEqual(error._tag, "WorkspaceContainmentError")
    }).pipe(Effect.provide(Fixture.platform))
  )
})
