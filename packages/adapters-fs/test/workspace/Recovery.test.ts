import { assert, describe, it } from "@effect/vitest"
import { Outcome } from "@opensymphony/core/domain/Outcome"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import * as Fixture from "./Fixture.ts"

const file = (path: string, name: string) => join(path, ".opensymphony", name)
const change = (path: string, changes: Record<string, unknown>) =>
  Fixture.write(path, JSON.stringify({ ...Fixture.readJson(path), ...changes }))

/** A workspace with a run under way, as a crash would leave it: all owners in its records are gone. */
const crashed = Effect.gen(function* () {
  const { root, workspaces } = yield* Fixture.scene()
  const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
  yield* workspaces.startRun(Fixture.runOf(workspace))
  change(file(workspace.path, "run.json"), { owner: Fixture.deadOwner })
  return { root, workspace, workspaces }
})

const recordAs = (path: string, owner: unknown) => {
  const entries = Fixture.readJson(file(path, "processes.json"))["processes"] as ReadonlyArray<object>
  change(file(path, "processes.json"), { processes: entries.map((entry) => ({ ...entry, owner })) })
}

describe("recovery", () => {
  it.live("lists workspaces with the run that was interrupted, and says so in the manifest", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* crashed
      const { problems, workspaces: found } = yield* workspaces.recoverWorkspaces
      assert.deepStrictEqual(found, [{ workspace, interruptedRun: Fixture.runOf(workspace).runId }])
      assert.deepStrictEqual(problems, [])
      assert.strictEqual(Fixture.readJson(file(workspace.path, "run.json"))["status"], "interrupted")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("reports no interrupted run where the last one finished", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      yield* workspaces.startRun(Fixture.runOf(workspace))
      yield* workspaces.finishRun(Fixture.runOf(workspace), Outcome.Succeeded({ summary: null }))
      const { workspaces: found } = yield* workspaces.recoverWorkspaces
      assert.deepStrictEqual(found, [{ workspace, interruptedRun: null }])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("leaves runs and processes of this orchestrator alone", () =>
    Effect.gen(function* () {
      const { workspaces } = yield* Fixture.scene()
      const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      const pid = yield* Fixture.strayProcess(workspace.path)
      yield* workspaces.startRun(Fixture.runOf(workspace))
      yield* workspaces.recordProcess(workspace, pid)
      const { workspaces: found } = yield* workspaces.recoverWorkspaces
      assert.isNull(found[0]?.interruptedRun)
      assert.isTrue(Fixture.groupRuns(pid))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("ends the whole group of a process that an earlier orchestrator left", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* crashed
      const pid = yield* Fixture.strayProcess(workspace.path)
      yield* workspaces.recordProcess(workspace, pid)
      recordAs(workspace.path, Fixture.deadOwner)
      yield* workspaces.recoverWorkspaces
      assert.isFalse(Fixture.groupRuns(pid))
      assert.isFalse(Fixture.existsSync(file(workspace.path, "processes.json")))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("does not touch a process that only has the same number", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* crashed
      const pid = yield* Fixture.strayProcess(workspace.path)
      Fixture.write(
        file(workspace.path, "processes.json"),
        JSON.stringify({
          version: 1,
          processes: [{ pid, startTime: "another time", role: "agent", owner: Fixture.deadOwner }]
        })
      )
      yield* workspaces.recoverWorkspaces
      assert.isTrue(Fixture.groupRuns(pid))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("reports a group whose leader is gone and leaves it alone, because it may be a stranger's", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* crashed
      const pid = yield* Fixture.strayProcess(workspace.path)
      yield* workspaces.recordProcess(workspace, pid)
      recordAs(workspace.path, Fixture.deadOwner)
      process.kill(pid, "SIGKILL")
      const { problems } = yield* workspaces.recoverWorkspaces
      assert.strictEqual(problems.length, 1)
      assert.include(problems[0], `process group ${pid}`)
      assert.isTrue(Fixture.groupRuns(pid))
      yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("removes what was unfinished and deletes what was being removed", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      Fixture.write(join(root, "A-1/half"), "")
      Fixture.write(join(root, ".opensymphony/creating/A-1"), "half-writt")
      Fixture.write(join(root, ".opensymphony/removing/A-2/1/leftover"), "")
      const { problems } = yield* workspaces.recoverWorkspaces
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(readdirSync(root), [".opensymphony"])
      assert.deepStrictEqual(
        readdirSync(join(root, ".opensymphony")).map((name) => readdirSync(join(root, ".opensymphony", name)).length),
        [0, 0]
      )
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("ends an after_create that an earlier orchestrator left before it removes its directory", () =>
    Effect.gen(function* () {
      const { root, workspace, workspaces } = yield* crashed
      const pid = yield* Fixture.strayProcess(workspace.path)
      yield* workspaces.recordProcess(workspace, pid)
      recordAs(workspace.path, Fixture.deadOwner)
      const { processes } = Fixture.readJson(file(workspace.path, "processes.json"))
      Fixture.write(join(root, "B-1/half"), "")
      Fixture.write(
        join(root, ".opensymphony/creating/B-1"),
        JSON.stringify({
          version: 1,
          issueId: "B-1",
          identifier: "B-1",
          startedAt: "",
          owner: Fixture.deadOwner,
          processes
        })
      )
      yield* workspaces.recoverWorkspaces
      assert.isFalse(Fixture.groupRuns(pid))
      assert.isFalse(Fixture.existsSync(join(root, "B-1")))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("reports bad records and foreign directories in a line each, and lists the others", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      const good = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      const bad = yield* workspaces.ensureWorkspace(Fixture.issue("A-2"))
      Fixture.write(file(bad.path, "issue.json"), "{")
      Fixture.write(file(good.path, "run.json"), "}")
      mkdirSync(join(root, "somebody's"))
      mkdirSync(join(root, "nobody"))
      symlinkSync("/", join(root, "link"))
      const { problems, workspaces: found } = yield* workspaces.recoverWorkspaces
      assert.deepStrictEqual(found, [{ workspace: good, interruptedRun: null }])
      assert.strictEqual(problems.length, 4)
      assert.strictEqual(readFileSync(file(bad.path, "issue.json.unreadable-1"), "utf8"), "{")
      assert.isTrue(problems.every((line) => line.includes(root) && !line.includes("\n")))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("finds the workspaces of a root that was moved", () =>
    Effect.gen(function* () {
      const { root, workspaces } = yield* Fixture.scene()
      yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
      const moved = `${root}-moved`
      yield* Effect.promise(() => import("node:fs/promises").then((fs) => fs.rename(root, moved)))
      const there = yield* Fixture.backend({ root: moved })
      const { workspaces: found } = yield* there.recoverWorkspaces
      assert.deepStrictEqual(
        found.map(({ workspace }) => workspace.path),
        [join(moved, "A-1")]
      )
    }).pipe(Effect.provide(Fixture.platform))
  )
})
