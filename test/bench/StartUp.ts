// From building the orchestrator's layer to the first worker that is asked to start.
import * as Effect from "effect/Effect"
import * as Board from "./Board.ts"
import * as Fleet from "./Fleet.ts"
import * as Garbage from "./Garbage.ts"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const sizes = [10, 1_000, 10_000]
const repetitions = 7

const firstDispatch = (size: number) =>
  Effect.gen(function* () {
    const issues = Board.board(size)
    Garbage.collectAndRest(30)
    const begin = performance.now()
    const fleet = yield* Fleet.make({ issues, slots: 10 })
    yield* fleet.launched(1)
    return (fleet.launches[0]?.at ?? Number.NaN) - begin
  })

const figure = async (size: number): Promise<Figure> => {
  const samples: Array<number> = []
  for (let index = 0; index < repetitions; index++) {
    samples.push(await Effect.runPromise(Effect.scoped(firstDispatch(size))))
  }
  const name = `start-up to first dispatch, ${size.toLocaleString("en-US")} candidates`
  return { name, value: Statistics.median(samples), unit: "ms", target: null }
}

export const measure = async (): Promise<Section> => {
  const figures: Array<Figure> = []
  for (const size of sizes) figures.push(await figure(size))
  return {
    title: "Start-up",
    how: `layer built, store loaded, first poll answered, first worker asked to start; median of ${repetitions}`,
    figures
  }
}
