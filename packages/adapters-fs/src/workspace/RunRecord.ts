/** The manifest of the run in a workspace, true at every moment, and the hooks around the run. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import * as Outcome from "@opensymphony/core/domain/Outcome"
import type { PreparedRun } from "@opensymphony/core/domain/Run"
import type { HookName, WorkspaceError } from "@opensymphony/core/ports/WorkspaceBackend"
import { ProcessProbe } from "../process/ProcessProbe.ts"
import * as Git from "./Git.ts"
import * as Hooks from "./Hooks.ts"
import { ProcessLedger } from "./ProcessLedger.ts"
import * as RecordFile from "./RecordFile.ts"
import type { Setup } from "./WorkspaceOptions.ts"
import { newOwner, now, ownerFile, runFile, type RunManifest } from "./WorkspaceRecord.ts"

type Files = FileSystem.FileSystem | Path.Path
type Services = Files | ChildProcessSpawner | ProcessProbe | ProcessLedger

const maxReasonLength = 2_000

const writeManifest = (run: PreparedRun, manifest: RunManifest) =>
  RecordFile.write(run.workspace.path, runFile, manifest)

/** The manifest ended with an outcome. */
const ended = (manifest: RunManifest, status: "finishing" | "finished", outcome: Outcome.Outcome) =>
  Effect.map(now, (endedAt): RunManifest => ({
    ...manifest,
    status,
    endedAt,
    outcome: Outcome.name(outcome),
    reason: Outcome.reason(outcome)?.slice(0, maxReasonLength) ?? null
  }))

const newManifest = Effect.fnUntraced(function* (run: PreparedRun, startedAt: string | null) {
  return {
    version: 1,
    runId: run.runId,
    issueId: run.issue.id,
    identifier: run.issue.identifier,
    attempt: run.attempt,
    status: "preparing",
    startedAt,
    endedAt: null,
    outcome: null,
    reason: null,
    owner: (yield* ProcessProbe).self
  } satisfies RunManifest
})

/** A hook of a run, with its process in the workspace's record while it runs. */
export const hookRun = Effect.fnUntraced(function* (
  hook: HookName,
  run: Pick<PreparedRun, "issue" | "attempt" | "workspace"> & { readonly runId: PreparedRun["runId"] | null }
): Effect.fn.Return<Hooks.HookRun, never, ProcessLedger> {
  const ledger = yield* ProcessLedger
  const { path } = run.workspace
  return {
    hook,
    issue: run.issue,
    runId: run.runId,
    attempt: run.attempt,
    workspacePath: path,
    onStart: (pid) => ledger.record(path, pid, hook),
    onEnd: (pid) => ledger.forget(path, pid)
  }
})

/** Begins a run: manifest, then `before_run`. A failure or an interruption of the hook ends the run in the manifest too. */
export const start = Effect.fnUntraced(function* (
  run: PreparedRun,
  setup: Setup
): Effect.fn.Return<void, WorkspaceError, Services> {
  const { path } = run.workspace
  const owner = yield* RecordFile.readLogged(path, ownerFile)
  if (owner === null || owner.beforeRemoveRan) {
    yield* RecordFile.write(path, ownerFile, { ...(owner ?? (yield* newOwner(run.issue))), beforeRemoveRan: false })
  }
  const manifest = yield* newManifest(run, yield* now)
  const prepare = Effect.flatMap(hookRun("before_run", run), (request) => Hooks.run(setup.options, request))

  yield* Effect.uninterruptibleMask(
    Effect.fnUntraced(function* (restore) {
      yield* writeManifest(run, manifest)
      const exit = yield* Effect.exit(restore(Effect.andThen(prepare, Git.exclude(path, setup.git))))
      if (Exit.isSuccess(exit)) return yield* writeManifest(run, { ...manifest, status: "prepared" })
      const error = Option.getOrNull(Cause.findErrorOption(exit.cause))
      const outcome =
        error !== null
          ? Outcome.Outcome.Failed({ reason: error.message })
          : Outcome.Outcome.Cancelled({ reason: "stopped before the agent started" })
      yield* Effect.flatMap(ended(manifest, "finished", outcome), (last) => writeManifest(run, last)).pipe(
        Effect.catch((problem) => Effect.logWarning(problem.message))
      )
      return yield* exit
    })
  )
})

/** Ends a run: outcome into the manifest, then `after_run`; its processes are no longer on record. */
export const finish = Effect.fnUntraced(function* (
  run: PreparedRun,
  outcome: Outcome.Outcome,
  setup: Setup
): Effect.fn.Return<void, WorkspaceError, Services> {
  const { path } = run.workspace
  const ledger = yield* ProcessLedger
  yield* Effect.uninterruptibleMask(
    Effect.fnUntraced(function* (restore) {
      const found = yield* RecordFile.readLogged(path, runFile)
      const manifest = found !== null && found.runId === run.runId ? found : yield* newManifest(run, null)
      const closed = yield* ended(manifest, "finishing", outcome)
      yield* writeManifest(run, closed)
      const request = yield* hookRun("after_run", run)
      const exit = yield* Effect.exit(restore(Hooks.runLogged(setup.options, request)))
      yield* writeManifest(run, { ...closed, status: "finished" })
      yield* ledger.forget(path, null)
      return yield* exit
    })
  )
})
