// What Linear and the network do to everybody: small losses all the time, two storms of the rate limit, an outage, and a
// while in which everything is carried out and no answer comes back.
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

export function make(linear: FakeLinear.FakeLinear, agents: () => number): Weather {
  const spells: Array<Spell> = []

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

  const lostAnswers = Effect.gen(function* () {
    linear.clearFaults()
    linear.addFault({ fault: { kind: "lostAnswer" } })
    yield* spell("lost answers", 2, Effect.void)
    usual()
  })

  return {
    spells,
    clear: Effect.sync(() => linear.clearFaults()),
    play: Effect.gen(function* () {
      usual()
      yield* Effect.sleep(2 * minute)
      yield* lostAnswers
      yield* Effect.sleep(2 * minute)
      yield* spentBudget
      // Until well after the gate has opened again.
      yield* Effect.sleep(12 * minute)
      yield* outage
      yield* Effect.sleep(3 * minute)
      yield* refusals
      yield* Effect.sleep(2 * minute)
    })
  }
}
