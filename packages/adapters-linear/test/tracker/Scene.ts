/** A tracker on a fake Linear, with the time and the log of the test. */
import { Effect, Fiber, Logger, Redacted, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { TrackerBackendService } from "@opensymphony/core/ports/TrackerBackend"
import * as Governors from "../../src/api/Governors.ts"
import * as LinearApi from "../../src/LinearApi.ts"
import * as LinearTracker from "../../src/LinearTracker.ts"
import type { ProjectSettings } from "../../src/LinearProject.ts"
import { FakeLinear } from "../../src/testing/index.ts"

export interface Scene {
  readonly linear: FakeLinear.FakeLinear
  readonly api: LinearApi.LinearApiService
  readonly tracker: TrackerBackendService
  readonly settings: ProjectSettings
  /** Another one on the same API. */
  readonly trackerWith: (settings: Partial<ProjectSettings>) => TrackerBackendService
}

const states = {
  activeStates: ["Todo", "In Progress"],
  terminalStates: ["Done", "Canceled", "Duplicate"],
  assignee: null
}

/** When virtual time begins: the fake and the API share it. */
const beginning = 1_780_000_000_000

/** For tests in virtual time; the fake's instants look like those of this century. */
export const begin = TestClock.setTime(beginning)

export const make = Effect.fnUntraced(function* (
  options: FakeLinear.Options = {}
): Effect.fn.Return<Scene, unknown, Scope.Scope> {
  return yield* on(yield* FakeLinear.make(options))
})

/** A tracker on this fake, at another address where one is given. */
export const on = Effect.fnUntraced(function* (
  linear: FakeLinear.FakeLinear,
  endpoint: string = linear.url
): Effect.fn.Return<Scene, unknown> {
  const own = yield* LinearApi.make({ endpoint, apiKey: Redacted.make(linear.apiKey) }).pipe(
    Effect.provideService(Governors.Governors, Governors.make())
  )
  const settings = { ...states, projectSlug: linear.project.slugId }
  const trackerWith = (some: Partial<ProjectSettings>) => LinearTracker.make(own, { ...settings, ...some })
  return { linear, api: own, settings, tracker: trackerWith({}), trackerWith }
})

/** Puts issues on the board of the fake's project; gives their ids. */
export const issues = (linear: FakeLinear.FakeLinear, count: number, state = "Todo"): ReadonlyArray<string> =>
  linear
    .createIssues(
      Array.from({ length: count }, (_, index) => ({
        title: `Issue ${index}`,
        state,
        project: linear.project.slugId
      }))
    )
    .map(({ id }) => id)

/** Collects the log lines of an effect, and keeps them from the output. */
export const logged = (lines: Array<string>) =>
  Effect.provide(
    Logger.layer([
      Logger.make<unknown, void>(({ logLevel, message }) => {
        lines.push(`${logLevel}: ${Array.isArray(message) ? message.join(" ") : String(message)}`)
      })
    ])
  )

export const quietly = logged([])

/** Lets virtual time pass, and real requests with it, until the effect is done; an hour at most. */
export const inTime = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
  for (let seconds = 0; seconds < 3_600 && fiber.pollUnsafe() === undefined; seconds++) {
    // A real moment, in which answers arrive.
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))
    if (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
  }
  return yield* Fiber.join(fiber)
})
