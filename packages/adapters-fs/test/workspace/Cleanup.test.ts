import { assert, describe, it } from "@effect/vitest"
import { WorkspaceIoError } from "@opensymphony/core/ports/WorkspaceBackend"
import { Effect, FileSystem, PlatformError } from "effect"
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import * as Fixture from "./Fixture.ts"

const theIssue = Fixture.issue("A-1")

/** A workspace that is a clone of an origin with one commit. */
const cloned = (settings: Omit<Fixture.Settings, "root"> = {}) =>
  Effect.gen(function* () {
    const directory = yield* Fixture.temporaryDirectory
    const origin = Fixture.makeOrigin(directory)
    const { root, workspaces } = yield* Fixture.scene({
      ...settings,
      hooks: { afterCreate: `git clone --quiet ${origin} .`, ...settings.hooks }
    })
    const workspace = yield* workspaces.ensureWorkspace(theIssue)
    return { directory, origin, root, workspaces, workspace, path: workspace.path }
  })

/** What becomes of a clone after `change`: null when it was removed, else why it was kept. */
const verdict = (change: (path: string, origin: string) => void) =>
  Effect.gen(function* () {
    const { origin, path, workspace, workspaces } = yield* cloned()
    change(path, origin)
    const result = yield* workspaces.cleanupWorkspace(workspace, theIssue)
    assert.strictEqual(Fixture.existsSync(path), result._tag === "Kept")
    return result._tag === "Kept" ? result.reason : null
  })

const cases: ReadonlyArray<
  readonly [name: string, reason: string | null, change: (path: string, origin: string) => void]
> = [
  ["an untouched clone", null, () => {}],
  ["ignored files", null, (path) => Fixture.write(join(path, "ignored/build.o"), "x")],
  [
    "a commit that was pushed",
    null,
    (path) => {
      Fixture.commit(path, "new.txt", "x")
      Fixture.git(path, "push", "--quiet", "origin", "main")
    }
  ],
  ["a changed file", "uncommitted", (path) => writeFileSync(join(path, "tracked.txt"), "two\n")],
  [
    "a staged file",
    "uncommitted",
    (path) => {
      writeFileSync(join(path, "staged.txt"), "x")
      Fixture.git(path, "add", "staged.txt")
    }
  ],
  ["a deleted file", "uncommitted", (path) => rmSync(join(path, "tracked.txt"))],
  ["an untracked file", "untracked", (path) => Fixture.write(join(path, "deep/er/new.txt"), "x")],
  [
    "a stash",
    "stashed",
    (path) => {
      writeFileSync(join(path, "tracked.txt"), "two\n")
      Fixture.git(path, "stash", "--quiet")
    }
  ],
  ["a commit that was not pushed", "no remote", (path) => Fixture.commit(path, "new.txt", "x")],
  [
    "a commit on another local branch",
    "no remote",
    (path) => {
      Fixture.git(path, "checkout", "--quiet", "-b", "topic")
      Fixture.commit(path, "new.txt", "x")
      Fixture.git(path, "checkout", "--quiet", "main")
    }
  ],
  [
    "a commit on a detached HEAD",
    "no remote",
    (path) => {
      Fixture.git(path, "checkout", "--quiet", "--detach")
      Fixture.commit(path, "new.txt", "x")
    }
  ],
  [
    "changes that git is told to overlook",
    "overlook",
    (path) => {
      Fixture.git(path, "update-index", "--assume-unchanged", "tracked.txt")
      writeFileSync(join(path, "tracked.txt"), "two\n")
    }
  ],
  [
    "a nested repository in an ignored directory with its own commits",
    "no remote",
    (path, origin) => {
      Fixture.git(path, "clone", "--quiet", origin, "ignored/nested")
      Fixture.commit(join(path, "ignored/nested"), "new.txt", "x")
    }
  ],
  [
    "a nested clone in an ignored directory that is all on its remote",
    null,
    (path, origin) => void Fixture.git(path, "clone", "--quiet", origin, "ignored/nested")
  ],
  [
    "a bare repository in an ignored directory",
    "no remote",
    (path, origin) => void Fixture.git(path, "clone", "--quiet", "--bare", origin, "ignored/bare.git")
  ],
  [
    "a linked work tree elsewhere",
    "linked work trees",
    (path, origin) => void Fixture.git(path, "worktree", "add", "--quiet", "--detach", join(origin, "../elsewhere"))
  ],
  [
    "a submodule with a commit of its own",
    "sub",
    (path, origin) => {
      Fixture.git(path, "submodule", "--quiet", "add", origin, "sub")
      Fixture.git(path, "commit", "--quiet", "-m", "sub")
      Fixture.git(path, "push", "--quiet", "origin", "main")
      Fixture.commit(join(path, "sub"), "new.txt", "x")
    }
  ],
  [
    "a submodule that was removed from the work tree, with a commit that only its metadata has",
    "modules",
    (path, origin) => {
      Fixture.git(path, "submodule", "--quiet", "add", origin, "sub")
      Fixture.commit(join(path, "sub"), "new.txt", "x")
      Fixture.git(path, "add", "sub")
      Fixture.git(path, "commit", "--quiet", "-m", "sub")
      Fixture.git(path, "push", "--quiet", "origin", "main")
      Fixture.git(path, "submodule", "--quiet", "deinit", "--force", "sub")
    }
  ],
  ["a repository that git cannot read", "cannot read", (path) => writeFileSync(join(path, ".git/HEAD"), "nonsense")],
  [
    "a repository whose work tree is somewhere else",
    "cannot read",
    (path, origin) => void Fixture.git(path, "config", "core.worktree", join(origin, ".."))
  ]
]

describe("remove: clean", () => {
  for (const [name, reason, change] of cases) {
    it.live(`${reason === null ? "removes" : "keeps"} ${name}`, () =>
      Effect.gen(function* () {
        const found = yield* verdict(change)
        if (reason === null) assert.isNull(found)
        else assert.include(found, reason)
      }).pipe(Effect.provide(Fixture.platform))
    )
  }

  it.live("removes a workspace without a repository", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene({ hooks: { afterCreate: "echo work > file" } })
      const workspace = yield* workspaces.ensureWorkspace(theIssue)
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Removed")
      assert.isFalse(Fixture.existsSync(workspace.path))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("keeps a directory with an unpushed clone in a subdirectory", () =>
    Effect.gen(function* () {
      const origin = Fixture.makeOrigin(yield* Fixture.temporaryDirectory)
      const { workspaces } = yield* Fixture.scene({ hooks: { afterCreate: `git clone --quiet ${origin} repo` } })
      const workspace = yield* workspaces.ensureWorkspace(theIssue)
      Fixture.commit(join(workspace.path, "repo"), "new.txt", "x")
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Kept")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("does not take an outer repository for the workspace's own", () =>
    Effect.gen(function* () {
      const outer = yield* Fixture.temporaryDirectory
      Fixture.git(outer, "init", "--quiet")
      Fixture.write(join(outer, "uncommitted.txt"), "x")
      const workspaces = yield* Fixture.backend({ root: join(outer, "root") })
      const workspace = yield* workspaces.ensureWorkspace(theIssue)
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Removed")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("keeps a workspace whose .git is damaged so that git would find an outer repository", () =>
    Effect.gen(function* () {
      const outer = yield* Fixture.temporaryDirectory
      Fixture.git(outer, "init", "--quiet")
      const workspaces = yield* Fixture.backend({ root: join(outer, "root") })
      const workspace = yield* workspaces.ensureWorkspace(theIssue)
      mkdirSync(join(workspace.path, ".git"))
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Kept")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("keeps everything that has a repository when git cannot be started", () =>
    Effect.gen(function* () {
      const { path, root, workspace } = yield* cloned()
      const workspaces = yield* Fixture.backend({ root, hookEnvironment: { PATH: "/nonexistent" } })
      const result = yield* workspaces.cleanupWorkspace(workspace, theIssue)
      assert.strictEqual(result._tag, "Kept")
      assert.isTrue(Fixture.existsSync(path))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("does not run the hooks that a repository brings", () =>
    Effect.gen(function* () {
      const { path, root, workspace, workspaces } = yield* cloned()
      const helper = join(path, ".git/helper")
      writeFileSync(helper, `#!/bin/sh\ntouch ${join(root, "ran")}\n`)
      chmodSync(helper, 0o755)
      Fixture.git(path, "config", "core.fsmonitor", helper)
      yield* workspaces.cleanupWorkspace(workspace, theIssue)
      assert.isFalse(Fixture.existsSync(join(root, "ran")))
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("other policies", () => {
  it.live("always removes unfinished work too", () =>
    Effect.gen(function* () {
      const { path, workspace, workspaces } = yield* cloned({ remove: "always" })
      Fixture.commit(path, "new.txt", "x")
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Removed")
      assert.isFalse(Fixture.existsSync(path))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("never keeps everything and runs no hook", () =>
    Effect.gen(function* () {
      const { path, root, workspace, workspaces } = yield* cloned({
        remove: "never",
        hooks: { beforeRemove: "touch ../ran" }
      })
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Kept")
      assert.deepStrictEqual([Fixture.existsSync(path), Fixture.existsSync(join(root, "ran"))], [true, false])
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("before_remove", () => {
  const count = (root: string) =>
    Fixture.existsSync(join(root, "ran")) ? readFileSync(join(root, "ran"), "utf8").length : 0
  const beforeRemove = "printf x >> ../ran"

  it.live("does not run for what is kept", () =>
    Effect.gen(function* () {
      const { path, root, workspace, workspaces } = yield* cloned({ hooks: { beforeRemove } })
      Fixture.write(join(path, "new.txt"), "x")
      yield* workspaces.cleanupWorkspace(workspace, theIssue)
      assert.strictEqual(count(root), 0)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("runs before the removal, and its failure does not prevent it", () =>
    Effect.gen(function* () {
      const { path, root, workspace, workspaces } = yield* cloned({
        hooks: { beforeRemove: `${beforeRemove}; exit 1` }
      })
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Removed")
      assert.deepStrictEqual([Fixture.existsSync(path), count(root)], [false, 1])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("may make work that keeps the workspace, and does not run again for it until the next run", () =>
    Effect.gen(function* () {
      const { path, root, workspace, workspaces } = yield* cloned({
        hooks: { beforeRemove: `${beforeRemove}; touch new` }
      })
      const first = yield* workspaces.cleanupWorkspace(workspace, theIssue)
      rmSync(join(path, "new"))
      yield* workspaces.startRun(Fixture.runOf(workspace))
      const second = yield* workspaces.cleanupWorkspace(workspace, theIssue)
      assert.strictEqual(count(root), 2)
      rmSync(join(path, "new"))
      const third = yield* workspaces.cleanupWorkspace(workspace, theIssue)
      assert.deepStrictEqual([first._tag, second._tag, third._tag, count(root)], ["Kept", "Kept", "Removed", 2])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("may remove the workspace itself", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* cloned({ hooks: { beforeRemove: 'rm -rf "$OPENSYMPHONY_WORKSPACE"' } })
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Removed")
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("a removal", () => {
  /** A disk that refuses one kind of operation on some paths while `refuse` says so. */
  const stubborn = (operation: "remove" | "rename", refuse: { now: boolean }, part: string) =>
    Effect.map(FileSystem.FileSystem, (fs): FileSystem.FileSystem => {
      const denied = (path: string) =>
        Effect.fail(
          PlatformError.systemError({
            _tag: "PermissionDenied",
            module: "FileSystem",
            method: operation,
            pathOrDescriptor: path
          })
        )
      return operation === "remove"
        ? {
            ...fs,
            remove: (path, options) => (refuse.now && path.includes(part) ? denied(path) : fs.remove(path, options))
          }
        : { ...fs, rename: (from, to) => (refuse.now && to.includes(part) ? denied(from) : fs.rename(from, to)) }
    })

  for (const operation of ["remove", "rename"] as const) {
    it.live(`that the disk refuses (${operation}) fails by path, and its repetition runs no hook again`, () =>
      Effect.gen(function* () {
        const refuse = { now: true }
        const fs = yield* stubborn(operation, refuse, join("removing", "A-1"))
        const { root, workspaces } = yield* Fixture.scene({ hooks: { beforeRemove: "printf x >> ../ran" } }).pipe(
          Effect.provideService(FileSystem.FileSystem, fs)
        )
        const workspace = yield* workspaces.ensureWorkspace(theIssue)
        for (let round = 0; round < 2; round++) {
          const error = yield* Effect.flip(workspaces.cleanupWorkspace(workspace, theIssue))
          assert.instanceOf(error, WorkspaceIoError)
          assert.include(error.message, "A-1")
        }
        refuse.now = false
        assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Removed")
        assert.strictEqual(readFileSync(join(root, "ran"), "utf8"), "x")
        assert.deepStrictEqual(readdirSync(join(root, ".opensymphony/removing")), [])
      }).pipe(Effect.provide(Fixture.platform))
    )
  }

  it.live("of a workspace that is gone already counts as done", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* cloned()
      rmSync(workspace.path, { recursive: true })
      assert.strictEqual((yield* workspaces.cleanupWorkspace(workspace, theIssue))._tag, "Removed")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("refuses a link that took the workspace's place", () =>
    Effect.gen(function* () {
      const { root, workspace, workspaces } = yield* cloned({ remove: "always" })
      renameSync(workspace.path, join(root, "moved"))
      symlinkSync(join(root, "moved"), workspace.path)
      const error = yield* Effect.flip(workspaces.cleanupWorkspace(workspace, theIssue))
      assert.strictEqual(error._tag, "WorkspaceContainmentError")
      assert.isTrue(Fixture.existsSync(join(root, "moved/tracked.txt")))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live.each([["../victim"], [".."], ["."], [".opensymphony"]] as const)("refuses the key %j", ([key]) =>
    Effect.gen(function* () {
      const { root, workspace, workspaces } = yield* cloned({ remove: "always" })
      Fixture.write(join(root, "../victim/file"), "x")
      const error = yield* Effect.flip(
        workspaces.cleanupWorkspace({ ...workspace, key, path: join(root, key) }, theIssue)
      )
      assert.strictEqual(error._tag, "WorkspaceContainmentError")
      assert.isTrue(Fixture.existsSync(join(root, "../victim/file")))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("keeps a workspace of another root, which an earlier configuration had", () =>
    Effect.gen(function* () {
      const { root, workspace, workspaces } = yield* cloned({ remove: "always" })
      const path = join(root, "../elsewhere", workspace.key)
      Fixture.write(join(path, "file"), "x")
      const cleanup = yield* workspaces.cleanupWorkspace({ ...workspace, path }, theIssue)
      assert.strictEqual(cleanup._tag, "Kept")
      assert.isTrue(Fixture.existsSync(join(path, "file")))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("refuses a directory that another issue owns", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* cloned({ remove: "always" })
      const other = Fixture.issue("B-1")
      const error = yield* Effect.flip(workspaces.cleanupWorkspace({ ...workspace, issueId: other.id }, other))
      assert.strictEqual(error._tag, "WorkspaceConflict")
      assert.isTrue(Fixture.existsSync(workspace.path))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("waits for a process that is recorded and still there", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* cloned({ remove: "always" })
      yield* workspaces.recordProcess(workspace, yield* Fixture.strayProcess(workspace.path))
      const error = yield* Effect.flip(workspaces.cleanupWorkspace(workspace, theIssue))
      assert.strictEqual(error._tag, "WorkspaceIoError")
      assert.isTrue(Fixture.existsSync(workspace.path))
    }).pipe(Effect.provide(Fixture.platform))
  )
})
