/**
 * What a server leaves behind in process groups of their own: terminals of agents, and what runs in them. They are known
 * by a variable in their environment, which every process inherits. Only Linux shows the environments of processes.
 */
import { parseStat } from "@opensymphony/adapters-fs/process/LinuxProcessTable"
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** The variable whose value is the marker of a server. */
export const markerVariable = "OPENSYMPHONY_SERVER"

const scanConcurrency = 16
const ending = { killAfterMs: 2_000, timeoutMs: 5_000 } as const

const groupOf = Effect.fnUntraced(function* (pid: string, entry: string) {
  const fs = yield* FileSystem.FileSystem
  const environment = yield* fs.readFileString(`/proc/${pid}/environ`)
  if (!environment.split("\0").includes(entry)) return null
  return parseStat(yield* fs.readFileString(`/proc/${pid}/stat`))?.processGroup ?? null
})

const groupsWith = Effect.fnUntraced(function* (marker: string) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory("/proc"), () => [])
  const groups = yield* Effect.forEach(
    names.filter((name) => /^\d+$/.test(name)),
    // Most are others' and may not be looked at; some end meanwhile.
    (pid) => Effect.orElseSucceed(groupOf(pid, `${markerVariable}=${marker}`), () => null),
    { concurrency: scanConcurrency }
  )
  return new Set(groups.filter((group) => group !== null))
})

/** Ends every process group that something of this server is in, and says which of them survive. */
export const end = Effect.fnUntraced(function* (
  marker: string
): Effect.fn.Return<ReadonlyArray<number>, never, FileSystem.FileSystem | ProcessProbe> {
  const probe = yield* ProcessProbe
  const groups = [...(yield* groupsWith(marker))]
  const gone = yield* Effect.forEach(groups, (group) => probe.endGroup(group, ending), { concurrency: "unbounded" })
  return groups.filter((_, index) => gone[index] === false)
})
