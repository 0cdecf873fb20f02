/** Removes the workspace of a terminal issue: evidence, `before_remove`, evidence again, and then the directory. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import {
  Cleanup,
  WorkspaceConflict,
  type WorkspaceError,
  WorkspaceIoError
} from "@opensymphony/core/ports/WorkspaceBackend"
import type { ProcessProbe } from "../process/ProcessProbe.ts"
import * as Creation from "./Creation.ts"
import * as Evidence from "./Evidence.ts"
import * as Hooks from "./Hooks.ts"
import { ProcessLedger } from "./ProcessLedger.ts"
import * as RecordFile from "./RecordFile.ts"
import * as Removal from "./Removal.ts"
import { hookRun } from "./RunRecord.ts"
import type { Setup } from "./WorkspaceOptions.ts"
import { newOwner, ownerFile } from "./WorkspaceRecord.ts"
import { locate, type WorkspaceRoot } from "./WorkspaceRoot.ts"
import * as WorkspaceKey from "./WorkspaceKey.ts"

type Services = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe | ProcessLedger

/** Nothing that anybody started may still be at work in there. */
const requireQuiet = Effect.fnUntraced(function* (workspace: Workspace) {
  const { path } = workspace
  const ledger = yield* ProcessLedger
  yield* Creation.requireEnded(path, yield* ledger.endInheritedIn(path))
  const [busy] = yield* ledger.alive(path)
  if (busy !== undefined) {
    return yield* new WorkspaceIoError({
      path,
      message: `${path} is not removed: process group ${busy.pid} (${busy.role}) still works in it; it is tried again later`
    })
  }
})

/** Starts `before_remove`, unless that was done since the last run. */
const runBeforeRemove = Effect.fnUntraced(function* (workspace: Workspace, issue: Issue, setup: Setup) {
  if (setup.options.hooks.beforeRemove === null) return
  const owner = (yield* RecordFile.readLogged(workspace.path, ownerFile)) ?? (yield* newOwner(issue))
  if (owner.beforeRemoveRan) return
  yield* RecordFile.write(workspace.path, ownerFile, { ...owner, beforeRemoveRan: true })
  const request = yield* hookRun("before_remove", { workspace, issue, runId: null, attempt: null })
  yield* Hooks.runLogged(setup.options, request)
})

/** Removes a workspace where the policy and the evidence allow it. */
export const cleanup = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  workspace: Workspace,
  issue: Issue,
  setup: Setup
): Effect.fn.Return<Cleanup, WorkspaceError, Services> {
  const { key, path } = workspace
  const files = yield* Path.Path
  const isOfOtherRoot = files.dirname(files.resolve(path)) !== files.resolve(root.path)
  if (isOfOtherRoot && WorkspaceKey.isKey(key) && files.basename(path) === key) {
    return Cleanup.Kept({ reason: `it is outside the workspace root ${root.path}; an earlier workspace.root has it` })
  }
  const policy = setup.options.remove
  const evidence = policy === "clean" ? Evidence.reasonToKeep(path, setup.git) : Effect.succeed(null)

  if ((yield* locate(root, workspace)) === "missing") {
    yield* Removal.deleteMovedAside(root, key)
    return Cleanup.Removed()
  }
  if (policy === "never") return Cleanup.Kept({ reason: "workspace.remove is never" })

  const { marker, present } = yield* Creation.readMarker(root, key)
  const owner = present ? marker : yield* RecordFile.readLogged(path, ownerFile)
  if (owner !== null && owner.issueId !== workspace.issueId) {
    return yield* new WorkspaceConflict({
      path,
      message: `${path} belongs to the issue ${owner.identifier}, not to ${workspace.identifier}; it is left alone`
    })
  }
  if (present) {
    yield* Creation.discardUnfinished(root, key, marker)
    return Cleanup.Removed()
  }

  yield* requireQuiet(workspace)
  const before = yield* evidence
  if (before !== null) return Cleanup.Kept({ reason: before })
  yield* runBeforeRemove(workspace, issue, setup)
  if ((yield* locate(root, workspace)) === "directory") {
    const after = yield* evidence
    if (after !== null) return Cleanup.Kept({ reason: `since hooks.before_remove ran, ${after}` })
    yield* Removal.moveAside(root, key)
  }
  yield* Removal.deleteMovedAside(root, key)
  return Cleanup.Removed()
})
