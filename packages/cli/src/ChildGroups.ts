/**
 * The last resort of a process that leaves, in whatever way: kills the process groups of its children, synchronously.
 * Every hook and agent is the leader of a group of its own.
 */
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

/** Children of this process by /proc: the fields behind the last parenthesis are state, parent, process group. */
const fromProc = (): ReadonlyArray<number> =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8")
        const [, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
        return Number(parent) === process.pid ? [Number(group)] : []
      } catch {
        return []
      }
    })

const fromPs = (): ReadonlyArray<number> =>
  execFileSync("ps", ["-A", "-o", "ppid=,pgid="], { encoding: "utf8", timeout: 2_000 })
    .split("\n")
    .flatMap((line) => {
      const [parent, group] = line.trim().split(/\s+/)
      return Number(parent) === process.pid ? [Number(group)] : []
    })

const childGroups = (): ReadonlyArray<number> => {
  try {
    return process.platform === "linux" ? fromProc() : fromPs()
  } catch {
    return []
  }
}

/** Sends KILL to every process group that a child of this process leads or is in, except this process's own. */
export const killChildren = (): void => {
  for (const group of new Set(childGroups())) {
    if (!(group > 1) || group === process.pid) continue
    try {
      process.kill(-group, "SIGKILL")
    } catch {
      // It is gone already.
    }
  }
}
