import { assert, describe, it } from "@effect/vitest"
import type { WebhookSettings } from "@opensymphony/core/workflow/Workflow"
import { Effect, Exit, Fiber, Redacted, Scope, Stream } from "effect"
import { createHmac, randomUUID } from "node:crypto"
import { request } from "node:http"
import { type AddressInfo, createServer } from "node:net"
import * as LinearAdapters from "../../src/adapters/LinearAdapters.ts"

/** One that nothing listens on. */
const freePort = Effect.callback<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

const settingsOn = (
  port: number,
  some: { readonly secret?: string; readonly path?: string } = {}
): WebhookSettings => ({
  host: "127.0.0.1",
  port,
  path: some.path ?? "/linear",
  secret: Redacted.make(some.secret ?? "first")
})

/** Delivers as Linear does; the status, or 0 when nothing listens. */
const deliver = ({ host, path, port, secret }: WebhookSettings) =>
  Effect.callback<number>((resume) => {
    const body = JSON.stringify({ action: "update", type: "Issue", webhookTimestamp: Date.now() })
    const signature = createHmac("sha256", Redacted.value(secret)).update(body).digest("hex")
    const headers = { "linear-delivery": randomUUID(), "linear-signature": signature }
    const sent = request({ host, port, path, method: "POST", headers, agent: false }, (response) => {
      response.resume()
      response.once("close", () => resume(Effect.succeed(response.statusCode ?? 0)))
    })
    sent.once("error", () => resume(Effect.succeed(0)))
    sent.end(body)
  })

/** What a reload does: the new adapters open before the old ones close. */
const reloaded = (to: { readonly secret?: string; readonly path?: string }) =>
  Effect.gen(function* () {
    const port = yield* freePort
    const { webhooks } = yield* LinearAdapters.share
    const before = yield* Scope.make()
    const old = yield* Scope.provide(webhooks(settingsOn(port)), before)
    const service = yield* webhooks(settingsOn(port, to))
    yield* Scope.close(before, Exit.void)
    return { port, old, service }
  })

describe("the webhook listener of Linear adapters", () => {
  it.live("takes a new secret on a reload", () =>
    Effect.gen(function* () {
      const { port } = yield* reloaded({ secret: "second" })
      assert.strictEqual(yield* deliver(settingsOn(port, { secret: "second" })), 200)
      assert.strictEqual(yield* deliver(settingsOn(port)), 401)
    }).pipe(Effect.scoped)
  )

  it.live("takes a new path on a reload, and wakes the poll of the new adapters", () =>
    Effect.gen(function* () {
      const { port, service } = yield* reloaded({ path: "/elsewhere" })
      const woken = yield* Effect.forkChild(Stream.runHead(service.wakes), { startImmediately: true })
      assert.strictEqual(yield* deliver(settingsOn(port)), 404)
      assert.strictEqual(yield* deliver(settingsOn(port, { path: "/elsewhere" })), 200)
      assert.strictEqual((yield* Fiber.join(woken))._tag, "Some")
    }).pipe(Effect.scoped)
  )

  it.live("listens no more once nobody wants it", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const { webhooks } = yield* LinearAdapters.share
      yield* Effect.scoped(webhooks(settingsOn(port)))
      assert.strictEqual(yield* deliver(settingsOn(port)), 0)
    }).pipe(Effect.scoped)
  )
})
