// Two hundred agents at work, through the OpenHands adapter and the driver: whether the events arrive as quickly at the
// end as at the beginning, and what a conversation costs.
import * as Effect from "effect/Effect"
import * as Garbage from "./Garbage.ts"
import * as Fleet from "./OpenHandsFleet.ts"
import * as Frames from "./OpenHandsFrames.ts"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const conversations = 200
const perSecond = 20
const warmUpSeconds = 5
const quarterSeconds = 6
/** Longer than from one look over REST to the next. */
const silentSeconds = 20
/** Of one processor. */
const targetShare = 100

interface Cost {
  /** Of one processor. */
  readonly percent: number
  /** The same of the thread that runs the program, without the collector's helpers. */
  readonly threadPercent: number
}

/** What the effect costs this process. */
const costOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Cost, E, R> =>
  Effect.suspend(() => {
    const begin = Frames.instant()
    const process0 = process.cpuUsage()
    const thread0 = process.threadCpuUsage()
    return Effect.map(effect, () => {
      const passedMs = Frames.instant() - begin
      const percentOf = ({ system, user }: NodeJS.CpuUsage) => (user + system) / 10 / passedMs
      const thread = process.threadCpuUsage()
      return {
        percent: percentOf(process.cpuUsage(process0)),
        threadPercent: percentOf({ user: thread.user - thread0.user, system: thread.system - thread0.system })
      }
    })
  })

/** Memory that is in use and memory that the system lent, in bytes. */
const memory = () => {
  Garbage.collect()
  Garbage.collect()
  const { external, heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed, external, rss }
}

interface Quarter extends Cost {
  readonly received: ReadonlyArray<number>
  readonly decided: ReadonlyArray<number>
  /** How late the timers of the other process were. */
  readonly timers: ReadonlyArray<number>
}

const loaded = Effect.gen(function* () {
  let received: Array<number> = []
  let decided: Array<number> = []
  const fleet = yield* Fleet.make({
    conversations,
    onReceived: (lagMs) => received.push(lagMs),
    onDecided: (lagMs) => decided.push(lagMs)
  })
  yield* Effect.sleep(500)
  const before = memory()
  yield* fleet.start
  yield* Effect.sleep(2_000)
  const attached = memory()
  const silent = yield* costOf(Effect.sleep(silentSeconds * 1_000))

  let said = (yield* fleet.server.tell("speak", { perSecond, seconds: warmUpSeconds })).events
  const quarters: Array<Quarter> = []
  for (let quarter = 0; quarter < 4; quarter++) {
    received = []
    decided = []
    let timers: ReadonlyArray<number> = []
    const speaking = fleet.server.tell("speak", { perSecond, seconds: quarterSeconds })
    const cost = yield* costOf(
      Effect.map(speaking, ({ events, lateMs }) => {
        said += events
        timers = lateMs
      })
    )
    quarters.push({ ...cost, received, decided, timers })
  }
  const lastWord = Frames.instant()
  const complete = yield* fleet.hasReceived(said)
  const behindMs = Frames.instant() - lastWord
  return { before, attached, after: memory(), silent, quarters, behindMs, lost: complete ? 0 : said - fleet.received() }
})

const lagFigures = (name: string, quarters: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<Figure> =>
  [0.5, 0.99].flatMap((share) => {
    const lags = quarters.map((lag) => Statistics.percentile(lag, share))
    const [first = Number.NaN] = lags
    const last = lags.at(-1) ?? Number.NaN
    const figure = { unit: "ms", target: null } as const
    return [
      { ...figure, name: `${name}, p${share * 100}, first quarter`, value: first },
      {
        ...figure,
        name: `${name}, p${share * 100}, last quarter`,
        value: last,
        comparison: { with: "the first quarter", ratio: last / first }
      }
    ]
  })

export const measure = async (): Promise<Section> => {
  const { after, attached, before, behindMs, lost, quarters, silent } = await Effect.runPromise(Effect.scoped(loaded))
  const percent = (name: string, value: number, target: number | null = null): Figure => ({
    name,
    value,
    unit: "%",
    target
  })
  const bytes = (name: string, later: number, earlier: number): Figure => ({
    name: `${name}, a conversation`,
    value: (later - earlier) / conversations,
    unit: "bytes",
    target: null
  })
  const share = Statistics.median(quarters.map((quarter) => quarter.percent))
  return {
    title: "OpenHands: 200 agents at work",
    how: `${conversations} conversations at ${perSecond} events a second each for ${4 * quarterSeconds} s, after ${warmUpSeconds} s to warm up; the agent-server in another process; lag from when an event is made there; processor time of this process, of one processor`,
    figures: [
      ...lagFigures(
        "lag to the adapter's report",
        quarters.map((quarter) => quarter.received)
      ),
      ...lagFigures(
        "lag to the scheduler's decision",
        quarters.map((quarter) => quarter.decided)
      ),
      ...lagFigures(
        "for comparison, lateness of a timer in the other process",
        quarters.map((quarter) => quarter.timers)
      ),
      { name: "behind when the last event was made", value: behindMs, unit: "ms", target: 1_000 / perSecond },
      { name: "events that did not arrive", value: lost, unit: "events", target: null },
      percent("processor time, median of the quarters", share, targetShare),
      percent("processor time, first quarter", quarters[0]?.percent ?? Number.NaN),
      percent("processor time, last quarter", quarters.at(-1)?.percent ?? Number.NaN),
      percent(
        "processor time of the program's own thread",
        Statistics.median(quarters.map((quarter) => quarter.threadPercent))
      ),
      percent("processor time, a conversation", share / conversations),
      percent("processor time of 200 silent conversations", silent.percent),
      {
        name: "events for a second of processor time",
        value: (100 * conversations * perSecond) / share,
        unit: "events/s",
        target: null
      },
      bytes("heap, attached and silent", attached.heap, before.heap),
      bytes("heap, after the load", after.heap, before.heap),
      bytes("buffers outside the heap, after the load", after.external, before.external),
      bytes("resident memory, after the load", after.rss, before.rss)
    ]
  }
}
