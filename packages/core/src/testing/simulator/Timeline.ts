/** Virtual time: what is planned happens in its order, and time passes from one thing to the next. */
import * as Agenda from "./Agenda.ts"
import type { Prng } from "./Prng.ts"

export interface Timeline {
  /** Milliseconds since the world began. */
  readonly time: () => number
  readonly plan: (delayMs: number, act: () => void) => void
  /** Plans something again and again, on average every so often, until it says that this was the last time; 0 is never. */
  readonly planRepeatedly: (random: Prng, everyMs: number, act: () => boolean) => void
  /** Lets the next thing happen; false when nothing is planned. */
  readonly advance: () => boolean
}

export const make = (): Timeline => {
  const agenda = Agenda.make()
  let time = 0
  const plan = (delayMs: number, act: () => void): void => agenda.plan(time + delayMs, act)
  const planRepeatedly = (random: Prng, everyMs: number, act: () => boolean): void => {
    if (everyMs <= 0) return
    plan(random.wait(everyMs), () => {
      if (act()) planRepeatedly(random, everyMs, act)
    })
  }
  return {
    time: () => time,
    plan,
    planRepeatedly,
    advance: () => {
      const next = agenda.take()
      if (next === undefined) return false
      time = next.at
      next.act()
      return true
    }
  }
}
