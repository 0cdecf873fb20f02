/**
 * Linear's webhooks as a reason to poll now instead of later. Nothing in a delivery is believed but that something
 * changed: what changed is read through the API, as without webhooks.
 */
import { LINEAR_WEBHOOK_DEFAULT_MAX_BODY_BYTES, LINEAR_WEBHOOK_SIGNATURE_HEADER } from "@linear/sdk/webhooks"
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as Deliveries from "./Deliveries.ts"
import * as Silence from "./Silence.ts"

export interface LinearWebhooksOptions {
  /** The signing secret of the webhook, as Linear shows it. */
  readonly secret: Redacted.Redacted
  /** Path of the address that Linear delivers to: `/webhooks/linear`. */
  readonly path: string
}

export interface LinearWebhooksService {
  /** An element shortly after a delivery, one for all that arrive within that time. Never ends, never fails. */
  readonly wakes: Stream.Stream<void>
  /** To be told after every poll that found something new; notices when deliveries do not arrive. */
  readonly pollFoundChanges: Effect.Effect<void>
  /** From now on deliveries go to another path, or are signed with another secret. */
  readonly change: (options: LinearWebhooksOptions) => Effect.Effect<void>
}

export class LinearWebhooks extends Context.Service<LinearWebhooks, LinearWebhooksService>()(
  "@opensymphony/adapters-linear/LinearWebhooks"
) {}

/** People and integrations change several things at once; one poll sees them all. */
const debounceMs = 1500
/** What a delivery may take to arrive. */
const bodyTimeoutMs = 10_000
/** Bodies that are held at a time; unsigned ones are among them. */
const maxBodies = 4
/** Refused deliveries are counted, and reported no more often than this. */
const reportEveryMs = 60_000

const deliveryHeader = "linear-delivery"

const answer = (status: number, text: string, headers: { readonly [name: string]: string } = {}) =>
  HttpServerResponse.text(text, { status, headers })

/** Says that deliveries were refused, at most once in a while, with their number. */
const makeReport = () => {
  let refused = 0
  let reportedAtMs = Number.NEGATIVE_INFINITY
  return (reason: string) =>
    Effect.gen(function* () {
      refused += 1
      const now = yield* Clock.currentTimeMillis
      if (now - reportedAtMs < reportEveryMs) return
      const times = refused === 1 ? "a webhook delivery was refused" : `${refused} webhook deliveries were refused`
      reportedAtMs = now
      refused = 0
      const mend = "compare tracker.webhook.secret with the secret that Linear shows for the webhook"
      yield* Effect.logWarning(`${times}, the last because ${reason}; if they are Linear's, ${mend}`)
    })
}

const silenceWarning = [
  `the last ${Silence.missesUntilSilent} polls found changes that no webhook delivery announced;`,
  "polling goes on, but changes are seen late: check that the webhook in Linear is enabled,",
  "covers the teams of the project, and that its address reaches this machine"
].join(" ")

/** One element for all that a subscription receives while it waits. */
const debounced = (arrivals: PubSub.PubSub<void>): Stream.Stream<void> =>
  Stream.unwrap(
    Effect.map(PubSub.subscribe(arrivals), (subscription) =>
      Stream.fromEffectRepeat(
        PubSub.take(subscription).pipe(
          Effect.andThen(Effect.sleep(debounceMs)),
          Effect.andThen(PubSub.takeUpTo(subscription, 1)),
          Effect.asVoid
        )
      )
    )
  )

export const make = Effect.fnUntraced(function* (options: LinearWebhooksOptions) {
  const server = yield* HttpServer.HttpServer
  let { path, secret } = options
  let deliveries = Deliveries.make(secret)
  const arrivals = yield* PubSub.sliding<void>({ capacity: 1 })
  const bodies = Semaphore.makeUnsafe(maxBodies)
  const report = makeReport()
  let silence = Silence.none

  const accept = Effect.gen(function* () {
    if (silence.isReported) yield* Effect.logInfo("webhook deliveries arrive again")
    silence = Silence.delivered
    yield* PubSub.publish(arrivals, undefined)
  })

  const receive = (request: HttpServerRequest.HttpServerRequest) =>
    request.arrayBuffer.pipe(
      Effect.provideService(HttpServerRequest.MaxBodySize, ByteSize.bytes(LINEAR_WEBHOOK_DEFAULT_MAX_BODY_BYTES)),
      Effect.timeout(bodyTimeoutMs),
      Effect.matchEffect({
        onFailure: (error) =>
          error._tag === "TimeoutError"
            ? Effect.succeed(answer(408, "Request timeout"))
            : Effect.as(report("its body is too large, or was cut off"), answer(413, "Payload too large")),
        onSuccess: (body) => {
          const verdict = deliveries.judge(new Uint8Array(body), {
            signature: request.headers[LINEAR_WEBHOOK_SIGNATURE_HEADER],
            deliveryId: request.headers[deliveryHeader]
          })
          if (Result.isFailure(verdict)) return Effect.as(report(verdict.failure), answer(401, "Invalid webhook"))
          return Effect.as(verdict.success === "accepted" ? accept : Effect.void, answer(200, "OK"))
        }
      })
    )

  const handle = Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.url.split("?")[0] !== path) return answer(404, "Not found")
    if (request.method !== "POST") return answer(405, "Method not allowed", { allow: "POST" })
    if (request.headers[LINEAR_WEBHOOK_SIGNATURE_HEADER] === undefined) {
      return yield* Effect.as(report("it is not signed"), answer(401, "Missing webhook signature"))
    }
    if (Number(request.headers["content-length"]) > LINEAR_WEBHOOK_DEFAULT_MAX_BODY_BYTES) {
      return yield* Effect.as(report("its body is too large"), answer(413, "Payload too large"))
    }
    // Linear repeats what was not taken.
    const received = yield* bodies.withPermitsIfAvailable(1)(receive(request))
    return received._tag === "Some" ? received.value : answer(503, "Busy", { "retry-after": "60" })
  })

  // The server runs handlers in an uninterruptible region, where time limits would not hold.
  yield* server.serve(Effect.interruptible(handle))

  return {
    wakes: debounced(arrivals),
    pollFoundChanges: Effect.suspend(() => {
      silence = Silence.polled(silence)
      if (!Silence.isDue(silence)) return Effect.void
      silence = Silence.reported(silence)
      return Effect.logWarning(silenceWarning)
    }),
    change: (to) =>
      Effect.sync(() => {
        path = to.path
        // What was seen is forgotten with the secret that it was signed with.
        if (Redacted.value(to.secret) !== Redacted.value(secret)) deliveries = Deliveries.make(to.secret)
        secret = to.secret
      })
  } satisfies LinearWebhooksService
})

/** Listens on its own HTTP server, which is the workflow's to bind: Linear must reach it, through a proxy with TLS. */
export const layer = (options: LinearWebhooksOptions): Layer.Layer<LinearWebhooks, never, HttpServer.HttpServer> =>
  Layer.effect(LinearWebhooks, make(options))
