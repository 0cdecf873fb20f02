import { LinearWebhookClient } from "@linear/sdk/webhooks"
import { assert, describe, it } from "@effect/vitest"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"
import type { FakeLinear } from "../../src/testing/index.ts"
import { on } from "./Client.ts"

const secret = "shared secret"

interface Received {
  readonly delivery: string | undefined
  readonly body: {
    readonly type: string
    readonly action: string
    readonly data: { readonly state?: { readonly name: string } }
    readonly updatedFrom?: Readonly<Record<string, unknown>>
  }
}

interface Receiver {
  readonly url: string
  readonly accepted: ReadonlyArray<Received>
}

/** A receiver that checks deliveries with the SDK's own module, beside a fake that posts to it. */
const withReceiver = (play: (linear: FakeLinear.FakeLinear, receiver: Receiver) => Promise<void>) =>
  on(async (linear) => {
    const accepted: Array<Received> = []
    const handler = new LinearWebhookClient(secret).createHandler()
    let delivery: string | undefined
    handler.on("*", (payload) => {
      accepted.push({ delivery, body: payload as unknown as Received["body"] })
    })
    const server = Http.createServer((request, response) => {
      delivery = request.headers["linear-delivery"]?.toString()
      void handler(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    try {
      await play(linear, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, accepted })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

describe("webhooks of the fake Linear", () => {
  it("announce what people do, signed so that the SDK accepts it", () =>
    withReceiver(async (linear, { accepted, url }) => {
      linear.subscribe({ url, secret })
      linear.createIssue({ title: "First", state: "Todo" })
      linear.moveIssue("ENG-1", "In Progress")
      linear.addComment("ENG-1", "Hello")
      linear.deleteIssue("ENG-1")
      await linear.webhooksSettled()
      assert.deepStrictEqual(
        accepted.map(({ body }) => `${body.type} ${body.action}`),
        ["Issue create", "Issue update", "Comment create", "Comment remove", "Issue remove"]
      )
      const moved = accepted[1]?.body
      assert.deepInclude<object>(moved?.data ?? {}, { identifier: "ENG-1", title: "First" })
      assert.strictEqual(moved?.data.state?.name, "In Progress")
      assert.hasAnyKeys(moved?.updatedFrom ?? {}, ["stateId"])
      assert.deepStrictEqual(
        linear.deliveries().map(({ status }) => status),
        [200, 200, 200, 200, 200]
      )
    }))

  it.each([
    ["a wrong signature", { badSignature: true }],
    ["a timestamp that is too old", { timestampOffsetMs: -120_000 }]
  ])("can have %s, which the SDK refuses", (_, faults) =>
    withReceiver(async (linear, { accepted, url }) => {
      linear.subscribe({ url, secret })
      linear.setWebhookFaults(faults)
      linear.createIssue({ title: "First" })
      await linear.webhooksSettled()
      assert.deepStrictEqual(accepted, [])
      assert.notStrictEqual(linear.deliveries()[0]?.status, 200)
    })
  )

  it("can come twice with one id, again later, or not at all", () =>
    withReceiver(async (linear, { accepted, url }) => {
      linear.subscribe({ url, secret, resourceTypes: ["Issue"] })
      linear.setWebhookFaults({ copies: 2 })
      linear.createIssue({ title: "First" })
      await linear.webhooksSettled()
      const [delivery] = linear.deliveries()
      await linear.replayDelivery(delivery?.id ?? "")
      assert.deepStrictEqual(
        accepted.map((one) => one.delivery),
        [delivery?.id, delivery?.id, delivery?.id]
      )
      linear.setWebhookFaults({ copies: 0 })
      linear.createIssue({ title: "Second" })
      await linear.webhooksSettled()
      assert.lengthOf(accepted, 3)
    }))

  it("stop when nobody subscribes any more", () =>
    withReceiver(async (linear, { accepted, url }) => {
      linear.unsubscribe(linear.subscribe({ url, secret }))
      linear.createIssue({ title: "First" })
      await linear.webhooksSettled()
      assert.lengthOf(accepted, 0)
    }))
})
