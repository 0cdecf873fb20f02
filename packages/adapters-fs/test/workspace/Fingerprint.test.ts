import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { appendFileSync, chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Fixture from "./Fixture.ts"

type Change = readonly [name: string, changes: boolean, change: (path: string) => void]

/** Whether a change in a workspace, prepared by `afterCreate`, changes its fingerprint. */
const isSeen = (afterCreate: string, change: (path: string) => void) =>
  Effect.gen(function* () {
    const { workspaces } = yield* Fixture.scene({ hooks: { afterCreate } })
    const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
    const before = yield* workspaces.fingerprint(workspace)
    assert.match(before, /^[0-9a-f]{64}$/)
    assert.strictEqual(yield* workspaces.fingerprint(workspace), before)
    change(workspace.path)
    return (yield* workspaces.fingerprint(workspace)) !== before
  })

const always: ReadonlyArray<Change> = [
  ["nothing", false, () => {}],
  ["the orchestrator's own files", false, (path) => Fixture.write(join(path, ".opensymphony/more.json"), "x")],
  ["a new file", true, (path) => Fixture.write(join(path, "new/file.txt"), "x")],
  ["the content of a file", true, (path) => writeFileSync(join(path, "tracked.txt"), "two\n")],
  ["the content of an untracked file", true, (path) => writeFileSync(join(path, "untracked.txt"), "two\n")],
  ["the time of a file", false, (path) => utimesSync(join(path, "tracked.txt"), 1, 1)],
  ["the time of an untracked file", false, (path) => utimesSync(join(path, "untracked.txt"), 1, 1)],
  ["a deleted file", true, (path) => rmSync(join(path, "tracked.txt"))],
  ["an empty directory", false, (path) => mkdirSync(join(path, "empty"))],
  [
    "where a link leads",
    true,
    (path) => {
      rmSync(join(path, "link"))
      symlinkSync("elsewhere", join(path, "link"))
    }
  ],
  ["a pipe that nobody writes to", false, (path) => void execFileSync("mkfifo", [join(path, "pipe")])]
]

const inGit: ReadonlyArray<Change> = [
  ["an ignored file", false, (path) => Fixture.write(join(path, "ignored/file"), "x")],
  ["a commit", true, (path) => void Fixture.git(path, "commit", "--quiet", "--allow-empty", "-m", "x")],
  ["a staged change", true, (path) => void Fixture.git(path, "add", "untracked.txt")],
  ["a new branch without a commit", false, (path) => void Fixture.git(path, "checkout", "--quiet", "-b", "topic")],
  ["a remote that moved", false, (path) => void Fixture.git(path, "update-ref", "refs/remotes/origin/other", "HEAD")],
  [
    "a file that is still modified, with other content",
    true,
    (path) => writeFileSync(join(path, "modified.txt"), "three\n")
  ],
  ["the mode of an untracked file", false, (path) => chmodSync(join(path, "untracked.txt"), 0o700)],
  ["a change that was rewritten in the same size", true, (path) => writeFileSync(join(path, "modified.txt"), "owt\n")],
  ["a change in a nested repository", true, (path) => appendFileSync(join(path, "nested/tracked.txt"), "more\n")]
]

const withoutGit: ReadonlyArray<Change> = [
  ["the same bytes written again", false, (path) => writeFileSync(join(path, "tracked.txt"), "one\n")],
  ["a file renamed", true, (path) => void execFileSync("mv", [join(path, "tracked.txt"), join(path, "renamed.txt")])],
  ["a change in a repository below", true, (path) => appendFileSync(join(path, "nested/tracked.txt"), "more\n")],
  [
    "a fetch in a repository below",
    false,
    (path) => void Fixture.git(join(path, "nested"), "update-ref", "refs/remotes/origin/x", "HEAD")
  ]
]

const nested = "git clone --quiet $ORIGIN nested"
const files = "echo one > tracked.txt; echo one > untracked.txt; ln -s somewhere link"

const scripts = {
  git: `git clone --quiet $ORIGIN . && echo one > modified.txt && git add modified.txt &&
    git -c user.name=T -c user.email=t@example.org commit --quiet -m more && echo two > modified.txt &&
    echo one > untracked.txt && ln -s somewhere link && ${nested}`,
  unborn: `git init --quiet . && ${files}`,
  plain: `${files} && ${nested}`
}

const table: ReadonlyArray<readonly [kind: string, script: string, changes: ReadonlyArray<Change>]> = [
  ["in a git repository", scripts.git, [...always, ...inGit]],
  ["in a repository without a commit", scripts.unborn, always],
  ["without git", scripts.plain, [...always, ...withoutGit]]
]

for (const [kind, script, changes] of table) {
  describe(`the fingerprint ${kind}`, () => {
    for (const [name, changed, change] of changes) {
      it.live(`${changed ? "changes with" : "does not change with"} ${name}`, () =>
        Effect.gen(function* () {
          const origin = Fixture.makeOrigin(yield* Fixture.temporaryDirectory)
          assert.strictEqual(yield* isSeen(script.replaceAll("$ORIGIN", origin), change), changed)
        }).pipe(Effect.provide(Fixture.platform))
      )
    }
  })
}

describe("the fingerprint", () => {
  it.live("sees a change at the end of a file of several megabytes", () =>
    Effect.gen(function* () {
      const seen = yield* isSeen("head -c 3500000 /dev/zero > large", (path) => {
        writeFileSync(join(path, "large"), Buffer.concat([Buffer.alloc(3_499_999), Buffer.from("x")]))
      })
      assert.isTrue(seen)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("does not look into an outer repository", () =>
    Effect.gen(function* () {
      const outer = yield* Fixture.temporaryDirectory
      Fixture.git(outer, "init", "--quiet")
      const workspaces = yield* Fixture.backend({ root: join(outer, "root") })
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      const before = yield* workspaces.fingerprint(workspace)
      Fixture.write(join(outer, "elsewhere.txt"), "x")
      assert.strictEqual(yield* workspaces.fingerprint(workspace), before)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("does not write into the repository", () =>
    Effect.gen(function* () {
      const origin = Fixture.makeOrigin(yield* Fixture.temporaryDirectory)
      const { workspaces } = yield* Fixture.scene({ hooks: { afterCreate: `git clone --quiet ${origin} .` } })
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      const state = () =>
        execFileSync("sh", ["-c", "find .git -type f | sort | xargs cksum"], { cwd: workspace.path }).toString()
      utimesSync(join(workspace.path, "tracked.txt"), 1, 1)
      const before = state()
      yield* workspaces.fingerprint(workspace)
      assert.strictEqual(state(), before)
    }).pipe(Effect.provide(Fixture.platform))
  )
})
