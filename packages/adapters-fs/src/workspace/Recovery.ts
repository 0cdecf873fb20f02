/**
 * Takes stock of a root after a start: finishes what earlier orchestrators left half done, ends the processes they left
 * behind, and lists the workspaces. One bad directory costs a line in the report and nothing else.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import type { RecoveredWorkspace } from "@opensymphony/core/domain/Workspace"
import type { Recovery, WorkspaceError } from "@opensymphony/core/ports/WorkspaceBackend"
import * as AtomicFile from "../AtomicFile.ts"
import type { ProcessProbe } from "../process/ProcessProbe.ts"
import * as Creation from "./Creation.ts"
import { orIoError } from "./IoError.ts"
import { ProcessLedger } from "./ProcessLedger.ts"
import * as RecordFile from "./RecordFile.ts"
import * as Removal from "./Removal.ts"
import * as WorkspaceKey from "./WorkspaceKey.ts"
import { now, ownerFile, runFile } from "./WorkspaceRecord.ts"
import { inspect, ownDirectory, pathOf, type WorkspaceRoot } from "./WorkspaceRoot.ts"

type Services = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe | ProcessLedger

const concurrency = 16

interface Found {
  readonly workspace: RecoveredWorkspace | null
  readonly problems: ReadonlyArray<string>
}

/** Removes what creation left unfinished, unless this very orchestrator is creating it. */
const finishCreation = Effect.fnUntraced(function* (root: WorkspaceRoot, key: string) {
  const ledger = yield* ProcessLedger
  const { marker, present } = yield* Creation.readMarker(root, key)
  if (!present || (marker !== null && !(yield* ledger.isGone(marker.owner)))) return
  yield* Creation.discardUnfinished(root, key, marker)
})

const finishCreations = Effect.fnUntraced(function* (root: WorkspaceRoot) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(root.creating).pipe(orIoError("list", root.creating))
  const lines = yield* Effect.forEach(
    names,
    (name) => {
      const step = AtomicFile.isTemporaryName(name)
        ? Effect.ignore(fs.remove(path.join(root.creating, name), { force: true }))
        : finishCreation(root, name)
      return Effect.match(step, { onSuccess: () => null, onFailure: (error) => error.message })
    },
    { concurrency }
  )
  return lines.filter((line) => line !== null)
})

/** The run that its orchestrator did not finish, if there is one; its manifest says so from now on. */
const closeManifest = Effect.fnUntraced(function* (workspacePath: string, problems: Array<string>) {
  const ledger = yield* ProcessLedger
  const { problem, value: manifest } = yield* RecordFile.read(workspacePath, runFile)
  if (problem !== null) problems.push(problem)
  if (manifest === null || manifest.status === "finished") return null
  if (manifest.status === "interrupted") return RunId(manifest.runId)
  if (!(yield* ledger.isGone(manifest.owner))) return null
  if (manifest.status === "finishing") {
    yield* RecordFile.write(workspacePath, runFile, { ...manifest, status: "finished" })
    return null
  }
  yield* RecordFile.write(workspacePath, runFile, { ...manifest, status: "interrupted", endedAt: yield* now })
  return RunId(manifest.runId)
})

const recoverOne = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  key: string
): Effect.fn.Return<Found, WorkspaceError, Services> {
  const path = yield* pathOf(root, key)
  if (!WorkspaceKey.isKey(key)) return { workspace: null, problems: [`${path} is no workspace; it is left alone`] }
  if ((yield* inspect(root, key)) === "missing") return { workspace: null, problems: [] }
  // Still marked: it could not be removed, and that is reported already.
  if ((yield* Creation.readMarker(root, key)).present) return { workspace: null, problems: [] }

  const ledger = yield* ProcessLedger
  const problems = (yield* ledger.endInheritedIn(path)).map(({ message }) => `${path}: ${message}`)
  const owner = yield* RecordFile.read(path, ownerFile)
  const interruptedRun = yield* closeManifest(path, problems)
  if (owner.problem !== null) problems.push(owner.problem)
  if (owner.value === null) {
    return owner.problem !== null
      ? { workspace: null, problems }
      : { workspace: null, problems: [...problems, `${path} belongs to no issue (it has no record); it is left alone`] }
  }
  const { identifier, issueId } = owner.value
  return { workspace: { workspace: { issueId: IssueId(issueId), identifier, key, path }, interruptedRun }, problems }
})

/** Recovers a whole root. */
export const recover = Effect.fnUntraced(function* (
  root: WorkspaceRoot
): Effect.fn.Return<Recovery, WorkspaceError, Services> {
  const fs = yield* FileSystem.FileSystem
  const unfinished = yield* finishCreations(root)
  const leftovers = yield* Removal.deleteLeftovers(root)
  const entries = yield* fs.readDirectoryEntries(root.path).pipe(orIoError("list", root.path))
  const found = yield* Effect.forEach(
    entries
      .filter(({ name, type }) => type === "Directory" && name !== ownDirectory)
      .map(({ name }) => name)
      .sort(),
    (key) =>
      Effect.catch(recoverOne(root, key), (error) =>
        Effect.succeed<Found>({ workspace: null, problems: [error.message] })
      ),
    { concurrency }
  )
  return {
    workspaces: found.flatMap(({ workspace }) => (workspace === null ? [] : [workspace])),
    problems: [...unfinished, ...leftovers, ...found.flatMap(({ problems }) => problems)]
  }
})
