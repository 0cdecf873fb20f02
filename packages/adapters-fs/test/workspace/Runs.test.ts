import { assert, describe, it } from "@effect/vitest"
import { RunId } from "@opensymphony/core/domain/Ids"
import { Outcome } from "@opensymphony/core/domain/Outcome"
import { Effect, Fiber, Logger } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Fixture from "./Fixture.ts"

const manifest = (path: string) => Fixture.readJson(join(path, ".opensymphony/run.json"))
const processes = (path: string) => {
  const file = join(path, ".opensymphony/processes.json")
  return Fixture.existsSync(file) ? (Fixture.readJson(file)["processes"] as ReadonlyArray<{ role: string }>) : []
}
const succeeded = Outcome.Succeeded({ summary: "did it" })

const started = (settings: Parameters<typeof Fixture.scene>[0] = {}) =>
  Effect.gen(function* () {
    const { root, workspaces } = yield* Fixture.scene(settings)
    const workspace = yield* workspaces.ensureWorkspace(Fixture.issue("A-1"))
    return { root, workspaces, workspace, run: Fixture.runOf(workspace) }
  })

describe("the manifest", () => {
  it.live("says preparing while before_run runs, prepared after it, and finished with the outcome at the end", () =>
    Effect.gen(function* () {
      const copy = (name: string) => `cp .opensymphony/run.json ../${name}.json`
      const { root, run, workspace, workspaces } = yield* started({
        hooks: { beforeRun: copy("before"), afterRun: copy("after") }
      })
      yield* workspaces.startRun(run)
      const prepared = manifest(workspace.path)
      yield* workspaces.finishRun(run, succeeded)
      const seen = [
        Fixture.readJson(join(root, "before.json")),
        prepared,
        Fixture.readJson(join(root, "after.json")),
        manifest(workspace.path)
      ]
      assert.deepStrictEqual(
        seen.map(({ outcome, status }) => [status, outcome]),
        [
          ["preparing", null],
          ["prepared", null],
          ["finishing", "succeeded"],
          ["finished", "succeeded"]
        ]
      )
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("says failed when before_run failed, which fails the start", () =>
    Effect.gen(function* () {
      const { run, workspace, workspaces } = yield* started({ hooks: { beforeRun: "echo no network; exit 4" } })
      const error = yield* Effect.flip(workspaces.startRun(run))
      assert.strictEqual(error._tag, "HookFailed")
      const { endedAt, outcome, reason, status } = manifest(workspace.path)
      assert.deepStrictEqual([status, outcome, typeof endedAt], ["finished", "failed", "string"])
      assert.include(String(reason), "no network")
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("says cancelled when before_run was interrupted, whose processes are gone", () =>
    Effect.gen(function* () {
      const { root, run, workspace, workspaces } = yield* started({
        hooks: { beforeRun: "echo $$ > ../pid; sleep 60 & wait" }
      })
      const fiber = yield* Effect.forkChild(workspaces.startRun(run))
      yield* Fixture.eventually(() => processes(workspace.path).length > 0 && Fixture.existsSync(join(root, "pid")))
      assert.deepStrictEqual(
        processes(workspace.path).map(({ role }) => role),
        ["before_run"]
      )
      yield* Fiber.interrupt(fiber)
      assert.isFalse(Fixture.groupRuns(Number(readFileSync(join(root, "pid"), "utf8"))))
      assert.deepStrictEqual(
        [manifest(workspace.path)["status"], manifest(workspace.path)["outcome"]],
        ["finished", "cancelled"]
      )
      assert.deepStrictEqual(processes(workspace.path), [])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is closed also when the interruption comes during after_run", () =>
    Effect.gen(function* () {
      const { root, run, workspace, workspaces } = yield* started({ hooks: { afterRun: "touch ../here; sleep 60" } })
      yield* workspaces.startRun(run)
      const fiber = yield* Effect.forkChild(workspaces.finishRun(run, succeeded))
      yield* Fixture.eventually(() => Fixture.existsSync(join(root, "here")))
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        [manifest(workspace.path)["status"], manifest(workspace.path)["outcome"]],
        ["finished", "succeeded"]
      )
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is written anew at the end when an agent deleted it", () =>
    Effect.gen(function* () {
      const { run, workspace, workspaces } = yield* started({ hooks: { beforeRun: "rm -rf .opensymphony" } })
      yield* workspaces.startRun(run)
      yield* workspaces.finishRun(run, succeeded)
      assert.deepStrictEqual(
        [manifest(workspace.path)["runId"], manifest(workspace.path)["status"]],
        ["run-1", "finished"]
      )
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("after_run", () => {
  it.live("logs its failure with issue and run, and changes nothing", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))
      const { run, workspaces } = yield* started({ hooks: { afterRun: "echo oops; exit 5" } })
      yield* workspaces.startRun(run)
      yield* workspaces.finishRun(run, succeeded).pipe(Effect.provide(Logger.layer([logger])))
      const line = lines.find((text) => text.includes("hooks.after_run")) ?? ""
      for (const part of ["level=WARN", "oops", "issue_id=A-1", "issue_identifier=A-1", "run_id=run-1"]) {
        assert.include(line, part)
      }
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("a hook", () => {
  it.live("that leaves a background child on its pipes ends at its deadline, with the child", () =>
    Effect.gen(function* () {
      const { root, run, workspaces } = yield* started({
        hooks: { beforeRun: "echo $$ > ../pid; echo started; sleep 60 & exit 0", timeoutMs: 400 }
      })
      const error = yield* Effect.flip(workspaces.startRun(run))
      assert.strictEqual(error._tag, "HookTimedOut")
      assert.include(error._tag === "HookTimedOut" ? error.outputTail : "", "started")
      assert.isFalse(Fixture.groupRuns(Number(readFileSync(join(root, "pid"), "utf8"))))
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("that floods its output is reported with a bounded tail", () =>
    Effect.gen(function* () {
      const { run, workspaces } = yield* started({
        hooks: { beforeRun: "yes flood | head -c 5000000; echo last; exit 1" }
      })
      const error = yield* Effect.flip(workspaces.startRun(run))
      const tail = error._tag === "HookFailed" ? error.outputTail : ""
      assert.isTrue(tail.endsWith("last\n") && tail.length < 20_000)
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("sees the issue, the run and what the workflow allows, and nothing else", () =>
    Effect.gen(function* () {
      process.env["SECRET_OF_THE_TEST"] = "hunter2"
      yield* Effect.addFinalizer(() => Effect.sync(() => delete process.env["SECRET_OF_THE_TEST"]))
      const { root, workspace, workspaces } = yield* started({
        hooks: { beforeRun: "env > ../env" },
        hookEnvironment: { ALLOWED: "yes" }
      })
      yield* workspaces.startRun({ ...Fixture.runOf(workspace), runId: RunId("run-7"), attempt: 2 })
      const lines = readFileSync(join(root, "env"), "utf8").split("\n")
      for (const line of [
        "ALLOWED=yes",
        "OPENSYMPHONY_ISSUE_IDENTIFIER=A-1",
        "OPENSYMPHONY_ISSUE_TITLE=The title of A-1",
        "OPENSYMPHONY_RUN_ID=run-7",
        "OPENSYMPHONY_ATTEMPT=2",
        `OPENSYMPHONY_WORKSPACE=${workspace.path}`,
        "OPENSYMPHONY_WORKFLOW=/somewhere/WORKFLOW.md"
      ]) {
        assert.include(lines, line)
      }
      assert.notInclude(lines.join("\n"), "hunter2")
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("the process of a hook", () => {
  it.live("is on record before the script does anything", () =>
    Effect.gen(function* () {
      const { root, run, workspaces } = yield* started({
        hooks: { beforeRun: "cp .opensymphony/processes.json ../seen.json; echo $$ > ../pid" }
      })
      yield* workspaces.startRun(run)
      const entries = Fixture.readJson(join(root, "seen.json"))["processes"] as ReadonlyArray<{ pid: number }>
      assert.deepStrictEqual(
        entries.map(({ pid }) => pid),
        [Number(readFileSync(join(root, "pid"), "utf8"))]
      )
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("reads nothing from standard input, and its shell counts lines as the workflow does", () =>
    Effect.gen(function* () {
      const { root, run, workspaces } = yield* started({
        hooks: { beforeRun: "cat > ../stdin\nno-such-command 2> ../line || true" }
      })
      yield* workspaces.startRun(run)
      assert.strictEqual(readFileSync(join(root, "stdin"), "utf8"), "")
      assert.match(readFileSync(join(root, "line"), "utf8"), /\b2:/)
    }).pipe(Effect.provide(Fixture.platform))
  )
})

describe("a recorded process", () => {
  it.live("is forgotten when the run has finished", () =>
    Effect.gen(function* () {
      const { run, workspace, workspaces } = yield* started()
      const pid = yield* Fixture.strayProcess(workspace.path)
      yield* workspaces.startRun(run)
      yield* workspaces.recordProcess(workspace, pid)
      assert.strictEqual(processes(workspace.path).length, 1)
      yield* workspaces.finishRun(run, succeeded)
      assert.deepStrictEqual(processes(workspace.path), [])
    }).pipe(Effect.provide(Fixture.platform))
  )

  it.live("is not lost when several are recorded at once", () =>
    Effect.gen(function* () {
      const { workspace, workspaces } = yield* started()
      const pids = yield* Effect.all(Array.from({ length: 5 }, () => Fixture.strayProcess(workspace.path)))
      yield* Effect.forEach(pids, (pid) => workspaces.recordProcess(workspace, pid), { concurrency: "unbounded" })
      assert.strictEqual(processes(workspace.path).length, 5)
    }).pipe(Effect.provide(Fixture.platform))
  )
})
