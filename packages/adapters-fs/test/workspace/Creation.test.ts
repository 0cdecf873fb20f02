import { assert, describe, it } from "@effect/vitest"
import {
  WorkspaceConflict,
  WorkspaceContainmentError,
  WorkspaceIoError
} from "@opensymphony/core/ports/WorkspaceBackend"
import { Effect, Fiber } from "effect"
import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Fixture from "./Fixture.ts"

const record = (root: string, key: string) => join(root, key, ".opensymphony", "issue.json")

describe("a workspace", () => {
  it.live.each([["../../x"], ["."], ["y".repeat(300)], ["🎉 party"], ["a/b"], [".."], [".opensymphony"]] as const)(
    "lies directly inside the root for %j",
    ([identifier]) =>
      Effect.gen(function* () {
        const { root, workspaces } = yield* Fixture.scene()
        const workspace = yield* workspaces.ensureWorkspace(Fixture.issue(identifier))
        assert.strictEqual(dirname(workspace.path), root)
        assert.deepStrictEqual(
          readdirSync(root).filter((name) => name !== ".opensymphony"),
          [workspace.key]
        )
      }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is not shared by a/b and a_b, nor by ABC and abc", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const found = yield* Effect.forEach(["a/b", "a_b", "ABC", "abc"], (name) =>
        workspaces.ensureWorkspace(Fixture.issue(name))
      )
      assert.strictEqual(new Set(found.map(({ path }) => path)).size, 4)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("steps aside where the directory belongs to another issue, and stays there when that one is gone", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const first = yield* workspaces.ensureWorkspace(Fixture.issue("abc", "other"))
      const second = yield* workspaces.ensureWorkspace(Fixture.issue("abc", "mine"))
      assert.match(second.key, /^abc-[0-9a-f]{16}$/)
      yield* workspaces.cleanupWorkspace(first, Fixture.issue("abc", "other"))
      assert.strictEqual((yield* workspaces.ensureWorkspace(Fixture.issue("abc", "mine"))).path, second.path)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is a conflict where both of its names belong to other issues", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      yield* workspaces.ensureWorkspace(Fixture.issue("abc", "one"))
      yield* workspaces.ensureWorkspace(Fixture.issue("abc", "two"))
      const error = yield* Effect.flip(workspaces.ensureWorkspace(Fixture.issue("abc", "three")))
      assert.instanceOf(error, WorkspaceConflict)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("gets after_create once, in an empty directory at its final path", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene({
        hooks: { afterCreate: `ls -A | wc -l | tr -d ' ' >> ../count; pwd > here` }
      })
      yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.strictEqual(readFileSync(join(root, "count"), "utf8"), "0\n")
      assert.strictEqual(readFileSync(join(workspace.path, "here"), "utf8"), `${workspace.path}\n`)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("can be cloned into by after_create, and keeps its records out of the repository", () =>
    Effect.gen(function* () {
      const origin = Fixture.makeOrigin(yield* Fixture.temporaryDirectory)
      const { workspaces } = yield* Fixture.scene({ hooks: { afterCreate: `git clone --quiet ${origin} .` } })
      const { path } = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.include(readFileSync(join(path, ".git/info/exclude"), "utf8"), "\n.opensymphony/\n")
      assert.strictEqual(Fixture.git(path, "status", "--porcelain", "--ignored"), "!! .opensymphony/\n")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("excludes its records in a linked work tree as well", () =>
    Effect.gen(function* () {
      const directory = yield* Fixture.temporaryDirectory
      const seed = join(directory, "seed")
      Fixture.git(directory, "clone", "--quiet", Fixture.makeOrigin(directory), seed)
      const { workspaces } = yield* Fixture.scene({
        hooks: { afterCreate: `git -C ${seed} worktree add --quiet -b topic "$PWD"` }
      })
      yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.include(readFileSync(join(seed, ".git/info/exclude"), "utf8"), "\n.opensymphony/\n")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("keeps its records private", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.strictEqual(statSync(join(root, "A-1/.opensymphony")).mode & 0o777, 0o700)
      assert.strictEqual(statSync(record(root, "A-1")).mode & 0o777, 0o600)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("takes over a directory without a record as it is", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene({ hooks: { afterCreate: "exit 1" } })
      Fixture.write(join(root, "A-1/mine.txt"), "kept")
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.strictEqual(readFileSync(join(workspace.path, "mine.txt"), "utf8"), "kept")
      assert.strictEqual(Fixture.readJson(record(root, "A-1"))["issueId"], "A-1")
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("a broken after_create", () => {
  const left = (root: string) => ({
    entries: readdirSync(root).filter((name) => name !== ".opensymphony"),
    creating: readdirSync(join(root, ".opensymphony/creating")),
    removing: readdirSync(join(root, ".opensymphony/removing"))
  })
  const nothing = { entries: [], creating: [], removing: [] }

  it.live("fails with status and output, and leaves nothing", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene({
        hooks: { afterCreate: "echo half > file; echo cannot clone >&2; exit 3" }
      })
      const error = yield* Effect.flip(workspaces.ensureWorkspace(Fixture.issue("A-1")))
      assert.strictEqual(error._tag, "HookFailed")
      assert.include(error.message, "cannot clone")
      assert.deepStrictEqual(left(root), nothing)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("ends its background child at the deadline and leaves nothing", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene({
        hooks: { afterCreate: `echo $$ > ${"../pid"}; sleep 60 & exit 0`, timeoutMs: 500 }
      })
      const error = yield* Effect.flip(workspaces.ensureWorkspace(Fixture.issue("A-1")))
      assert.strictEqual(error._tag, "HookTimedOut")
      assert.isFalse(Fixture.groupRuns(Number(readFileSync(join(root, "pid"), "utf8"))))
      assert.deepStrictEqual({ ...left(root), entries: [] }, nothing)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("that is interrupted leaves nothing either", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene({ hooks: { afterCreate: "touch half; sleep 60" } })
      const fiber = yield* Effect.forkChild(workspaces.ensureWorkspace(Fixture.issue("A-1")))
      yield* Fixture.eventually(() => Fixture.existsSync(join(root, "A-1/half")))
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(left(root), nothing)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("runs again in an empty directory on the next attempt", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene({
        hooks: { afterCreate: 'test -z "$(ls -A)" || exit 9; touch made; test -e ../mended || exit 1' }
      })
      yield* Effect.flip(workspaces.ensureWorkspace(Fixture.issue("A-1")))
      Fixture.write(join(root, "mended"), "")
      const { path } = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.isTrue(Fixture.existsSync(join(path, "made")))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("does not delay another issue", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene({
        hooks: { afterCreate: 'test "$OPENSYMPHONY_ISSUE_IDENTIFIER" != A-1 || sleep 60' }
      })
      const stuck = yield* Effect.forkChild(workspaces.ensureWorkspace(Fixture.issue("A-1")))
      const other = yield* workspaces.ensureWorkspace(Fixture.issue("A-2"))
      assert.strictEqual(other.key, "A-2")
      yield* Fiber.interrupt(stuck)
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("what a crash in the middle of creation leaves", () => {
  const marker = {
    version: 1,
    issueId: "A-1",
    identifier: "A-1",
    startedAt: "",
    owner: Fixture.deadOwner,
    processes: []
  }

  it.live.each([
    ["readable", JSON.stringify(marker)],
    ["half-written", '{"version": 1, "iss']
  ] as const)("is removed before the next attempt: marker %s", ([, text]) =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene({ hooks: { afterCreate: 'test -z "$(ls -A)"' } })
      Fixture.write(join(root, "A-1/half"), "")
      Fixture.write(join(root, ".opensymphony/creating/A-1"), text)
      const { path } = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.isFalse(Fixture.existsSync(join(path, "half")))
      assert.deepStrictEqual(readdirSync(join(root, ".opensymphony/creating")), [])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is left to its own issue by another one with the same key", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      Fixture.write(join(root, "A-1/half"), "")
      Fixture.write(join(root, ".opensymphony/creating/A-1"), JSON.stringify({ ...marker, issueId: "another" }))
      const { key } = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.match(key, /^A-1-[0-9a-f]{16}$/)
      assert.isTrue(Fixture.existsSync(join(root, "A-1/half")))
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("something else in the place of a workspace", () => {
  it.live("is refused when it is a symbolic link, and its target is not touched", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      const outside = yield* Fixture.temporaryDirectory
      symlinkSync(outside, join(root, "A-1"))
      const error = yield* Effect.flip(workspaces.ensureWorkspace(Fixture.issue("A-1")))
      assert.instanceOf(error, WorkspaceContainmentError)
      assert.deepStrictEqual(readdirSync(outside), [])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is refused when it is a plain file", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      Fixture.write(join(root, "A-1"), "not a directory")
      const error = yield* Effect.flip(workspaces.ensureWorkspace(Fixture.issue("A-1")))
      assert.instanceOf(error, WorkspaceConflict)
      assert.isTrue(lstatSync(join(root, "A-1")).isFile())
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("does not make the orchestrator write through a link that an agent put in place of its records", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      const outside = yield* Fixture.temporaryDirectory
      mkdirSync(join(root, "A-1"))
      symlinkSync(outside, join(root, "A-1/.opensymphony"))
      yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.deepStrictEqual(readdirSync(outside), [])
      assert.isTrue(lstatSync(record(root, "A-1")).isFile())
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("a root that cannot be used", () => {
  it.live("is named, with what to do, when its parent is a file", () =>
    Effect.gen(function* () {
      const directory = yield* Fixture.temporaryDirectory
      Fixture.write(join(directory, "file"), "")
      const root = join(directory, "file/root")
      const error = yield* Effect.flip(Fixture.backend({ root }))
      assert.instanceOf(error, WorkspaceIoError)
      assert.include(error.message, root)
      assert.include(error.message, "workspace.root")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is named when it is a file", () =>
    Effect.gen(function* () {
      const root = join(yield* Fixture.temporaryDirectory, "file")
      Fixture.write(root, "")
      assert.instanceOf(yield* Effect.flip(Fixture.backend({ root })), WorkspaceIoError)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is refused when its own directory is a link", () =>
    Effect.gen(function* () {
      const directory = yield* Fixture.temporaryDirectory
      mkdirSync(join(directory, "root"))
      mkdirSync(join(directory, "elsewhere"))
      symlinkSync(join(directory, "elsewhere"), join(directory, "root/.opensymphony"))
      const error = yield* Effect.flip(Fixture.backend({ root: join(directory, "root") }))
      assert.instanceOf(error, WorkspaceContainmentError)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("may itself be reached through a link", () =>
    Effect.gen(function* () {
      const directory = yield* Fixture.temporaryDirectory
      mkdirSync(join(directory, "real"))
      symlinkSync(join(directory, "real"), join(directory, "link"))
      const workspaces = yield* Fixture.backend({ root: join(directory, "link") })
      const { path } = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      assert.strictEqual(path, join(directory, "link/A-1"))
    }).pipe(Effect.provide(Fixture.platform))
  )
})
