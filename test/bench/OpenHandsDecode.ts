// What it costs to understand what an agent-server sends, beside `JSON.parse` alone.
import * as WireEvent from "@opensymphony/adapters-openhands/stream/WireEvent"
import * as Garbage from "./Garbage.ts"
import * as Frames from "./OpenHandsFrames.ts"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const repetitions = 9

interface Load {
  readonly name: string
  readonly frames: ReadonlyArray<string>
  readonly passes: number
}

const loads: ReadonlyArray<Load> = [
  { name: "call, result, statistics", frames: Frames.frames(3_000), passes: 10 },
  { name: "result of 1 MB", frames: [Frames.largeResult(1_000_000)], passes: 40 },
  { name: "state after 5,000 calls of the model", frames: [Frames.fullState(5_000)], passes: 40 }
]

/** Milliseconds of processor time of this thread: unlike the wall clock it does not count what others do. */
const threadMs = (): number => {
  const { system, user } = process.threadCpuUsage()
  return (user + system) / 1_000
}

const timed = ({ frames, passes }: Load, understand: (frame: string) => unknown): number => {
  Garbage.collectAndRest(20)
  const begin = threadMs()
  let understood = 0
  for (let pass = 0; pass < passes; pass++) for (const frame of frames) if (understand(frame) !== null) understood++
  const ms = threadMs() - begin
  if (understood !== frames.length * passes) throw new Error("a frame was not understood")
  return ms
}

const parse = (frame: string): unknown => JSON.parse(frame)

const figures = (load: Load): ReadonlyArray<Figure> => {
  const bytes = load.frames.reduce((sum, frame) => sum + Buffer.byteLength(frame), 0)
  const decoding: Array<number> = []
  const parsing: Array<number> = []
  timed(load, WireEvent.fromFrame)
  timed(load, parse)
  for (let index = 0; index < repetitions; index++) {
    decoding.push(timed(load, WireEvent.fromFrame))
    parsing.push(timed(load, parse))
  }
  const perSecond = (ms: number, count: number): number => (count * load.passes * 1_000) / ms
  const figure = (name: string, samples: ReadonlyArray<number>, count: number): Figure => ({
    name: `${load.name}, ${name}`,
    value: perSecond(Statistics.median(samples), count),
    best: perSecond(Statistics.smallest(samples), count),
    unit: load.frames.length === 1 ? "MB/s" : "events/s",
    target: null
  })
  const count = load.frames.length === 1 ? bytes / 1_000_000 : load.frames.length
  const ratio = Statistics.smallest(decoding) / Statistics.smallest(parsing)
  return [
    { ...figure("decoded", decoding, count), comparison: { with: "the time of JSON.parse", ratio } },
    figure("JSON.parse alone", parsing, count),
    ...(load.frames.length === 1
      ? []
      : [
          {
            name: `${load.name}, bytes an event`,
            value: bytes / load.frames.length,
            unit: "bytes",
            target: null
          } as const
        ])
  ]
}

export const measure = (): Section => ({
  title: "OpenHands: decoding events",
  how: `from the text of a frame to what the adapter works with, a second of this thread's processor time; median of ${repetitions}, and the best`,
  figures: loads.flatMap(figures)
})
