// Whether a million events leave anything behind in the process that follows them.
import * as Effect from "effect/Effect"
import * as Garbage from "./Garbage.ts"
import * as Fleet from "./OpenHandsFleet.ts"
import type { Figure, Section } from "./Report.ts"

const conversations = 20
const burstEach = 2_500
const bursts = 20
/** The first burst fills caches and compiles; what is measured begins after it. */
const marks = [2, 10, 20]
/** What still counts as flat, of the heap after the first mark: the collector leaves a different rest each time. */
const flat = 1.1

interface Mark {
  readonly events: number
  readonly heap: number
  readonly external: number
  readonly rss: number
}

const mark = (events: number): Mark => {
  const heap = Garbage.heapUsed()
  const { external, rss } = process.memoryUsage()
  return { events, heap, external, rss }
}

const followed = Effect.gen(function* () {
  const fleet = yield* Fleet.make({ conversations })
  yield* fleet.start
  const seen: Array<Mark> = []
  let said = 0
  let passedMs = 0
  const before = process.cpuUsage()
  for (let burst = 1; burst <= bursts; burst++) {
    const begin = performance.now()
    said += yield* fleet.server.tell("burst", { each: burstEach })
    if (!(yield* fleet.hasReceived(said))) throw new Error(`of ${said} events only ${fleet.received()} arrived`)
    passedMs += performance.now() - begin
    if (!marks.includes(burst)) continue
    yield* Effect.sleep(200)
    seen.push(mark(said))
  }
  const { system, user } = process.cpuUsage(before)
  return { marks: seen, said, wallPerSecond: (said * 1_000) / passedMs, perSecond: (said * 1e6) / (user + system) }
})

export const measure = async (): Promise<Section> => {
  const result = await Effect.runPromise(Effect.scoped(followed))
  const [first] = result.marks
  if (first === undefined) throw new Error("nothing was measured")
  const of = (name: string, at: Mark, value: (mark: Mark) => number, target: number | null = null): Figure => ({
    name: `${name} after ${at.events.toLocaleString("en-US")} events`,
    value: value(at),
    unit: "bytes",
    target: at === first ? null : target,
    ...(at === first
      ? {}
      : {
          comparison: {
            with: `that after ${first.events.toLocaleString("en-US")}`,
            ratio: value(at) / value(first)
          }
        })
  })
  const last = result.marks.at(-1) ?? first
  return {
    title: "OpenHands: a million events",
    how: `${result.said.toLocaleString("en-US")} events as quickly as they go through ${conversations} conversations, the adapter and the driver; memory of this process after a garbage collection`,
    figures: [
      ...result.marks.map((at) => of("heap", at, ({ heap }) => heap, flat * first.heap)),
      {
        name: "heap growth for an event, from the first mark to the last",
        value: Math.max(0, (last.heap - first.heap) / (last.events - first.events)),
        unit: "bytes",
        target: null
      },
      ...result.marks.map((at) => of("buffers outside the heap", at, ({ external }) => external)),
      ...result.marks.map((at) => of("resident memory", at, ({ rss }) => rss)),
      { name: "throughput, a second of processor time", value: result.perSecond, unit: "events/s", target: null },
      { name: "throughput, wall time", value: result.wallPerSecond, unit: "events/s", target: null }
    ]
  }
}
