// What Linear and the network do to everybody: small losses all the time, two storms of the rate limit, an outage, and a
// while in which changes are carried out and hardly an answer comes back.
import type { FakeLinear } from "@opensymphony/adapters-linear/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface Spell {
  readonly name: "spent budget" | "refusals" | "outage" | "lost answers"
  readonly fromMs: number
  readonly untilMs: number
  /** Agents that were at work when it began. */
  readonly agents: number
}

export interface Weather {
  readonly play: Effect.Effect<void>
  /** From now on everything that is asked is answered. */
  readonly clear: Effect.Effect<void>
  readonly spells: ReadonlyArray<Spell>
}

const minute = 60_000
/** Trouble comes when so many agents are at work, or after a while. */
const company = 8
const longestWaitMs = 4 * minute

export function make(linear: FakeLinear.FakeLinear, agents: () => number): Weather {
  const spells: Array<Spell> = []

  const untilBusy = Effect.gen(function* () {
    const latestMs = (yield* Clock.currentTimeMillis) + longestWaitMs
    while (agents() < company && (yield* Clock.currentTimeMillis) < latestMs) yield* Effect.sleep(1_000)
  })

  /** Answers get lost after the request was carried out, and connections break before it is. */
  const usual = () => {
    linear.clearFaults()
    linear.addFault({ fault: { kind: "lostAnswer" }, type: "mutation", probability: 0.12, seed: 11 })
    linear.addFault({ fault: { kind: "resetInBody" }, type: "mutation", probability: 0.05, seed: 12 })
    linear.addFault({ fault: { kind: "resetBeforeHeaders" }, probability: 0.02, seed: 13 })
  }

  const spell = (name: Spell["name"], minutes: number, everySecond: Effect.Effect<void>) =>
    Effect.gen(function* () {
      const fromMs = yield* Clock.currentTimeMillis
      const untilMs = fromMs + minutes * minute
      spells.push({ name, fromMs, untilMs, agents: agents() })
      while ((yield* Clock.currentTimeMillis) < untilMs) {
        yield* everySecond
        yield* Effect.sleep(1_000)
      }
    })

  /** Somebody else with a key of the same user takes all that there is. */
  const spentBudget = spell(
    "spent budget",
    2,
    Effect.sync(() => linear.setRemaining("requests", 0))
  )

  const refusals = Effect.gen(function* () {
    linear.clearFaults()
    linear.addFault({ fault: { kind: "rateLimited", reset: "soon" } })
    yield* spell("refusals", 2, Effect.void)
    usual()
  })

  const outage = Effect.gen(function* () {
    linear.clearFaults()
    linear.disconnect()
    linear.addFault({ fault: { kind: "html", status: 502 }, probability: 0.5, seed: 14 })
    linear.addFault({ fault: { kind: "resetBeforeHeaders" } })
    yield* spell("outage", 10, Effect.void)
    usual()
  })

  /** So many that a call of a tool often fails although it was carried out, also when it looks for what it made. */
  const lostAnswers = Effect.gen(function* () {
    linear.clearFaults()
    linear.addFault({ fault: { kind: "lostAnswer" }, type: "mutation", probability: 0.85, seed: 15 })
    linear.addFault({ fault: { kind: "lostAnswer" }, operation: "ToolComment", probability: 0.85, seed: 16 })
    yield* spell("lost answers", 3, Effect.void)
    usual()
  })

  return {
    spells,
    clear: Effect.sync(() => linear.clearFaults()),
    play: Effect.gen(function* () {
      usual()
      for (const [pauseMinutes, trouble] of [
        [2, lostAnswers],
        [1, spentBudget],
        // The gate has opened again by then.
        [10, outage],
        [2, refusals]
      ] as const) {
        yield* Effect.sleep(pauseMinutes * minute)
        yield* untilBusy
        yield* trouble
      }
    })
  }
}
