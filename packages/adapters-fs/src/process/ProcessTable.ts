/** What a system says about its processes, in the little that {@link ProcessProbe} needs. Zombies are none. */
import type * as Effect from "effect/Effect"

export interface ProcessTable {
  /** Identity of the process beyond its number: equal texts mean the same process. Null when there is none. */
  readonly startTime: (pid: number) => Effect.Effect<string | null>
  /** Whether a process of this group runs. */
  readonly hasMember: (pgid: number) => Effect.Effect<boolean>
}
