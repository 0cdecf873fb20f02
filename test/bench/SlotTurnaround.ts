// How long a slot stays empty: from the end of a worker to the start of the next one on the freed slot, through the
// real driver. On the way: the workspace is closed, the issue read once more, the next candidate read, its workspace
// prepared. The doubles answer at once, so what is left is the orchestrator's own time.
import * as Effect from "effect/Effect"
import * as Board from "./Board.ts"
import * as Fleet from "./Fleet.ts"
import * as Garbage from "./Garbage.ts"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const backlogs = [10, 1_000, 10_000]
const slotCounts = [10, 100]
const targetMs = 10
const samplesPerRepetition = 200
const repetitions = 5

/** Longer than a candidate counts as freshly read, so that every start needs a read of its own, as most do. */
const untilStaleMs = 6_000

interface Load {
  /** Issues that wait for a slot. */
  readonly backlog: number
  readonly slots: number
  /** Issues that wait for a blocker, and come before all others. */
  readonly blocked?: number
}

/** A fleet with every slot taken and `backlog` issues waiting that were last read a while ago. */
const busyFleet = ({ backlog, slots, blocked = 0 }: Load) =>
  Effect.gen(function* () {
    const board = Board.board(slots + backlog + blocked)
    const issues = [...Board.urgentAndBlocked(board.slice(0, blocked)), ...board.slice(blocked)]
    const fleet = yield* Fleet.make({ issues, slots })
    yield* fleet.launched(slots)
    fleet.moveOn(untilStaleMs)
    Garbage.collectAndRest(30)
    yield* Effect.sleep(5)
    return fleet
  })

/** One worker ends at a time, the others go on. */
const oneByOne = (options: Load) =>
  Effect.gen(function* () {
    const fleet = yield* busyFleet(options)
    const samples: Array<number> = []
    for (let index = 0; index < Math.min(options.backlog, samplesPerRepetition); index++) {
      const [oldest] = yield* fleet.workers.live
      if (oldest === undefined) break
      const count = fleet.launches.length + 1
      const endedAt = yield* fleet.complete(oldest)
      yield* fleet.launched(count)
      samples.push((fleet.launches.at(-1)?.at ?? Number.NaN) - endedAt)
      // The launch is reported, and the driver comes to rest, before the next worker ends.
      yield* Effect.sleep(0.5)
    }
    return samples
  })

/** All workers end at the same moment; the n-th start takes the slot of the n-th end. */
const allAtOnce = (options: Load) =>
  Effect.gen(function* () {
    const fleet = yield* busyFleet(options)
    const runs = yield* fleet.workers.live
    const before = fleet.launches.length
    const endedAt = yield* Effect.forEach(runs, fleet.complete)
    yield* fleet.launched(before + runs.length)
    return endedAt.map((at, index) => (fleet.launches[before + index]?.at ?? Number.NaN) - at)
  })

type Scenario = typeof oneByOne

const repetition = async (scenario: Scenario, options: Load): Promise<ReadonlyArray<number>> => {
  const samples: Array<number> = []
  while (samples.length < samplesPerRepetition) {
    samples.push(...(await Effect.runPromise(Effect.scoped(scenario(options)))))
  }
  return samples
}

interface Measurement {
  readonly name: string
  readonly scenario: Scenario
  readonly load: Load
  /** The most that the 99th percentile may be. */
  readonly target: number | null
}

const figures = async ({ name, scenario, load, target }: Measurement): Promise<ReadonlyArray<Figure>> => {
  const all: Array<ReadonlyArray<number>> = []
  for (let index = 0; index < repetitions; index++) all.push(await repetition(scenario, load))
  const figure = (share: number, limit: number | null): Figure => ({
    name: `${name}, p${share * 100}`,
    value: Statistics.median(all.map((samples) => Statistics.percentile(samples, share))),
    unit: "ms",
    target: limit
  })
  return [figure(0.5, null), figure(0.99, target)]
}

const largest: Load = { backlog: 10_000, slots: 100 }

const measurements: ReadonlyArray<Measurement> = [
  ...backlogs.flatMap((backlog) =>
    slotCounts.map((slots) => ({
      name: `backlog ${backlog.toLocaleString("en-US")}, ${slots} slots`,
      scenario: oneByOne,
      load: { backlog, slots },
      target: targetMs
    }))
  ),
  // Beyond what the target is about: how it degrades.
  {
    name: "the last, behind 10,000 blocked issues",
    scenario: oneByOne,
    load: { ...largest, blocked: 10_000 },
    target: null
  },
  { name: "the last, all 100 ending at once", scenario: allAtOnce, load: largest, target: null }
]

export const measure = async (): Promise<Section> => {
  await repetition(oneByOne, { backlog: 1_000, slots: 10 })
  const result: Array<Figure> = []
  for (const measurement of measurements) result.push(...(await figures(measurement)))
  return {
    title: "Slot turnaround",
    how: `end of a worker to the next start on its slot, every start after a fresh read; ${samplesPerRepetition} ends a repetition, median of ${repetitions}`,
    figures: result
  }
}
