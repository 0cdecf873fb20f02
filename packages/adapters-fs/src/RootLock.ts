/**
 * One orchestrator per workspace root: `<root>/.opensymphony/lock` names the process that has it. A lock whose process is
 * gone, or that says nothing readable, stops nobody.
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { WorkspaceIoError, type WorkspaceError } from "@opensymphony/core/ports/WorkspaceBackend"
import * as AtomicFile from "./AtomicFile.ts"
import { ProcessProbe } from "./process/ProcessProbe.ts"
import { orIoError } from "./workspace/IoError.ts"
import * as RecordFile from "./workspace/RecordFile.ts"
import * as WorkspaceRoot from "./workspace/WorkspaceRoot.ts"

const Holder = Schema.Struct({
  version: Schema.Literal(1),
  pid: Schema.Int,
  startTime: Schema.String,
  /** Absolute path of the WORKFLOW.md. */
  workflow: Schema.String,
  /** RFC 3339. */
  since: Schema.String,
  /** Tells locks of one process apart. */
  nonce: Schema.String
})
type Holder = typeof Holder.Type

/** Another orchestrator works in this root. */
export class RootLocked extends Data.TaggedError("RootLocked")<{
  readonly message: string
  readonly root: string
  /** The process that has the root. */
  readonly pid: number
}> {}

export interface RootLockOptions {
  /** Absolute path of the workspace root; made when it is not there. */
  readonly root: string
  /** Absolute path of the WORKFLOW.md, for the message that a second orchestrator shows. */
  readonly workflowPath: string
}

type Services = FileSystem.FileSystem | Path.Path | ProcessProbe

/** Several may want a stale lock at once; who steps back tries again after up to twice this time. */
const pauseMs = 25
const maxAttempts = 40

/**
 * Takes the root until the scope closes. Fails with {@link RootLocked} when a living process has it.
 */
export const acquire = (
  options: RootLockOptions
): Effect.Effect<void, RootLocked | WorkspaceError, Services | Scope.Scope> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const root = yield* WorkspaceRoot.open(options.root)
    const directory = path.join(root.path, WorkspaceRoot.ownDirectory)
    const probe = yield* ProcessProbe
    const holder: Holder = {
      version: 1,
      ...probe.self,
      workflow: options.workflowPath,
      since: DateTime.formatIso(yield* DateTime.now),
      nonce: (yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)).toString(36)
    }
    yield* Effect.acquireRelease(take(options.root, directory, holder), () => release(directory, holder))
  })

const lockPath = (directory: string) => Effect.map(Path.Path, (path) => path.join(directory, "lock"))

const readHolder = Effect.fnUntraced(function* (target: string) {
  const decoded = yield* RecordFile.decodeFile(target, Holder).pipe(orIoError("read", target))
  return { present: decoded._tag !== "Missing", holder: decoded._tag === "Read" ? decoded.value : null }
})

const isAlive = (holder: Holder) =>
  Effect.flatMap(ProcessProbe, (probe) =>
    Effect.map(probe.startTime(holder.pid), (startTime) => startTime === holder.startTime)
  )

/** Makes a file that names this orchestrator; false when there is one already. */
const claim = Effect.fnUntraced(function* (target: string, holder: Holder) {
  const text = yield* RecordFile.encode(Holder, holder)
  return yield* AtomicFile.create(target, text, { mode: 0o600 }).pipe(
    Effect.as(true),
    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false)),
    orIoError("write", target)
  )
})

const take = Effect.fnUntraced(function* (
  root: string,
  directory: string,
  holder: Holder
): Effect.fn.Return<void, RootLocked | WorkspaceError, Services> {
  const target = yield* lockPath(directory)
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (yield* claim(target, holder)) return
    const current = yield* readHolder(target)
    if (current.holder !== null && (yield* isAlive(current.holder))) {
      const { pid, since, workflow } = current.holder
      return yield* new RootLocked({
        root,
        pid,
        message:
          `the workspace root ${root} is in use by another opensymphony: process ${pid}, running ${workflow} since ${since}; ` +
          "stop it first, or give this workflow a workspace.root of its own"
      })
    }
    if (current.present) yield* removeStale(directory, holder)
    if (attempt > 0) yield* Effect.sleep(yield* Random.nextIntBetween(pauseMs, 2 * pauseMs))
  }
  return yield* new WorkspaceIoError({ path: target, message: `${target} is stale and cannot be replaced; remove it` })
})

/**
 * Removes a lock whose process is gone. Two that do this at once could remove each other's fresh locks, so each first
 * says that it is about to, under a name of its own, and steps back when somebody else has said so: whoever looks last
 * sees the other. These names carry the identity of a process, so those of dead processes can be removed by anybody.
 */
const removeStale = Effect.fnUntraced(function* (directory: string, holder: Holder) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const prefix = "lock-takeover-"
  const own = path.join(directory, `${prefix}${holder.pid}-${holder.nonce}`)
  const target = yield* lockPath(directory)

  const othersAtWork = Effect.gen(function* () {
    for (const name of yield* fs.readDirectory(directory).pipe(orIoError("list", directory))) {
      const other = path.join(directory, name)
      if (!name.startsWith(prefix) || other === own) continue
      const { holder: rival } = yield* readHolder(other)
      if (rival !== null && (yield* isAlive(rival))) return true
      yield* fs.remove(other, { force: true }).pipe(orIoError("remove", other))
    }
    return false
  })

  yield* Effect.acquireUseRelease(
    claim(own, holder),
    () =>
      Effect.gen(function* () {
        if (yield* othersAtWork) return
        const current = yield* readHolder(target)
        if (current.holder !== null && (yield* isAlive(current.holder))) return
        yield* fs.remove(target, { recursive: true, force: true }).pipe(orIoError("remove", target))
      }),
    () => Effect.ignore(fs.remove(own, { force: true }))
  )
})

/** Gives the root back. A lock that is somebody else's by now stays. */
const release = (directory: string, holder: Holder) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const target = yield* lockPath(directory)
    const current = yield* readHolder(target)
    if (current.holder?.nonce === holder.nonce) yield* fs.remove(target, { force: true })
  }).pipe(Effect.catch((error) => Effect.logWarning(`the lock of the workspace root stays behind: ${error.message}`)))
