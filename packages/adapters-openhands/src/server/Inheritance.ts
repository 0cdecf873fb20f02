/**
 * A server that is there already: one that an orchestrator started which is gone, or one that another supervisor of this
 * root still answers for. Known by pid and start time; a number that belongs to somebody else by now is never signalled.
 */
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import type { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Leftovers from "./Leftovers.ts"
import type { Patience } from "./LocalServerOptions.ts"
import * as Quieting from "./Quieting.ts"
import * as ServerProbe from "./ServerProbe.ts"
import { endpointOf, type ServerRecord } from "./ServerRecord.ts"
import * as StateDirectory from "./StateDirectory.ts"

type Services = FileSystem.FileSystem | Path.Path | ProcessProbe

/** How long a group may take to disappear after KILL. */
const killWaitMs = 5_000

export type Inherited =
  | { readonly _tag: "None" }
  /** Nobody answers for it any more, and it works: it is ours to use and to end. */
  | { readonly _tag: "Orphan"; readonly record: ServerRecord }
  /** Another supervisor answers for it, and it is what we would start: it can be used, and is not ours to end. */
  | { readonly _tag: "Shared"; readonly record: ServerRecord }
  /** Another supervisor answers for it, and it cannot be used: it was started from other settings, or does not answer. */
  | { readonly _tag: "InTheWay"; readonly record: ServerRecord; readonly isSame: boolean }

export interface Seeker {
  readonly fingerprint: string
  /** Of the supervisor that looks. */
  readonly supervisor: string
  readonly patience: Patience
}

export const isRunning = ({ pid, startTime }: { readonly pid: number; readonly startTime: string }) =>
  Effect.flatMap(ProcessProbe, (probe) => Effect.map(probe.startTime(pid), (found) => found === startTime))

/**
 * What is left to do once a server was ended: whatever it started in groups of their own is ended, and its record removed.
 * A server that is still there keeps its record, so that the next look finds it.
 */
export const settle = Effect.fnUntraced(function* (
  directory: string,
  record: ServerRecord
): Effect.fn.Return<void, never, Services> {
  const surviving = yield* Leftovers.end(record.marker)
  if (surviving.length > 0) {
    yield* Effect.logError(`started by an OpenHands agent-server and not to be ended: groups ${surviving.join(", ")}`)
  }
  if (yield* isRunning(record)) {
    return yield* Effect.logError(`the OpenHands agent-server, process ${record.pid}, survives SIGKILL; end it by hand`)
  }
  yield* StateDirectory.forgetServer(directory, record.marker).pipe(
    Effect.catch(({ message }) => Effect.logWarning(message))
  )
})

/** Ends a server that is not our child, and what it started. */
export const end = Effect.fnUntraced(function* (
  directory: string,
  record: ServerRecord,
  { killAfterMs }: Patience
): Effect.fn.Return<void, never, Services> {
  const probe = yield* ProcessProbe
  if (yield* isRunning(record)) {
    yield* Quieting.quiet(endpointOf(record))
    yield* probe.endGroup(record.pid, { killAfterMs, timeoutMs: killAfterMs + killWaitMs })
  }
  yield* settle(directory, record)
})

/** What there is. A server of ours that cannot be used is ended first. */
export const look = Effect.fnUntraced(function* (
  directory: string,
  { fingerprint, patience, supervisor }: Seeker
): Effect.fn.Return<Inherited, RuntimeError, Services> {
  const record = yield* StateDirectory.readRecord(directory)
  if (record === null) return { _tag: "None" }
  if (!(yield* isRunning(record))) {
    yield* settle(directory, record)
    return { _tag: "None" }
  }
  const isOwned = record.supervisor !== supervisor && (yield* isRunning(record.owner))
  const isSame = record.fingerprint === fingerprint
  if (isOwned && !isSame) return { _tag: "InTheWay", record, isSame }
  const answer = isSame ? yield* ServerProbe.askForConversations(endpointOf(record), patience.answerMs) : null
  const works = answer !== null && ServerProbe.problemOf(answer) === null
  if (isOwned) return works ? { _tag: "Shared", record } : { _tag: "InTheWay", record, isSame }
  if (works) return { _tag: "Orphan", record }
  const why = isSame ? "does not answer" : "has other settings"
  yield* Effect.logInfo(`the OpenHands agent-server of an earlier run, process ${record.pid}, ${why}; it is ended`)
  yield* end(directory, record, patience)
  return { _tag: "None" }
})
