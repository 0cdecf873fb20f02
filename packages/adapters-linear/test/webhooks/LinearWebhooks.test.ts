import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, Redacted, Stream } from "effect"
import { HttpServer } from "effect/http"
import { TestClock } from "effect/testing"
import { createHmac, randomUUID } from "node:crypto"
import { createServer, request } from "node:http"
import * as FakeLinear from "../../src/testing/FakeLinear.ts"
import { LinearWebhooks, layer } from "../../src/webhooks/LinearWebhooks.ts"

const secret = "lin_wh_0123456789abcdef"
const path = "/linear"

const setUp = Effect.gen(function* () {
  const lines: Array<string> = []
  const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
  const server = NodeHttpServer.layer(() => createServer(), {
    host: "127.0.0.1",
    port: 0,
    gracefulShutdownTimeout: 100
  })
  const built = yield* Layer.build(
    layer({ secret: Redacted.make(secret), path }).pipe(
      Layer.provideMerge(server),
      Layer.provideMerge(Logger.layer([logger]))
    )
  )
  const webhooks = Context.get(built, LinearWebhooks)
  const url = `${HttpServer.formatAddress(Context.get(built, HttpServer.HttpServer).address)}${path}`
  return { webhooks, url, warnings: () => lines, context: built }
})

const bodyNow = () => JSON.stringify({ action: "update", type: "Issue", webhookTimestamp: Date.now() })
const sign = (body: string, key = secret) => createHmac("sha256", key).update(body).digest("hex")

interface Post {
  readonly method?: string
  readonly body?: string
  readonly signature?: string | null
  readonly id?: string
}

/** Posts as Linear does, or as somebody who would like to be Linear. */
const post = (url: string, { body = bodyNow(), id = randomUUID(), method = "POST", ...rest }: Post = {}) =>
  Effect.callback<number>((resume) => {
    const signature = rest.signature === undefined ? sign(body) : rest.signature
    const headers = { "linear-delivery": id, ...(signature === null ? {} : { "linear-signature": signature }) }
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      response.resume()
      response.once("close", () => resume(Effect.succeed(response.statusCode ?? 0)))
    })
    outgoing.once("error", () => resume(Effect.succeed(0)))
    outgoing.end(body)
  })

/** How many wakes come until shortly after `work`. */
const wakesDuring = <E>(wakes: Stream.Stream<void>, work: Effect.Effect<unknown, E>) =>
  Effect.gen(function* () {
    let count = 0
    const fiber = yield* Effect.forkChild(
      Stream.runForEach(wakes, () => Effect.sync(() => (count += 1))),
      {
        startImmediately: true
      }
    )
    yield* work
    yield* TestClock.adjust("2 seconds")
    yield* Fiber.interrupt(fiber)
    return count
  })

describe("a delivery", () => {
  it.effect("of Linear's wakes once, with all that arrive at about the same time", () =>
    Effect.gen(function* () {
      const { url, webhooks } = yield* setUp
      const linear = yield* FakeLinear.make({ now: () => Date.now() })
      linear.subscribe({ url, secret })
      const count = yield* wakesDuring(
        webhooks.wakes,
        Effect.promise(() => {
          for (const title of ["one", "two", "three"]) linear.createIssue({ title, project: linear.project.id })
          return linear.webhooksSettled()
        })
      )
      const statuses = linear.deliveries().map(({ status }) => status)
      assert.deepStrictEqual([count, statuses], [1, [200, 200, 200]])
    })
  )

  it.effect("wakes again after the first time, also beside another listener", () =>
    Effect.gen(function* () {
      const { url, webhooks } = yield* setUp
      const again = Effect.suspend(() => post(url))
      const both = wakesDuring(webhooks.wakes, wakesDuring(webhooks.wakes, again))
      assert.deepStrictEqual([yield* both, yield* both], [1, 1])
    })
  )

  const refused: ReadonlyArray<readonly [string, () => Post, number]> = [
    ["without a signature", () => ({ signature: null }), 401],
    ["with an empty signature", () => ({ signature: "" }), 401],
    ["signed with another secret", () => ({ signature: sign(bodyNow(), "another") }), 401],
    ["signed for another body", () => ({ signature: sign(`${bodyNow()} `) }), 401],
    ["with half a signature", () => ({ signature: sign(bodyNow()).slice(0, 32) }), 401],
    [
      "signed more than a minute ago",
      () => {
        const body = JSON.stringify({ webhookTimestamp: Date.now() - 61_000 })
        return { body, signature: sign(body) }
      },
      401
    ],
    ["without a time", () => ({ body: "{}", signature: sign("{}") }), 401],
    ["that is no JSON", () => ({ body: "hello", signature: sign("hello") }), 401],
    ["that is huge", () => ({ body: "x".repeat(6 * 1024 * 1024), signature: "0".repeat(64) }), 413],
    ["by GET", () => ({ method: "GET", body: "" }), 405]
  ]
  it.effect("is refused, and wakes nobody, when it is not Linear's", () =>
    Effect.gen(function* () {
      const { url, warnings, webhooks } = yield* setUp
      const statuses: Array<number> = []
      const count = yield* wakesDuring(
        webhooks.wakes,
        Effect.forEach(refused, ([, make]) => Effect.map(post(url, make()), (status) => statuses.push(status)))
      )
      assert.strictEqual(count, 0)
      assert.deepStrictEqual(
        refused.map(([name], index) => [name, statuses[index]]),
        refused.map(([name, , status]) => [name, status])
      )
      const refusals = warnings().filter((line) => line.includes("refused"))
      assert.lengthOf(refusals, 1)
      assert.include(refusals[0], "compare tracker.webhook.secret")
      assert.notInclude(warnings().join("\n"), secret)
    })
  )

  it.effect("that is sent twice wakes once", () =>
    Effect.gen(function* () {
      const { url, webhooks } = yield* setUp
      const [body, id] = [bodyNow(), randomUUID()]
      assert.strictEqual(yield* wakesDuring(webhooks.wakes, post(url, { body, id })), 1)
      assert.strictEqual(yield* wakesDuring(webhooks.wakes, post(url, { body, id })), 0)
    })
  )

  it.effect("to another path is not found", () =>
    Effect.gen(function* () {
      const { url } = yield* setUp
      assert.strictEqual(yield* post(`${url}/else`), 404)
    })
  )
})

describe("the absence of deliveries", () => {
  it.effect("is reported when polls keep finding changes, once, until one arrives", () =>
    Effect.gen(function* () {
      const { context, url, warnings, webhooks } = yield* setUp
      const polls = (times: number) =>
        Effect.forEach(Array.from({ length: times }), () => webhooks.pollFoundChanges).pipe(Effect.provide(context))
      yield* polls(10)
      assert.lengthOf(warnings(), 1)
      assert.include(warnings()[0], "the last 3 polls found changes that no webhook delivery announced")
      yield* post(url)
      assert.include(warnings()[1], "webhook deliveries arrive again")
      yield* polls(10)
      assert.lengthOf(warnings(), 3)
    })
  )
})
