/**
 * The processes that work in workspaces, written down so that the next orchestrator finds and ends those that a crash
 * left behind. Known by pid and start time: a number that belongs to somebody else by now is never signalled.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { WorkspaceIoError } from "@opensymphony/core/ports/WorkspaceBackend"
import { ProcessProbe } from "../process/ProcessProbe.ts"
import * as KeyedLock from "./KeyedLock.ts"
import * as RecordFile from "./RecordFile.ts"
import { type ProcessEntry, type ProcessIdentity, processFile } from "./WorkspaceRecord.ts"

type Files = FileSystem.FileSystem | Path.Path

/** How inherited processes are ended: TERM, then KILL. */
const ending = { killAfterMs: 5_000, timeoutMs: 15_000 } as const

/** An inherited process that could not be ended. */
export interface Leftover {
  /** One line for people. */
  readonly message: string
  /** Whether it is certain that it still works in the workspace, which is then not free. */
  readonly certain: boolean
}

export interface ProcessLedgerService {
  /** An entry for a process of this orchestrator; null when it is gone already. */
  readonly entry: (pid: number, role: string) => Effect.Effect<ProcessEntry | null>
  /** Whether the orchestrator that `owner` names is another one than this, and gone. */
  readonly isGone: (owner: ProcessIdentity) => Effect.Effect<boolean>
  /** Adds a process to a workspace's record. Entries of processes that are gone are dropped. */
  readonly record: (workspacePath: string, pid: number, role: string) => Effect.Effect<void, WorkspaceIoError, Files>
  /** Drops one process, or with null all. */
  readonly forget: (workspacePath: string, pid: number | null) => Effect.Effect<void, WorkspaceIoError, Files>
  /** Ends the processes of orchestrators that are gone, and says which of them that did not work for. */
  readonly endInherited: (entries: ReadonlyArray<ProcessEntry>) => Effect.Effect<ReadonlyArray<Leftover>>
  /** {@link endInherited} for the record of a workspace, which then holds only what is still there. */
  readonly endInheritedIn: (workspacePath: string) => Effect.Effect<ReadonlyArray<Leftover>, WorkspaceIoError, Files>
  /** The recorded processes that are there, whoever started them. */
  readonly alive: (workspacePath: string) => Effect.Effect<ReadonlyArray<ProcessEntry>, WorkspaceIoError, Files>
}

export class ProcessLedger extends Context.Service<ProcessLedger, ProcessLedgerService>()(
  "@opensymphony/adapters-fs/ProcessLedger"
) {}

const make = Effect.gen(function* () {
  const probe = yield* ProcessProbe
  const lock = KeyedLock.make()

  const isSelf = (owner: ProcessIdentity) => owner.pid === probe.self.pid && owner.startTime === probe.self.startTime
  const isAlive = (process: ProcessIdentity) =>
    Effect.map(probe.startTime(process.pid), (startTime) => startTime === process.startTime)
  const isGone = (owner: ProcessIdentity) =>
    isSelf(owner) ? Effect.succeed(false) : Effect.map(isAlive(owner), (alive) => !alive)

  const readEntries = (workspacePath: string) =>
    Effect.map(RecordFile.readLogged(workspacePath, processFile), (record) => record?.processes ?? [])
  const writeEntries = (workspacePath: string, processes: ReadonlyArray<ProcessEntry>) =>
    processes.length === 0
      ? RecordFile.remove(workspacePath, processFile.name)
      : RecordFile.write(workspacePath, processFile, { version: 1, processes })

  const entry = Effect.fnUntraced(function* (pid: number, role: string) {
    const startTime = yield* probe.startTime(pid)
    return startTime === null ? null : ({ pid, startTime, role, owner: probe.self } satisfies ProcessEntry)
  })

  const record = (workspacePath: string, pid: number, role: string) =>
    Effect.gen(function* () {
      const added = yield* entry(pid, role)
      if (added === null) return
      const before = yield* readEntries(workspacePath)
      const alive = yield* Effect.filter(before, isAlive)
      yield* writeEntries(workspacePath, [...alive.filter((other) => other.pid !== pid), added])
    }).pipe(lock(workspacePath))

  const forget = (workspacePath: string, pid: number | null) =>
    Effect.gen(function* () {
      const before = yield* readEntries(workspacePath)
      const after = pid === null ? [] : before.filter((other) => other.pid !== pid)
      if (after.length !== before.length) yield* writeEntries(workspacePath, after)
    }).pipe(lock(workspacePath))

  const end = Effect.fnUntraced(function* (process: ProcessEntry): Effect.fn.Return<Leftover | null> {
    if (!(yield* isGone(process.owner))) return null
    const what = `process group ${process.pid} (${process.role}) of an earlier orchestrator`
    const startTime = yield* probe.startTime(process.pid)
    if (startTime === null && (yield* probe.groupAlive(process.pid))) {
      return {
        message: `${what} has members but no leader, so it may be a stranger's by now and was not ended; look at it`,
        certain: false
      }
    }
    if (startTime !== process.startTime || (yield* probe.endGroup(process.pid, ending))) return null
    return { message: `${what} survives SIGKILL; end it by hand`, certain: true }
  })

  const endInherited = (entries: ReadonlyArray<ProcessEntry>) =>
    Effect.map(Effect.forEach(entries, end, { concurrency: "unbounded" }), (leftovers) =>
      leftovers.filter((leftover) => leftover !== null)
    )

  return ProcessLedger.of({
    entry,
    isGone,
    record,
    forget,
    endInherited,
    endInheritedIn: (workspacePath) =>
      Effect.gen(function* () {
        const before = yield* readEntries(workspacePath)
        if (before.length === 0) return []
        const leftovers = yield* endInherited(before)
        yield* writeEntries(workspacePath, yield* Effect.filter(before, isAlive))
        return leftovers
      }).pipe(lock(workspacePath)),
    alive: (workspacePath) => Effect.flatMap(readEntries(workspacePath), Effect.filter(isAlive))
  })
})

export const layer: Layer.Layer<ProcessLedger, never, ProcessProbe> = Layer.effect(ProcessLedger, make)
