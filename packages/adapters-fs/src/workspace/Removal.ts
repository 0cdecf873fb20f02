/**
 * How a directory goes: first renamed, so that its place is free and no half of it is ever taken for a workspace, then
 * deleted. What a crash or a stubborn file leaves is found under `removing/` and tried again.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { type WorkspaceError, WorkspaceIoError } from "@opensymphony/core/ports/WorkspaceBackend"
import { explain, ioError, orIoError } from "./IoError.ts"
import { inspect, lookAt, pathOf, type WorkspaceRoot } from "./WorkspaceRoot.ts"

type Files = FileSystem.FileSystem | Path.Path

/** Time for deleting one directory; what is left is tried again later. */
const deleteTimeoutMs = 5 * 60_000

const nextNumber = (names: ReadonlyArray<string>): number =>
  names.reduce((highest, name) => Math.max(highest, Number.parseInt(name, 10) || 0), 0) + 1

/** Renames the directory of a key away from its place; nothing happens where there is none. */
export const moveAside = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  key: string
): Effect.fn.Return<void, WorkspaceError, Files> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if ((yield* inspect(root, key)) === "missing") return
  const target = yield* pathOf(root, key)
  const bin = path.join(root.removing, key)
  yield* Effect.gen(function* () {
    yield* fs.makeDirectory(bin, { recursive: true, mode: 0o700 })
    yield* fs.rename(target, path.join(bin, String(nextNumber(yield* fs.readDirectory(bin)))))
  }).pipe(orIoError("remove the workspace", target))
})

/** Directories without write permission (a module cache, say) keep their content from being deleted. */
const makeWritable = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const pending = [directory]
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    yield* fs.chmod(current, 0o700)
    for (const { name, type } of yield* fs.readDirectoryEntries(current)) {
      if (type === "Directory") pending.push(path.join(current, name))
    }
  }
})

const deleteTree = (directory: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const attempt = fs.remove(directory, { recursive: true, force: true })
    yield* Effect.catchReason(attempt, "PlatformError", "PermissionDenied", () =>
      Effect.andThen(Effect.ignore(makeWritable(directory)), attempt)
    )
  }).pipe(
    Effect.mapError(ioError("delete", directory)),
    Effect.timeoutOrElse({
      duration: deleteTimeoutMs,
      orElse: () =>
        new WorkspaceIoError({
          path: directory,
          message: `deleting ${directory} takes longer than ${deleteTimeoutMs} ms; it is tried again later`
        })
    })
  )

/** Deletes what {@link moveAside} put away for a key, now or earlier. */
export const deleteMovedAside = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  key: string
): Effect.fn.Return<void, WorkspaceError, Files> {
  const path = yield* Path.Path
  const bin = path.join(root.removing, key)
  if ((yield* lookAt(bin)) !== null) yield* deleteTree(bin)
})

/** Deletes everything that earlier removals left. One line for each that stays. */
export const deleteLeftovers = Effect.fnUntraced(function* (
  root: WorkspaceRoot
): Effect.fn.Return<ReadonlyArray<string>, never, Files> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* Effect.result(fs.readDirectory(root.removing))
  if (names._tag === "Failure") return [`cannot list ${root.removing}: ${explain(names.failure)}`]
  const results = yield* Effect.forEach(
    names.success,
    (name) =>
      Effect.match(deleteTree(path.join(root.removing, name)), {
        onFailure: (error) => error.message,
        onSuccess: () => null
      }),
    { concurrency: 4 }
  )
  return results.filter((line) => line !== null)
})
