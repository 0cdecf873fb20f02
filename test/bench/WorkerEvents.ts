// How many reports of workers the driver takes in a second, while 100 runs are live.
import * as Effect from "effect/Effect"
import { SessionId } from "@opensymphony/core/domain/Ids"
import * as Usage from "@opensymphony/core/domain/Usage"
import * as Board from "./Board.ts"
import * as Fleet from "./Fleet.ts"
import * as Garbage from "./Garbage.ts"
import type { Figure, Section } from "./Report.ts"
import * as Statistics from "./Statistics.ts"

const slots = 100
const rounds = 100
const repetitions = 5

/**
 * Rounds in which every run reports its usage and then a sign of life: the next round begins when the scheduler has
 * taken in the one before, so that none is conflated on its way to the driver.
 */
const reported = (waiting: number) =>
  Effect.gen(function* () {
    const fleet = yield* Fleet.make({ issues: Board.board(slots + waiting), slots })
    yield* fleet.launched(slots)
    yield* Effect.sleep(5)
    const runs = yield* fleet.workers.live
    const session = SessionId("session")
    const inputTokensOf = Effect.map(fleet.orchestrator.current, ({ state }) => state.usageByDay[0]?.usage.inputTokens)
    Garbage.collectAndRest(30)
    const begin = performance.now()
    for (let round = 1; round <= rounds; round++) {
      for (const { runId } of runs) {
        yield* fleet.workers.sessionUpdated(runId, session, { ...Usage.zero, inputTokens: round })
        yield* fleet.workers.activity(runId, `message ${round}`)
      }
      while ((yield* inputTokensOf) !== round * slots) yield* Effect.yieldNow
    }
    return (2 * rounds * slots * 1_000) / (performance.now() - begin)
  })

const figure = async (waiting: number): Promise<Figure> => {
  const rates: Array<number> = []
  await Effect.runPromise(Effect.scoped(reported(waiting)))
  for (let index = 0; index < repetitions; index++) {
    rates.push(await Effect.runPromise(Effect.scoped(reported(waiting))))
  }
  return {
    name: `${slots} live runs, ${waiting.toLocaleString("en-US")} issues waiting`,
    value: Statistics.median(rates),
    unit: "events/s",
    target: null
  }
}

export const measure = async (): Promise<Section> => ({
  title: "Worker events",
  how: `session updates with usage, and signs of life, half each, from the worker to the scheduler's state; of the signs of life, those within 100 ms of the run's last are conflated; median of ${repetitions}`,
  figures: [await figure(0), await figure(10_000)]
})
