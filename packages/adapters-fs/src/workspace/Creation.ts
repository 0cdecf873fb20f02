/**
 * Finds the directory of an issue, or makes it. A marker outside of it, written first and removed last, says that it is
 * unfinished; whatever happens in between, a directory that is there without marker is complete or a person's own.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { Workspace } from "@opensymphony/core/domain/Workspace"
import { WorkspaceConflict, type WorkspaceError, WorkspaceIoError } from "@opensymphony/core/ports/WorkspaceBackend"
import * as AtomicFile from "../AtomicFile.ts"
import { ProcessProbe } from "../process/ProcessProbe.ts"
import * as Git from "./Git.ts"
import * as Hooks from "./Hooks.ts"
import { orIoError } from "./IoError.ts"
import { type Leftover, ProcessLedger } from "./ProcessLedger.ts"
import * as RecordFile from "./RecordFile.ts"
import * as Removal from "./Removal.ts"
import * as RenamedIssue from "./RenamedIssue.ts"
import * as WorkspaceKey from "./WorkspaceKey.ts"
import type { Setup } from "./WorkspaceOptions.ts"
import { CreationMarker, newOwner, now, ownerFile } from "./WorkspaceRecord.ts"
import { inspect, pathOf, type WorkspaceRoot } from "./WorkspaceRoot.ts"

type Files = FileSystem.FileSystem | Path.Path
type Services = Files | ChildProcessSpawner | ProcessProbe | ProcessLedger

/** What a key means to an issue. */
type Claim =
  | { readonly _tag: "Free" }
  /** A directory or at least a marker of an attempt that did not finish. */
  | { readonly _tag: "Unfinished"; readonly marker: CreationMarker | null }
  /** A directory that nobody has claimed. */
  | { readonly _tag: "Unclaimed" }
  | { readonly _tag: "Owned" }
  | { readonly _tag: "Foreign"; readonly identifier: string }

const markerPath = (root: WorkspaceRoot, key: string) => Effect.map(Path.Path, (path) => path.join(root.creating, key))

const writeMarker = Effect.fnUntraced(function* (root: WorkspaceRoot, key: string, marker: CreationMarker) {
  const target = yield* markerPath(root, key)
  const text = yield* RecordFile.encode(CreationMarker, marker)
  yield* AtomicFile.write(target, text, { mode: 0o600 }).pipe(orIoError("write", target))
})

/** Writes the first marker of an attempt; false when the key has one by now. */
const createMarker = Effect.fnUntraced(function* (root: WorkspaceRoot, key: string, marker: CreationMarker) {
  const target = yield* markerPath(root, key)
  const text = yield* RecordFile.encode(CreationMarker, marker)
  return yield* AtomicFile.create(target, text, { mode: 0o600 }).pipe(
    Effect.as(true),
    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false)),
    orIoError("write", target)
  )
})

const removeMarker = Effect.fnUntraced(function* (root: WorkspaceRoot, key: string) {
  const fs = yield* FileSystem.FileSystem
  const target = yield* markerPath(root, key)
  yield* fs.remove(target, { recursive: true, force: true }).pipe(orIoError("remove", target))
})

/** The marker of a key: absent, or present with what could be read of it. */
export const readMarker = Effect.fnUntraced(function* (root: WorkspaceRoot, key: string) {
  const target = yield* markerPath(root, key)
  const decoded = yield* RecordFile.decodeFile(target, CreationMarker).pipe(orIoError("read", target))
  if (decoded._tag === "Missing") return { present: false, marker: null } as const
  return { present: true, marker: decoded._tag === "Read" ? decoded.value : null } as const
})

const claimOf = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  key: string,
  issue: Issue
): Effect.fn.Return<Claim, WorkspaceError, Files> {
  const presence = yield* inspect(root, key)
  const { marker, present } = yield* readMarker(root, key)
  if (present) {
    return marker !== null && marker.issueId !== issue.id
      ? { _tag: "Foreign", identifier: marker.identifier }
      : { _tag: "Unfinished", marker }
  }
  if (presence === "missing") return { _tag: "Free" }
  const owner = yield* RecordFile.readLogged(yield* pathOf(root, key), ownerFile)
  if (owner === null) return { _tag: "Unclaimed" }
  return owner.issueId === issue.id ? { _tag: "Owned" } : { _tag: "Foreign", identifier: owner.identifier }
})

/** A key that the issue may have, and what it means to it. */
interface Resolution {
  readonly key: string
  readonly claim: Exclude<Claim, { readonly _tag: "Foreign" }>
}

/** A directory that the issue has under an earlier identifier; its record names the present one from now on. */
const underEarlierIdentifier = Effect.fnUntraced(function* (root: WorkspaceRoot, issue: Issue) {
  const found = yield* RenamedIssue.find(root, issue)
  if (found === null || (yield* claimOf(root, found.key, issue))._tag !== "Owned") return null
  const path = yield* pathOf(root, found.key)
  if (found.owner.identifier !== issue.identifier) {
    yield* RecordFile.write(path, ownerFile, { ...found.owner, identifier: issue.identifier })
    yield* Effect.logInfo(`${path} stays the workspace of ${found.owner.identifier}, which is ${issue.identifier} now`)
  }
  return found.key
})

/** The key to use for an issue. The preferred one counts only where no other issue has it. */
const resolve = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  issue: Issue
): Effect.fn.Return<Resolution, WorkspaceError, Files> {
  const { distinct, preferred } = yield* WorkspaceKey.make(issue.identifier)
  const claim = yield* claimOf(root, preferred, issue)
  if (claim._tag === "Owned") return { key: preferred, claim }
  const other = distinct === preferred ? claim : yield* claimOf(root, distinct, issue)
  // The issue may have had to step aside for another one that is gone by now.
  if (other._tag === "Owned") return { key: distinct, claim: other }
  const earlier = yield* underEarlierIdentifier(root, issue)
  if (earlier !== null) return { key: earlier, claim: { _tag: "Owned" } }
  if (claim._tag !== "Foreign") return { key: preferred, claim }
  if (other._tag !== "Foreign") return { key: distinct, claim: other }
  const path = yield* pathOf(root, distinct)
  return yield* new WorkspaceConflict({
    path,
    message: `${path} belongs to the issue ${other.identifier}, so ${issue.identifier} cannot have it; move it away`
  })
})

/** Removes an unfinished directory, then its marker. */
const discard = Effect.fnUntraced(function* (root: WorkspaceRoot, key: string) {
  yield* Removal.moveAside(root, key)
  yield* removeMarker(root, key)
  yield* Removal.deleteMovedAside(root, key).pipe(
    Effect.catch((error) => Effect.logWarning(`${error.message}; it is tried again at the next start`))
  )
})

/** A workspace is free when nothing is left of earlier orchestrators in it. What may be a stranger's is only reported. */
export const requireEnded = Effect.fnUntraced(function* (path: string, leftovers: ReadonlyArray<Leftover>) {
  for (const { certain, message } of leftovers) {
    if (certain) return yield* new WorkspaceIoError({ path, message: `${path} is not free yet: ${message}` })
    yield* Effect.logWarning(`${path}: ${message}`)
  }
})

/** Ends what an unfinished attempt of an earlier orchestrator left running, and removes its directory. */
export const discardUnfinished = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  key: string,
  marker: CreationMarker | null
): Effect.fn.Return<void, WorkspaceError, Services> {
  const ledger = yield* ProcessLedger
  yield* requireEnded(yield* pathOf(root, key), yield* ledger.endInherited(marker?.processes ?? []))
  yield* discard(root, key)
})

/**
 * Makes the directory of a free key. An attempt that fails or is interrupted leaves neither directory nor marker. False
 * when somebody else took the key in this moment.
 */
const create = Effect.fnUntraced(function* (root: WorkspaceRoot, issue: Issue, key: string, setup: Setup) {
  const fs = yield* FileSystem.FileSystem
  const ledger = yield* ProcessLedger
  const path = yield* pathOf(root, key)
  const marker: CreationMarker = {
    version: 1,
    issueId: issue.id,
    identifier: issue.identifier,
    startedAt: yield* now,
    owner: (yield* ProcessProbe).self,
    processes: []
  }
  const markProcess = (pid: number) =>
    Effect.flatMap(ledger.entry(pid, "after_create"), (entry) =>
      entry === null ? Effect.void : writeMarker(root, key, { ...marker, processes: [entry] })
    )
  const populate = Hooks.run(setup.options, {
    hook: "after_create",
    issue,
    runId: null,
    attempt: null,
    workspacePath: path,
    onStart: markProcess,
    onEnd: () => Effect.void
  }).pipe(Effect.andThen(Git.exclude(path, setup.git)))

  return yield* Effect.uninterruptibleMask(
    Effect.fnUntraced(function* (restore) {
      if (!(yield* createMarker(root, key, marker))) return false
      const made = yield* fs.makeDirectory(path).pipe(
        Effect.as(true),
        Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false)),
        orIoError("create the workspace", path),
        Effect.onError(() => Effect.ignore(removeMarker(root, key)))
      )
      if (!made) {
        // Not made by this attempt, so not for this attempt to remove.
        yield* removeMarker(root, key)
        return false
      }
      yield* restore(populate).pipe(
        Effect.andThen(newOwner(issue)),
        Effect.flatMap((owner) => RecordFile.write(path, ownerFile, owner)),
        Effect.andThen(removeMarker(root, key)),
        Effect.onError(() =>
          Effect.catch(discard(root, key), (error) =>
            Effect.logWarning(`the unfinished workspace ${path} stays for now: ${error.message}`)
          )
        )
      )
      return true
    })
  )
})

/** A key can be lost to another issue, or a leftover stand in it, only so often in a row. */
const maxAttempts = 4

/** The workspace of an issue, ready for a run. At most one call per issue at a time. */
export const ensure = Effect.fnUntraced(function* (
  root: WorkspaceRoot,
  issue: Issue,
  setup: Setup
): Effect.fn.Return<Workspace, WorkspaceError, Services> {
  const ledger = yield* ProcessLedger
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const { claim, key } = yield* resolve(root, issue)
    const path = yield* pathOf(root, key)
    const workspace: Workspace = { issueId: issue.id, identifier: issue.identifier, key, path }
    switch (claim._tag) {
      case "Owned":
        yield* requireEnded(path, yield* ledger.endInheritedIn(path))
        yield* Git.exclude(path, setup.git)
        return workspace
      case "Unclaimed":
        yield* requireEnded(path, yield* ledger.endInheritedIn(path))
        yield* Effect.logInfo(`${path} was there without a record; it is used for ${issue.identifier} as it is`)
        yield* RecordFile.write(path, ownerFile, yield* newOwner(issue))
        yield* Git.exclude(path, setup.git)
        return workspace
      case "Unfinished":
        yield* discardUnfinished(root, key, claim.marker)
        break
      case "Free":
        if (yield* create(root, issue, key, setup)) return workspace
        break
    }
  }
  const path = yield* pathOf(root, (yield* WorkspaceKey.make(issue.identifier)).preferred)
  return yield* new WorkspaceConflict({ path, message: `${path} keeps being taken by others; it is tried again later` })
})
