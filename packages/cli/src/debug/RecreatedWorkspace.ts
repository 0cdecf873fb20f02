/**
 * The server makes the directory of a conversation whenever it loads it, and a repository in it (seen on 1.57.0). For an
 * issue whose workspace was removed that would leave a directory that nobody asked for, in which `after_create` is not run
 * when the issue is worked on again; so what reading alone has made is removed.
 */
import * as WorkspaceKey from "@opensymphony/adapters-fs/workspace/WorkspaceKey"
import { ownDirectory } from "@opensymphony/adapters-fs/workspace/WorkspaceRoot"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import { rmdir } from "node:fs/promises"

/** All that the server puts there. */
const repository = ".git"

const isThere = (target: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.orElseSucceed(fs.exists(target), () => true))

/** Removes the directory when there is nothing in it but the server's empty repository, and nobody else makes it now. */
const removeEmpty = Effect.fnUntraced(function* (root: string, key: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = path.join(root, key)
  if (yield* isThere(path.join(root, ownDirectory, "creating", key))) return
  const names = yield* Effect.orElseSucceed(fs.readDirectory(directory), () => null)
  if (names === null || names.some((name) => name !== repository)) return
  yield* fs.remove(path.join(directory, repository), { recursive: true, force: true })
  yield* Effect.tryPromise(() => rmdir(directory))
})

/** From now until the scope closes, the directories that this workspace could have are not made by reading. */
export const prevent = Effect.fnUntraced(function* (
  root: string,
  identifier: string
): Effect.fn.Return<void, never, FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const path = yield* Path.Path
  const { distinct, preferred } = yield* WorkspaceKey.make(identifier)
  const keys = [...new Set([preferred, distinct])]
  const absent = yield* Effect.filter(keys, (key) => Effect.map(isThere(path.join(root, key)), (there) => !there))
  yield* Effect.addFinalizer(() =>
    Effect.forEach(absent, (key) => Effect.ignore(removeEmpty(root, key)), { discard: true })
  )
})
