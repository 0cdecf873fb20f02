import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import * as LinearApi from "../../src/LinearApi.ts"
import { FakeLinear } from "../../src/testing/index.ts"

const call = (api: LinearApi.LinearApiService) =>
  api.call({
    name: "Viewer",
    document: "query Viewer { viewer { name } }",
    variables: {},
    result: Schema.Struct({ viewer: Schema.Struct({ name: Schema.String }) }),
    purpose: "tools",
    repeatable: true
  })

const open = (linear: FakeLinear.FakeLinear, key = linear.apiKey) =>
  LinearApi.make({ endpoint: linear.url, apiKey: Redacted.make(key) })

describe("the governors of a process", () => {
  it.live("are one for all that use the same key at the same endpoint, also after a reload", () =>
    Effect.gen(function* () {
      const linear = yield* FakeLinear.make()
      const before = yield* open(linear)
      yield* call(before)
      const after = yield* open(linear, ` ${linear.apiKey}\n`)
      assert.strictEqual((yield* after.budget).spent.tools.requests, 1)
      linear.addFault({ fault: { kind: "rateLimited", retryAfter: "300", reset: "missing" }, times: 1 })
      yield* Effect.flip(call(after))
      assert.strictEqual((yield* Effect.flip(call(before)))._tag, "LinearRateLimited")
      assert.lengthOf(linear.requests(), 2)
    })
  )

  it.live("are different for different keys", () =>
    Effect.gen(function* () {
      const linear = yield* FakeLinear.make()
      yield* call(yield* open(linear))
      const { spent } = yield* (yield* open(linear, "another-key")).budget
      assert.strictEqual(spent.tools.requests, 0)
    })
  )
})
