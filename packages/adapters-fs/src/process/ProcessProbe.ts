/**
 * What must be known about processes to end them safely: who has a pid now, whether a process group still lives, and
 * how to end one. It starts nothing; that is {@link ShellProcess}.
 *
 * A pid alone names nobody, because systems use numbers again. A pid together with its start time does: keep both, and
 * signal a group found in a record only while its leader still has the recorded start time.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export interface ProcessProbeService {
  /** This process. */
  readonly self: { readonly pid: number; readonly startTime: string }
  /** Identity of the process that has this pid now; null when there is none. Zombies count as none. */
  readonly startTime: (pid: number) => Effect.Effect<string | null>
  /** Whether the group has a member that runs. Zombies do not count. */
  readonly groupAlive: (pgid: number) => Effect.Effect<boolean>
  /** Sends a signal to every member. A group that is gone is fine. */
  readonly signalGroup: (pgid: number, signal: "SIGTERM" | "SIGKILL") => Effect.Effect<void>
  /**
   * TERM at once, KILL after `killAfterMs`; waits until the group is gone, at most `timeoutMs` in all. False when it is
   * still there.
   */
  readonly endGroup: (pgid: number, options: EndGroupOptions) => Effect.Effect<boolean>
}

export interface EndGroupOptions {
  readonly killAfterMs: number
  readonly timeoutMs: number
}

export class ProcessProbe extends Context.Service<ProcessProbe, ProcessProbeService>()(
  "@opensymphony/adapters-fs/ProcessProbe"
) {}

const firstPauseMs = 5
const longestPauseMs = 100

/** {@link ProcessProbeService.endGroup} for a probe that can tell whether a group lives and can signal it. */
export const endGroup = (
  probe: Pick<ProcessProbeService, "groupAlive" | "signalGroup">
): ProcessProbeService["endGroup"] =>
  Effect.fnUntraced(function* (pgid, { killAfterMs, timeoutMs }) {
    const goneWithin = Effect.fnUntraced(function* (budgetMs: number) {
      let left = budgetMs
      let pause = firstPauseMs
      while (yield* probe.groupAlive(pgid)) {
        if (left <= 0) return false
        const wait = Math.min(pause, left)
        yield* Effect.sleep(wait)
        left -= wait
        pause = Math.min(pause * 2, longestPauseMs)
      }
      return true
    })

    if (!(yield* probe.groupAlive(pgid))) return true
    yield* probe.signalGroup(pgid, "SIGTERM")
    const patienceMs = Math.min(killAfterMs, timeoutMs)
    if (yield* goneWithin(patienceMs)) return true
    yield* probe.signalGroup(pgid, "SIGKILL")
    return yield* goneWithin(timeoutMs - patienceMs)
  })
