/** What all parts of a simulated world share: its time, the life of the orchestrator's process, and the phase it is in. */
import type { Policy } from "../../domain/Policy.ts"
import type { Event } from "../../scheduler/Event.ts"
import type { Instant } from "../../scheduler/State.ts"
import type { Prng } from "./Prng.ts"
import type { Profile } from "./Profile.ts"

export interface Stage {
  readonly profile: Profile
  /** Milliseconds since the world began. */
  readonly time: () => number
  /** Both clocks as the orchestrator's process reads them. */
  readonly at: () => Instant
  readonly policy: () => Policy
  /** Things go wrong no more, and people stand still. */
  readonly isCalm: () => boolean
  readonly isUp: () => boolean
  /** Whether something goes wrong on this occasion. */
  readonly faulty: (random: Prng, probability: number) => boolean
  /** Plans something that happens whatever becomes of the process. */
  readonly plan: (delayMs: number, act: () => void) => void
  /** Does something again and again, on average every so often, until the calm phase; 0 is never. */
  readonly untilCalm: (random: Prng, everyMs: number, act: () => void) => void
  /** Plans something that the process would do: it does not happen when that has died. */
  readonly planInProcess: (delayMs: number, act: () => void) => void
  /** Puts an event into the mailbox of the living process after a while. */
  readonly send: (event: Event, delayMs?: number) => void
}
