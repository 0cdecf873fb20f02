/**
 * The directory that holds all workspaces, and the rule that nothing outside of it is ever touched: every path that is
 * created, entered or removed has gone through {@link inspect} or {@link locate}.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import {
  WorkspaceConflict,
  WorkspaceContainmentError,
  type WorkspaceError,
  WorkspaceIoError
} from "@opensymphony/core/ports/WorkspaceBackend"
import { explain, isNotFound, orIoError } from "./IoError.ts"
import * as WorkspaceKey from "./WorkspaceKey.ts"

/** Name of the orchestrator's own directory, in the root and in every workspace. */
export const ownDirectory = ".opensymphony"

export interface WorkspaceRoot {
  /** Absolute path as configured. */
  readonly path: string
  /** The same place without symbolic links. */
  readonly realPath: string
  /** One file per workspace that is not finished yet, named by its key. */
  readonly creating: string
  /** One directory per key with what is being deleted. */
  readonly removing: string
}

/** Information about what is at `path` itself, not where a link there leads; null when nothing is. */
export const lookAt = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.lstat(path).pipe(
    Effect.catchIf(isNotFound, () => Effect.succeed(null)),
    orIoError("look at", path)
  )
})

/** Makes a directory for this process' user alone, and refuses anything else that stands in its place. */
const makePrivateDirectory = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  if ((yield* lookAt(path)) === null) {
    yield* fs.makeDirectory(path, { mode: 0o700 }).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      orIoError("create", path)
    )
  }
  if ((yield* lookAt(path))?.type !== "Directory") {
    return yield* new WorkspaceContainmentError({
      path,
      message: `${path} must be a directory of opensymphony's own; move what is there away`
    })
  }
})

/** Makes the root where needed, and checks that workspaces can be created in it. */
export const open = Effect.fnUntraced(function* (
  root: string
): Effect.fn.Return<WorkspaceRoot, WorkspaceError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const unusable = (problem: string) =>
    new WorkspaceIoError({
      path: root,
      message: `the workspace root ${root} cannot be used: ${problem}; mend it or set workspace.root to another directory`
    })
  const own = path.join(root, ownDirectory)
  const opened: WorkspaceRoot = yield* Effect.gen(function* () {
    yield* fs.makeDirectory(root, { recursive: true })
    const realPath = yield* fs.realPath(root)
    if ((yield* fs.stat(realPath)).type !== "Directory") return yield* unusable("it is not a directory")
    yield* fs.access(realPath, { readable: true, writable: true })
    return { path: root, realPath, creating: path.join(own, "creating"), removing: path.join(own, "removing") }
  }).pipe(Effect.catchTag("PlatformError", (error) => unusable(explain(error))))
  for (const directory of [own, opened.creating, opened.removing]) yield* makePrivateDirectory(directory)
  return opened
})

/** The path of a key. */
export const pathOf = (root: WorkspaceRoot, key: string): Effect.Effect<string, never, Path.Path> =>
  Effect.map(Path.Path, (path) => path.join(root.path, key))

/** Whether the directory of a key is there. Anything but a real directory directly inside the root is refused. */
export const inspect = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  key: string
): Effect.fn.Return<"missing" | "directory", WorkspaceError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const target = path.join(root.path, key)
  const outside = () =>
    new WorkspaceContainmentError({
      path: target,
      message: `${target} is not directly inside the workspace root ${root.path}; it is left alone`
    })
  if (!WorkspaceKey.isKey(key)) return yield* outside()
  const info = yield* lookAt(target)
  if (info === null) return "missing"
  if (info.type === "SymbolicLink") {
    return yield* new WorkspaceContainmentError({
      path: target,
      message: `${target} is a symbolic link where a workspace should be; it is not followed: remove or rename it`
    })
  }
  if (info.type !== "Directory") {
    return yield* new WorkspaceConflict({
      path: target,
      message: `${target} is not a directory, but a workspace should be there; remove or rename it`
    })
  }
  const realPath = yield* fs.realPath(target).pipe(orIoError("resolve", target))
  if (path.dirname(realPath) !== root.realPath) return yield* outside()
  return "directory"
})

/** {@link inspect} for a workspace that somebody else names; its path must be the one of its key. */
export const locate = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  workspace: Workspace
): Effect.fn.Return<"missing" | "directory", WorkspaceError, FileSystem.FileSystem | Path.Path> {
  const path = yield* Path.Path
  if (path.resolve(workspace.path) !== path.resolve(root.path, workspace.key)) {
    return yield* new WorkspaceContainmentError({
      path: workspace.path,
      message: `${workspace.path} is not the workspace ${workspace.key} of the root ${root.path}; it is left alone`
    })
  }
  return yield* inspect(root, workspace.key)
})

/** {@link locate}, and an error where the workspace is gone. */
export const requirePresent = Effect.fnUntraced(function* (root: WorkspaceRoot, workspace: Workspace) {
  if ((yield* locate(root, workspace)) === "missing") {
    return yield* new WorkspaceIoError({
      path: workspace.path,
      message: `the workspace ${workspace.path} of ${workspace.identifier} is gone; it is created again by the next run`
    })
  }
})
