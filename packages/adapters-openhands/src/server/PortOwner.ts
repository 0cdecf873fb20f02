/** Which process listens on a port of this machine, for messages. Linux tells; elsewhere nobody is known. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

export interface PortOwner {
  readonly pid: number
  /** Name of the program. */
  readonly name: string
}

const listening = "0A"
const scanConcurrency = 16

/** The socket inodes of listeners in `/proc/net/tcp` (proc_net_tcp): local address, state, ..., inode. */
export const listenersOf = (table: string, port: number): ReadonlyArray<string> => {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  return table.split("\n").flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    return state === listening && local?.endsWith(suffix) && inode !== undefined ? [inode] : []
  })
}

const holds = Effect.fnUntraced(function* (pid: string, links: ReadonlySet<string>) {
  const fs = yield* FileSystem.FileSystem
  for (const handle of yield* fs.readDirectory(`/proc/${pid}/fd`)) {
    const link = yield* Effect.orElseSucceed(fs.readLink(`/proc/${pid}/fd/${handle}`), () => "")
    if (links.has(link)) return true
  }
  return false
})

/** The process that listens on `port`; null when it cannot be known, as with those of other users. */
export const of = (port: number): Effect.Effect<PortOwner | null, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const tables = yield* Effect.forEach(["/proc/net/tcp", "/proc/net/tcp6"], (table) =>
      Effect.orElseSucceed(fs.readFileString(table), () => "")
    )
    const links = new Set(tables.flatMap((table) => listenersOf(table, port)).map((inode) => `socket:[${inode}]`))
    if (links.size === 0) return null
    const pids = (yield* fs.readDirectory("/proc")).filter((name) => /^\d+$/.test(name))
    const holders = yield* Effect.filter(pids, (pid) => Effect.orElseSucceed(holds(pid, links), () => false), {
      concurrency: scanConcurrency
    })
    const [pid] = holders
    if (pid === undefined) return null
    const name = yield* Effect.orElseSucceed(fs.readFileString(`/proc/${pid}/comm`), () => "")
    return { pid: Number(pid), name: name.trim() || "unknown" }
  }).pipe(Effect.orElseSucceed(() => null))
