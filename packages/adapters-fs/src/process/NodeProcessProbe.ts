/**
 * {@link ProcessProbe} on Node: the one module of the adapters that knows Node's `process`, because signals to a group
 * and the own pid are in none of Effect's services. The program that composes the layers chooses it.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as LinuxProcessTable from "./LinuxProcessTable.ts"
import { endGroup, ProcessProbe } from "./ProcessProbe.ts"
import * as PsProcessTable from "./PsProcessTable.ts"

/** Process groups 0 and 1 are not what their numbers say to `kill(2)`: the own group, and everybody. */
const isOthersGroup = (pgid: number): boolean => Number.isSafeInteger(pgid) && pgid > 1 && pgid !== process.pid

/** Sends a signal (0: only asks) and says whether the group has anybody, zombies included. */
const kill = (pgid: number, signal: "SIGTERM" | "SIGKILL" | 0): boolean => {
  try {
    process.kill(-pgid, signal)
    return true
  } catch (error) {
    // EPERM: it exists, but not for us; ESRCH: nobody is left.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

const make = Effect.gen(function* () {
  const table = yield* process.platform === "linux" ? LinuxProcessTable.make : PsProcessTable.make
  const groupAlive: ProcessProbe["Service"]["groupAlive"] = (pgid) =>
    Effect.suspend(() => (isOthersGroup(pgid) && kill(pgid, 0) ? table.hasMember(pgid) : Effect.succeed(false)))
  const signalGroup: ProcessProbe["Service"]["signalGroup"] = (pgid, signal) =>
    Effect.sync(() => {
      if (isOthersGroup(pgid)) kill(pgid, signal)
    })

  return ProcessProbe.of({
    self: { pid: process.pid, startTime: (yield* table.startTime(process.pid)) ?? "" },
    startTime: (pid) => (Number.isSafeInteger(pid) && pid > 0 ? table.startTime(pid) : Effect.succeed(null)),
    groupAlive,
    signalGroup,
    endGroup: endGroup({ groupAlive, signalGroup })
  })
})

/** Reads `/proc` on Linux and asks `ps` elsewhere. */
export const layer: Layer.Layer<ProcessProbe, never, FileSystem.FileSystem | ChildProcessSpawner> = Layer.effect(
  ProcessProbe,
  make
)
