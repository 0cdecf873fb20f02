/** The processes of a Linux system, read from `/proc` (proc_pid_stat(5)). */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { ProcessTable } from "./ProcessTable.ts"

export interface ProcessStat {
  /** One letter; `Z` and `X` are dead. */
  readonly state: string
  readonly processGroup: number
  /** Clock ticks since boot. */
  readonly startTicks: string
}

/**
 * Parses `/proc/<pid>/stat`. The second field is the name of the program in parentheses and may contain anything, so
 * the others are counted from the last closing parenthesis.
 */
export const parseStat = (text: string): ProcessStat | null => {
  const end = text.lastIndexOf(")")
  if (end === -1) return null
  const fields = text
    .slice(end + 1)
    .trim()
    .split(/\s+/)
  const [state, , processGroup] = fields
  const startTicks = fields[19]
  if (state === undefined || processGroup === undefined || startTicks === undefined) return null
  return { state, processGroup: Number(processGroup), startTicks }
}

const isDead = (stat: ProcessStat): boolean => stat.state === "Z" || stat.state === "X" || stat.state === "x"

/** How many entries of `/proc` are read at once. */
const scanConcurrency = 16

export const make: Effect.Effect<ProcessTable, never, FileSystem.FileSystem> = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  // Ticks since boot repeat after a reboot; with the boot's id they do not.
  const bootId = yield* fileSystem.readFileString("/proc/sys/kernel/random/boot_id").pipe(
    Effect.map((text) => text.trim()),
    Effect.orElseSucceed(() => "")
  )

  /** The running process with this pid. A process that ends while it is looked at is none. */
  const running = (pid: number | string): Effect.Effect<ProcessStat | null> =>
    fileSystem.readFileString(`/proc/${pid}/stat`).pipe(
      Effect.map(parseStat),
      Effect.map((stat) => (stat === null || isDead(stat) ? null : stat)),
      Effect.orElseSucceed(() => null)
    )

  return {
    startTime: (pid) => Effect.map(running(pid), (stat) => (stat === null ? null : `${bootId}:${stat.startTicks}`)),
    hasMember: Effect.fnUntraced(function* (pgid) {
      // The leader usually answers the question; only without it is everybody asked.
      const leader = yield* running(pgid)
      if (leader?.processGroup === pgid) return true
      const entries = yield* Effect.option(fileSystem.readDirectory("/proc"))
      // Whoever asks has found the number in use: without an answer it stays so.
      if (Option.isNone(entries)) return true
      const stats = yield* Effect.forEach(entries.value.filter(isPid), running, { concurrency: scanConcurrency })
      return stats.some((stat) => stat?.processGroup === pgid)
    })
  }
})

const isPid = (name: string): boolean => /^\d+$/.test(name)
