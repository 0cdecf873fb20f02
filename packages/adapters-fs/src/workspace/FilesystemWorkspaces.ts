/**
 * Workspaces as directories of one root. This module puts the pieces together; each rule has a module of its own:
 * `WorkspaceKey`, `WorkspaceRoot` (containment), `Creation`, `RunRecord`, `Recovery`, `Fingerprint`, `Evidence` and
 * `Cleanup`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { type RunId, SessionId } from "@opensymphony/core/domain/Ids"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import { WorkspaceBackend, type WorkspaceError, WorkspaceIoError } from "@opensymphony/core/ports/WorkspaceBackend"
import { ProcessProbe } from "../process/ProcessProbe.ts"
import * as Cleanup from "./Cleanup.ts"
import * as Creation from "./Creation.ts"
import * as Fingerprint from "./Fingerprint.ts"
import * as Git from "./Git.ts"
import * as KeyedLock from "./KeyedLock.ts"
import * as ProcessLedger from "./ProcessLedger.ts"
import * as RecordFile from "./RecordFile.ts"
import * as Recovery from "./Recovery.ts"
import * as RunRecord from "./RunRecord.ts"
import type { Setup, WorkspaceOptions } from "./WorkspaceOptions.ts"
import { sessionFile } from "./WorkspaceRecord.ts"
import * as WorkspaceRoot from "./WorkspaceRoot.ts"

export type { HookScripts, RemovalPolicy, WorkspaceOptions } from "./WorkspaceOptions.ts"

type Platform = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe
type Services = Platform | ProcessLedger.ProcessLedger

/** Lets the log lines of an operation say what they are about. */
const about = (issue: Pick<Issue, "id" | "identifier">, runId?: RunId) =>
  Effect.annotateLogs({
    issue_id: issue.id,
    issue_identifier: issue.identifier,
    ...(runId === undefined ? {} : { run_id: runId })
  })

const make = Effect.fnUntraced(function* (options: WorkspaceOptions) {
  // Only these: logging and time are the caller's.
  const context = Context.pick(
    FileSystem.FileSystem,
    Path.Path,
    ChildProcessSpawner,
    ProcessProbe,
    ProcessLedger.ProcessLedger
  )(yield* Effect.context<Services>())
  const perIssue = KeyedLock.make()
  // Fails the layer when the root cannot be used.
  yield* WorkspaceRoot.open(options.root)

  /** Opens the root again for every operation: somebody may have removed or replaced it. */
  const inRoot = <A>(
    use: (root: WorkspaceRoot.WorkspaceRoot, setup: Setup) => Effect.Effect<A, WorkspaceError, Services>
  ) =>
    WorkspaceRoot.open(options.root).pipe(
      Effect.flatMap((root) =>
        use(root, {
          options,
          git: {
            environment: options.hookEnvironment,
            ceiling: root.realPath,
            timeoutMs: Git.defaultTimeoutMs
          }
        })
      ),
      Effect.provideContext(context)
    )

  const inWorkspace = <A>(workspace: Workspace, use: (setup: Setup) => Effect.Effect<A, WorkspaceError, Services>) =>
    inRoot((root, setup) => Effect.andThen(WorkspaceRoot.requirePresent(root, workspace), use(setup)))

  return WorkspaceBackend.of({
    ensureWorkspace: (issue) =>
      inRoot((root, setup) => Creation.ensure(root, issue, setup)).pipe(about(issue), perIssue(issue.id)),
    recoverWorkspaces: inRoot(Recovery.recover),
    startRun: (run) =>
      inWorkspace(run.workspace, (setup) => RunRecord.start(run, setup)).pipe(about(run.issue, run.runId)),
    finishRun: (run, outcome) =>
      inWorkspace(run.workspace, (setup) => RunRecord.finish(run, outcome, setup)).pipe(about(run.issue, run.runId)),
    cleanupWorkspace: (workspace, issue) =>
      inRoot((root, setup) => Cleanup.cleanup(root, workspace, issue, setup)).pipe(about(issue), perIssue(issue.id)),
    fingerprint: (workspace) =>
      inWorkspace(workspace, ({ git }) =>
        Effect.mapError(
          Fingerprint.make(workspace.path, git),
          (error) => new WorkspaceIoError({ path: workspace.path, message: `no fingerprint: ${error.message}` })
        )
      ),
    readSession: (workspace) =>
      inWorkspace(workspace, () =>
        Effect.map(RecordFile.readLogged(workspace.path, sessionFile), (record) =>
          record === null ? null : SessionId(record.session)
        )
      ),
    writeSession: (workspace, session) =>
      inWorkspace(workspace, () => RecordFile.write(workspace.path, sessionFile, { version: 1, session })),
    recordProcess: (workspace, pid) =>
      inWorkspace(workspace, () =>
        Effect.flatMap(ProcessLedger.ProcessLedger, (ledger) => ledger.record(workspace.path, pid, "agent"))
      )
  })
})

/** The workspaces of one root. Building it makes the root, and fails when it cannot be used. */
export const layer = (options: WorkspaceOptions): Layer.Layer<WorkspaceBackend, WorkspaceError, Platform> =>
  Layer.provide(Layer.effect(WorkspaceBackend, make(options)), ProcessLedger.layer)
