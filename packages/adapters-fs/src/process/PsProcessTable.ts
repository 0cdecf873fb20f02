/** The processes of any POSIX system, as its `ps` tells them. Start times have a resolution of one second there. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type { ProcessTable } from "./ProcessTable.ts"

export interface PsLine {
  /** One letter and flags; `Z` is a zombie. */
  readonly state: string
  readonly processGroup: number
  /** As `ps -o lstart` writes it. */
  readonly startTime: string
}

/** Parses a line of `ps -o stat=,pgid=,lstart=`: the last column is a date with spaces in it. */
export const parseLine = (line: string): PsLine | null => {
  const match = /^\s*(\S+)\s+(\d+)\s+(\S.*?)\s*$/.exec(line)
  if (match === null) return null
  const [, state = "", processGroup = "", startTime = ""] = match
  return { state, processGroup: Number(processGroup), startTime: startTime.replace(/\s+/g, " ") }
}

const psTimeoutMs = 5_000

export const make: Effect.Effect<ProcessTable, never, ChildProcessSpawner> = Effect.gen(function* () {
  const spawner = yield* ChildProcessSpawner

  /** The processes that `ps` selects; none when it gives no answer in time. */
  const ps = (selection: ReadonlyArray<string>): Effect.Effect<Option.Option<ReadonlyArray<PsLine>>> =>
    spawner
      .lines(
        ChildProcess.make("ps", [...selection, "-o", "stat=", "-o", "pgid=", "-o", "lstart="], {
          extendEnv: true,
          // The date must not depend on the language or the time zone of whoever asks.
          env: { LC_ALL: "C", TZ: "UTC0" },
          forceKillAfter: 0
        })
      )
      .pipe(
        Effect.map((lines) => lines.flatMap((line) => parseLine(line) ?? [])),
        Effect.map((lines) => lines.filter(({ state }) => !state.startsWith("Z"))),
        Effect.timeout(psTimeoutMs),
        Effect.option
      )

  return {
    startTime: (pid) =>
      Effect.map(ps(["-p", String(pid)]), (lines) => Option.getOrElse(lines, () => [])[0]?.startTime ?? null),
    hasMember: (pgid) =>
      Effect.map(
        ps(["-A"]),
        // Whoever asks has found the number in use: without an answer it stays so.
        Option.match({
          onNone: () => true,
          onSome: (lines) => lines.some(({ processGroup }) => processGroup === pgid)
        })
      )
  }
})
