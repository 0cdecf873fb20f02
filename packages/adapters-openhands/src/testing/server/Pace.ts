/**
 * The time of the fake server: how long its waits take and what its events are stamped with. A test makes it quick, or
 * moves it by hand.
 */
import { setTimeout as sleep } from "node:timers/promises"
import * as DateTime from "effect/DateTime"

/** A clock and a wait. A wait whose signal is aborted rejects at once. */
export interface Pace {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds of waiting time since some instant: what `wait` counts in. */
  readonly elapsed: () => number
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** Real time, every wait divided by `speed`. */
export const real = (speed = 1): Pace => ({
  now: () => DateTime.toEpochMillis(DateTime.nowUnsafe()),
  elapsed: () => performance.now() * speed,
  wait: async (ms, signal) => {
    if (signal?.aborted === true) throw new Interrupted()
    if (ms <= 0) return
    await sleep(ms / speed, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      throw signal?.aborted === true ? new Interrupted() : error
    })
  }
})

/** A pace that stands still until it is moved. */
export interface ManualPace extends Pace {
  /** Moves time on and ends the waits that fall due, in their order. */
  readonly advance: (ms: number) => Promise<void>
  /** How many waits are open. */
  readonly waiting: () => number
}

/** Time that a test moves. */
export const manual = (start = 1_767_225_600_000): ManualPace => {
  let now = start
  const waits = new Set<{ readonly due: number; readonly end: () => void }>()
  return {
    now: () => now,
    elapsed: () => now,
    waiting: () => waits.size,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(new Interrupted())
        if (ms <= 0) return resolve()
        const wait = {
          due: now + ms,
          end: () => {
            waits.delete(wait)
            signal?.removeEventListener("abort", stop)
            resolve()
          }
        }
        const stop = () => {
          waits.delete(wait)
          reject(new Interrupted())
        }
        waits.add(wait)
        signal?.addEventListener("abort", stop, { once: true })
      }),
    advance: async (ms) => {
      const target = now + ms
      for (;;) {
        const [next] = [...waits].filter(({ due }) => due <= target).sort((left, right) => left.due - right.due)
        if (next === undefined) break
        now = next.due
        next.end()
        await settle()
      }
      now = target
      await settle()
    }
  }
}

/** A wait or an effect was ended by its signal. */
export class Interrupted extends Error {
  override readonly name = "Interrupted"
}

/** The outcome of some work, or an interruption as soon as the signal is aborted, whatever the work does then. */
export const unlessAborted = <A>(work: Promise<A>, signal: AbortSignal): Promise<A> =>
  new Promise((resolve, reject) => {
    const stop = () => reject(new Interrupted())
    if (signal.aborted) stop()
    signal.addEventListener("abort", stop, { once: true })
    const end = () => signal.removeEventListener("abort", stop)
    work.then(resolve, reject).then(end, end)
  })

/** Lets everything run that is due already, sockets included. */
const settle = () => sleep(1)

/**
 * The timestamp of an event as the agent-server writes it: local time without an offset, microseconds, and no fraction at
 * all when it is zero (Python's `datetime.isoformat`).
 */
export const eventTimestamp = (ms: number, utcOffsetMinutes: number): string => {
  const iso = DateTime.formatIso(DateTime.makeUnsafe(ms + utcOffsetMinutes * 60_000))
  return iso.endsWith(".000Z") ? iso.slice(0, -5) : `${iso.slice(0, -1)}000`
}

/** The timestamp of a conversation's record: UTC, and marked as such. */
export const recordTimestamp = (ms: number): string => {
  const iso = DateTime.formatIso(DateTime.makeUnsafe(ms))
  return `${iso.slice(0, -1)}000Z`
}
