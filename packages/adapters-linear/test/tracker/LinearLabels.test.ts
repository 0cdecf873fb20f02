import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as LinearLabels from "../../src/LinearLabels.ts"
import * as Scene from "./Scene.ts"

describe("the labels of a workspace", () => {
  it.live("are compared without case", () =>
    Effect.gen(function* () {
      const { api, linear } = yield* Scene.make()
      linear.createLabel("Backend")
      assert.deepStrictEqual(yield* LinearLabels.missing(api, ["backend", "agnet"]), ["agnet"])
    })
  )

  it.live("are found by a check of somebody whose budget is nearly used up", () =>
    Effect.gen(function* () {
      const { api, linear, tracker } = yield* Scene.make()
      linear.createLabel("Backend")
      linear.setRemaining("requests", 200)
      yield* tracker.candidateIssues
      assert.deepStrictEqual(yield* LinearLabels.missing(api, ["backend"]), [])
    }).pipe(Scene.quietly)
  )
})
