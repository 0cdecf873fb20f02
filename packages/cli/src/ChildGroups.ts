/**
 * The last resort of a process that leaves, in whatever way: kills the process groups of its children, synchronously.
 * Every hook and agent is the leader of a group of its own, and may be gone while others of its group are still there.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Spawner from "effect/process/ChildProcessSpawner"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

/** Groups that nobody has ended yet, by the pid of their first member. Their numbers are not given to others meanwhile. */
const started = new Set<number>()

/** Remembers the group of every process that is started until whoever started it is done with it. */
export const layer: Layer.Layer<Spawner.ChildProcessSpawner, never, Spawner.ChildProcessSpawner> = Layer.effect(
  Spawner.ChildProcessSpawner,
  Effect.map(Spawner.ChildProcessSpawner, ({ spawn }) =>
    Spawner.make((command) =>
      Effect.tap(spawn(command), ({ pid }) =>
        Effect.acquireRelease(
          Effect.sync(() => started.add(pid)),
          () => Effect.sync(() => started.delete(pid))
        )
      )
    )
  )
)

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

/** Sends KILL to every process group that a child of this process is in, or has left behind, except this process's own. */
export const killChildren = (): void => {
  for (const group of new Set([...started, ...childGroups()])) {
    if (!(group > 1) || group === process.pid) continue
    try {
      process.kill(-group, "SIGKILL")
    } catch {
      // It is gone already.
    }
  }
}
