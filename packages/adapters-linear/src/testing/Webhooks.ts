/**
 * Posts signed deliveries about changes of the board, one after another per subscription, each answered within five
 * seconds. They are not tried again; a test says itself what is delivered twice, late, or with a wrong signature.
 */
import * as Crypto from "node:crypto"
import * as Http from "node:http"
import * as Board from "./Board.ts"
import type { JsonObject } from "./Json.ts"
import { payload } from "./WebhookPayload.ts"

export interface Subscription {
  /** http, on loopback. */
  readonly url: string
  readonly secret: string
  /** All that are announced unless told: Issue, Comment, Attachment, IssueLabel, Project, User. */
  readonly resourceTypes?: ReadonlyArray<string>
}

/** How deliveries are spoiled from now on. */
export interface WebhookFaults {
  readonly badSignature?: boolean
  /** Added to the timestamp inside; Linear's receivers accept a minute either way. */
  readonly timestampOffsetMs?: number
  /** How often each is posted, with the same id; 1 unless told, 0 for silence. */
  readonly copies?: number
}

export interface Delivery {
  readonly id: string
  readonly url: string
  readonly type: string
  readonly action: string
  readonly body: string
  readonly signature: string
  /** What the receiver answered; null when it did not. */
  readonly status: number | null
}

export interface Webhooks {
  readonly subscribe: (subscription: Subscription) => string
  readonly unsubscribe: (id: string) => void
  readonly setFaults: (faults: WebhookFaults) => void
  /** Posts a past delivery again, byte for byte: with its old timestamp. */
  readonly replay: (deliveryId: string) => Promise<Delivery>
  readonly deliveries: () => ReadonlyArray<Delivery>
  /** Comes when everything that was announced so far has been posted. */
  readonly settled: () => Promise<void>
}

const timeoutMs = 5_000
const kept = 1_000

export function make(board: Board.Board, viewerId: string): Webhooks {
  const subscriptions = new Map<string, Subscription>()
  const deliveries = new Map<string, Delivery>()
  let faults: WebhookFaults = {}
  let queue: Promise<unknown> = Promise.resolve()

  const send = async (delivery: Omit<Delivery, "status">): Promise<Delivery> => {
    const sent = { ...delivery, status: await post(delivery) }
    deliveries.delete(sent.id)
    deliveries.set(sent.id, sent)
    const oldest = deliveries.keys().next().value
    if (deliveries.size > kept && oldest !== undefined) deliveries.delete(oldest)
    return sent
  }
  const announce = (subscription: Subscription, content: JsonObject, type: string, action: string) => {
    const { badSignature = false, copies = 1, timestampOffsetMs = 0 } = faults
    const body = JSON.stringify({ ...content, webhookTimestamp: board.now() + timestampOffsetMs })
    const signature = sign(body, badSignature ? `not ${subscription.secret}` : subscription.secret)
    const delivery = { id: Crypto.randomUUID(), url: subscription.url, type, action, body, signature }
    for (let copy = 0; copy < copies; copy++) queue = queue.then(() => send(delivery))
  }
  board.listeners.add((change) => {
    const content = subscriptions.size === 0 ? null : payload(board, change, viewerId)
    if (content === null) return
    const type = (change.after ?? change.before)?.__typename ?? ""
    for (const subscription of subscriptions.values()) {
      if (subscription.resourceTypes?.includes(type) ?? true) announce(subscription, content, type, change.action)
    }
  })
  return {
    subscribe: (subscription) => {
      const id = Crypto.randomUUID()
      subscriptions.set(id, subscription)
      return id
    },
    unsubscribe: (id) => void subscriptions.delete(id),
    setFaults: (next) => {
      faults = next
    },
    replay: (id) => {
      const delivery = deliveries.get(id)
      if (delivery === undefined) throw new Error(`no delivery "${id}" was posted`)
      const again = queue.then(() => send(delivery))
      queue = again
      return again
    },
    deliveries: () => [...deliveries.values()],
    settled: async () => {
      await queue
    }
  }
}

/** Hex HMAC-SHA256 over the body. */
export const sign = (body: string, secret: string): string =>
  Crypto.createHmac("sha256", secret).update(body).digest("hex")

const post = (delivery: Omit<Delivery, "status">): Promise<number | null> =>
  new Promise((resolve) => {
    const headers = {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(delivery.body),
      "user-agent": "Linear-Webhook",
      "linear-delivery": delivery.id,
      "linear-event": delivery.type,
      "linear-signature": delivery.signature
    }
    const request = Http.request(
      delivery.url,
      { method: "POST", headers, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        response.resume()
        response.once("close", () => resolve(response.statusCode ?? null))
      }
    )
    request.once("error", () => resolve(null))
    request.end(delivery.body)
  })
