/**
 * Where an issue was worked on, and which session was recorded there: only looked at. An orchestrator may be at work in
 * it, so nothing is mended or moved aside.
 */
import * as RecordFile from "@opensymphony/adapters-fs/workspace/RecordFile"
import * as WorkspaceKey from "@opensymphony/adapters-fs/workspace/WorkspaceKey"
import { ownerFile, sessionFile } from "@opensymphony/adapters-fs/workspace/WorkspaceRecord"
import { ownDirectory } from "@opensymphony/adapters-fs/workspace/WorkspaceRoot"
import { IssueId } from "@opensymphony/core/domain/Ids"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

type Files = FileSystem.FileSystem | Path.Path

const concurrency = 16

/** What a record says; null when it is not there, or says nothing that can be read. */
const look = <A, I>(workspacePath: string, file: RecordFile.RecordFile<A, I>) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const target = path.join(yield* RecordFile.directoryOf(workspacePath), file.name)
    const decoded = yield* RecordFile.decodeFile(target, file.schema)
    return decoded._tag === "Read" ? decoded.value : null
  }).pipe(Effect.orElseSucceed(() => null))

const at = Effect.fnUntraced(function* (root: string, key: string): Effect.fn.Return<Workspace | null, never, Files> {
  const path = yield* Path.Path
  const directory = path.join(root, key)
  const owner = yield* look(directory, ownerFile)
  return owner === null ? null : { issueId: IssueId(owner.issueId), identifier: owner.identifier, key, path: directory }
})

const keysIn = Effect.fnUntraced(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const entries = yield* Effect.orElseSucceed(fs.readDirectoryEntries(root), () => [])
  return entries
    .filter(({ name, type }) => type === "Directory" && name !== ownDirectory && WorkspaceKey.isKey(name))
    .map(({ name }) => name)
    .toSorted()
})

const sameText = (self: string, that: string): boolean => self.toLowerCase() === that.toLowerCase()

/**
 * The workspace whose record names this issue, by identifier (whatever its case, where that is clear) or by id. Null when
 * there is none.
 */
export const find = Effect.fnUntraced(function* (
  root: string,
  wanted: string
): Effect.fn.Return<Workspace | null, never, Files> {
  const { distinct, preferred } = yield* WorkspaceKey.make(wanted)
  for (const key of [preferred, distinct]) {
    const workspace = yield* at(root, key)
    if (workspace?.identifier === wanted) return workspace
  }
  const keys = yield* keysIn(root)
  const all = (yield* Effect.forEach(keys, (key) => at(root, key), { concurrency })).filter((one) => one !== null)
  const exact = all.find(({ identifier, issueId }) => identifier === wanted || issueId === wanted)
  if (exact !== undefined) return exact
  const alike = all.filter(({ identifier }) => sameText(identifier, wanted))
  return alike.length === 1 ? (alike[0] ?? null) : null
})

/** The session that was recorded last; null when there is none. */
export const sessionOf = ({ path }: Workspace): Effect.Effect<string | null, never, Files> =>
  Effect.map(look(path, sessionFile), (record) => record?.session ?? null)
