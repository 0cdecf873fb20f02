/** Finds real processes by a marker in their command line, so that a test can say that none is left. */
import { execFileSync } from "node:child_process"

let count = 0

/** A duration for `sleep` that nobody else uses: it shows in the command line of whoever sleeps. */
export const marker = (): string => `60.${process.pid}${++count}`

/** Pids of the living processes whose command line ends with `sleep <marker>`. */
export const sleeping = (marker: string): ReadonlyArray<number> =>
  execFileSync("ps", ["-A", "-o", "pid=", "-o", "stat=", "-o", "args="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, state = "", ...args]) => !state.startsWith("Z") && args.join(" ") === `sleep ${marker}`)
    .map(([pid]) => Number(pid))
