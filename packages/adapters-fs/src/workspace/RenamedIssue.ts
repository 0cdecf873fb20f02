/**
 * Finds the workspace of an issue whose identifier changed since it was made: trackers rename issues that move to
 * another team. The directory keeps its name; the record in it says whose it is.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { Issue } from "@opensymphony/core/domain/Issue"
import { orIoError } from "./IoError.ts"
import * as RecordFile from "./RecordFile.ts"
import * as WorkspaceKey from "./WorkspaceKey.ts"
import { type OwnerRecord, ownerFile } from "./WorkspaceRecord.ts"
import { ownDirectory, pathOf, type WorkspaceRoot } from "./WorkspaceRoot.ts"

const concurrency = 16

/** The owner that a directory names; null where it names none, or cannot be read: that is for others to report. */
const ownerIn = Effect.fnUntraced(function* (root: WorkspaceRoot, key: string) {
  const path = yield* pathOf(root, key)
  return yield* Effect.catch(RecordFile.readLogged(path, ownerFile), () => Effect.succeed(null))
})

/** The key of a directory that belongs to this issue under an earlier identifier, and its record; null when none does. */
export const find = Effect.fnUntraced(function* (root: WorkspaceRoot, issue: Issue) {
  const fs = yield* FileSystem.FileSystem
  const entries = yield* fs.readDirectoryEntries(root.path).pipe(orIoError("list", root.path))
  const keys = entries
    .filter(({ name, type }) => type === "Directory" && name !== ownDirectory && WorkspaceKey.isKey(name))
    .map(({ name }) => name)
    .sort()
  const owners = yield* Effect.forEach(keys, (key) => Effect.map(ownerIn(root, key), (owner) => ({ key, owner })), {
    concurrency
  })
  const own = owners.find(
    (found): found is { readonly key: string; readonly owner: OwnerRecord } => found.owner?.issueId === issue.id
  )
  return own ?? null
})
