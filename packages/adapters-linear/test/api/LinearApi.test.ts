import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { LinearOperation } from "../../src/LinearApi.ts"
import type { LinearError } from "../../src/LinearError.ts"
import type { Fault } from "../../src/testing/index.ts"
import * as Scene from "../tracker/Scene.ts"

const viewer = (over: Partial<LinearOperation<unknown>> = {}): LinearOperation<unknown> => ({
  name: "Viewer",
  document: "query Viewer { viewer { id name } }",
  variables: {},
  result: Schema.Struct({ viewer: Schema.Struct({ name: Schema.String }) }),
  purpose: "refresh",
  repeatable: true,
  ...over
})

const ada = { viewer: { name: "Ada Lovelace" } }

/** A call to a fake on which this goes wrong, once unless told; virtual time passes as it needs. */
const callWith = Effect.fnUntraced(function* (
  fault: Fault,
  options: { readonly times?: number; readonly operation?: Partial<LinearOperation<unknown>> } = {}
) {
  yield* Scene.begin
  const { api, linear } = yield* Scene.make()
  linear.addFault({ fault, times: options.times ?? 1 })
  const startedAt = yield* Clock.currentTimeMillis
  const result = yield* Scene.inTime(Effect.result(api.call(viewer(options.operation))))
  const tookMs = (yield* Clock.currentTimeMillis) - startedAt
  return { result, tookMs, requests: linear.requests().length, linear, api }
}, Scene.quietly)

const messageOf = (result: { readonly _tag: string; readonly failure?: { readonly message: string } }) =>
  result.failure?.message ?? "no failure"

describe("LinearApi", () => {
  it.live("sends the key bare, with what the request is for", () =>
    Effect.gen(function* () {
      const { api, linear } = yield* Scene.make()
      assert.deepStrictEqual(yield* api.call(viewer({ purpose: "tools" })), ada)
      const [request] = linear.requests()
      assert.deepInclude(request, { operation: "Viewer", purpose: "tools", status: 200 })
    })
  )

  it.effect.each<Fault>([
    { kind: "html", status: 502 },
    { kind: "internalError" },
    { kind: "lockTimeout" },
    { kind: "resetBeforeHeaders" },
    { kind: "resetInBody" },
    { kind: "lostAnswer" },
    { kind: "hangBeforeHeaders" },
    { kind: "hangInBody" },
    { kind: "malformedJson" },
    { kind: "html", status: 200 },
    { kind: "emptyBody" },
    { kind: "wrongContentType" },
    { kind: "rateLimited", reset: "missing", retryAfter: "5" }
  ])("gets over a bad answer to a read: %j", (fault) =>
    Effect.gen(function* () {
      const { requests, result } = yield* callWith(fault)
      assert.deepInclude(result, { _tag: "Success", success: ada })
      assert.strictEqual(requests, 2)
    })
  )

  it.effect.each<Fault>([
    { kind: "emptyErrors" },
    { kind: "wrongContentType", contentType: "application/graphql-response+json" }
  ])("takes an odd answer for the good one it is: %j", (fault) =>
    Effect.gen(function* () {
      const { requests, result } = yield* callWith(fault)
      assert.deepInclude(result, { _tag: "Success", success: ada })
      assert.strictEqual(requests, 1)
    })
  )

  it.effect("gives up after three retries, well before a minute has passed", () =>
    Effect.gen(function* () {
      const { requests, result, tookMs } = yield* callWith({ kind: "html", status: 503 }, { times: 100 })
      assert.include(messageOf(result), "Linear failed at Viewer (HTTP 503)")
      assert.strictEqual(requests, 4)
      assert.isBelow(tookMs, 30_000)
    })
  )

  it.effect("begins no retry later than half a minute after the call", () =>
    Effect.gen(function* () {
      const { requests, result, tookMs } = yield* callWith({ kind: "hangBeforeHeaders" }, { times: 100 })
      assert.include(messageOf(result), "did not answer Viewer within 20 s")
      assert.strictEqual(requests, 2)
      assert.isBelow(tookMs, 60_000)
    })
  )

  it.effect.each<Fault>([{ kind: "lostAnswer" }, { kind: "hangInBody" }, { kind: "html", status: 502 }])(
    "sends a change that may not happen twice only once: %j",
    (fault) =>
      Effect.gen(function* () {
        const { requests, result } = yield* callWith(fault, { operation: { repeatable: false } })
        assert.strictEqual(result._tag, "Failure")
        assert.strictEqual(requests, 1)
      })
  )

  it.effect.each<[fault: Fault, tag: LinearError["_tag"]]>([
    [{ kind: "unauthorized" }, "LinearAuthError"],
    [{ kind: "bearerHint" }, "LinearAuthError"],
    [{ kind: "forbidden" }, "LinearForbidden"]
  ])("does not insist where waiting does not help: %j", ([fault, tag]) =>
    Effect.gen(function* () {
      const { requests, result } = yield* callWith(fault)
      assert.strictEqual(result._tag === "Failure" && result.failure._tag, tag)
      assert.strictEqual(requests, 1)
    })
  )

  it.effect("does not follow a redirect, so that the key goes nowhere else", () =>
    Effect.gen(function* () {
      const elsewhere = yield* Scene.make()
      const { result } = yield* callWith({ kind: "redirect", location: elsewhere.linear.url }, { times: 9 })
      assert.include(messageOf(result), "redirects elsewhere")
      assert.lengthOf(elsewhere.linear.requests(), 0)
    })
  )

  it.effect("says which host could not be reached, and nothing secret", () =>
    Effect.gen(function* () {
      yield* Scene.begin
      const { api, linear } = yield* Scene.make()
      yield* Effect.promise(linear.close)
      const error = yield* Scene.inTime(Effect.flip(api.call(viewer())))
      assert.strictEqual(error._tag, "LinearTransportError")
      assert.match(error.message, /^127\.0\.0\.1:\d+ could not be reached for Viewer \(ECONNREFUSED\)/)
      assert.notInclude(JSON.stringify(error), linear.apiKey)
    }).pipe(Scene.quietly)
  )

  it.effect("refuses an answer of another shape, without repeating it", () =>
    Effect.gen(function* () {
      yield* Scene.begin
      const { api } = yield* Scene.make()
      const result = Schema.Struct({ viewer: Schema.Struct({ name: Schema.Finite }) })
      const error = yield* Scene.inTime(Effect.flip(api.call(viewer({ result }))))
      assert.strictEqual(error._tag, "LinearBadResponse")
      assert.include(error.message, "the answer to Viewer is not as expected")
      assert.notInclude(error.message, "Ada")
    }).pipe(Scene.quietly)
  )

  it.live("ends the request when its fiber is interrupted", () =>
    Effect.gen(function* () {
      const { api, linear } = yield* Scene.make()
      linear.addFault({ fault: { kind: "hangBeforeHeaders" } })
      const fiber = yield* Effect.forkChild(api.call(viewer()), { startImmediately: true })
      while (linear.requests().length === 0) yield* Effect.sleep("2 millis")
      yield* Fiber.interrupt(fiber)
      while (linear.requests()[0]?.abandoned !== true) yield* Effect.sleep("2 millis")
    })
  )

  describe("with a raw query", () => {
    it.live("gives back Linear's own answer, also an error", () =>
      Effect.gen(function* () {
        const { api } = yield* Scene.make()
        const { body, status } = yield* api.raw("query { nonsense }", {}, "tools")
        assert.strictEqual(status, 400)
        assert.include(JSON.stringify(body), "GRAPHQL_VALIDATION_FAILED")
        const good = yield* api.raw("query { viewer { name } }", {}, "tools")
        assert.deepStrictEqual(good.body, { data: ada })
      })
    )

    it.live("fails where there is no answer of Linear", () =>
      Effect.gen(function* () {
        const { api, linear } = yield* Scene.make()
        linear.addFault({ fault: { kind: "html", status: 502 } })
        const error = yield* Effect.flip(api.raw("query { viewer { name } }", {}, "tools"))
        assert.strictEqual(error._tag, "LinearTransportError")
        assert.lengthOf(linear.requests(), 1)
      })
    )
  })

  describe("and its budget", () => {
    it.effect("is told by every answer", () =>
      Effect.gen(function* () {
        yield* Scene.begin
        const { api } = yield* Scene.make()
        yield* api.call(viewer({ purpose: "tools" }))
        const { closedUntilMs, requests, spent } = yield* api.budget
        assert.deepInclude(requests, { limit: 2_500, remaining: 2_499 })
        assert.deepStrictEqual(spent.tools, { requests: 1, complexity: 2 })
        assert.strictEqual(closedUntilMs, null)
      })
    )

    it.effect("waits for a short limit, and then goes on", () =>
      Effect.gen(function* () {
        const { result, tookMs } = yield* callWith({ kind: "rateLimited", reset: "missing", retryAfter: "10" })
        assert.strictEqual(result._tag, "Success")
        assert.isAtLeast(tookMs, 10_000)
      })
    )

    it.effect("leaves a long limit to the caller, and sends nothing before it ends", () =>
      Effect.gen(function* () {
        const { api, linear, requests, result } = yield* callWith({
          kind: "rateLimited",
          retryAfter: "300",
          reset: "missing"
        })
        const now = yield* Clock.currentTimeMillis
        assert.strictEqual(requests, 1)
        const retryAtMs =
          result._tag === "Failure" && result.failure._tag === "LinearRateLimited" ? result.failure.retryAtMs : null
        assert.closeTo(retryAtMs ?? 0, now + 300_000, 5_000)
        yield* Effect.flip(api.call(viewer()))
        assert.lengthOf(linear.requests(), 1)
        yield* TestClock.adjust("301 seconds")
        assert.deepStrictEqual(yield* api.call(viewer()), ada)
      }).pipe(Scene.quietly)
    )

    it.effect.each<Fault>([
      { kind: "rateLimited", reset: "past" },
      { kind: "rateLimited", reset: "garbage" },
      { kind: "rateLimited", reset: "missing" },
      { kind: "rateLimited", reset: "far" },
      { kind: "rateLimited", status: 429, reset: "missing" }
    ])("closes for a sane while when the limit names no sane end: %j", (fault) =>
      Effect.gen(function* () {
        const { api } = yield* callWith(fault)
        const now = yield* Clock.currentTimeMillis
        const { closedUntilMs } = yield* api.budget
        assert.isAbove(closedUntilMs ?? 0, now)
        assert.isAtMost(closedUntilMs ?? 0, now + 600_000)
      })
    )

    it.effect("refuses tools before polls, and polls before the refresh of what runs", () =>
      Effect.gen(function* () {
        yield* Scene.begin
        const { api, linear } = yield* Scene.make()
        const passes = (purpose: LinearOperation<unknown>["purpose"]) =>
          Effect.map(Effect.result(api.call(viewer({ purpose }))), ({ _tag }) => _tag === "Success")
        linear.setRemaining("requests", 300)
        yield* api.call(viewer())
        assert.isFalse(yield* passes("cosmetics"))
        assert.isFalse(yield* passes("tools"))
        assert.isTrue(yield* passes("candidates"))
        linear.setRemaining("requests", 100)
        yield* api.call(viewer())
        assert.isFalse(yield* passes("candidates"))
        assert.isTrue(yield* passes("refresh"))
      })
    )
  })
})
