/**
 * The events of one conversation, from when it is attached until its scope closes: a fiber of its own owns the socket,
 * its reconnects, and the reconciliation over REST that closes the gaps. Each event is handed on once, in the order of
 * the log as far as that can be known.
 *
 * Attaching: read over REST, open the socket, wait for its first `full_state` (later than some seconds: degraded, and
 * said so), read over REST again, then what the socket held back meanwhile. Every reconnect does the same.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import type { ApiError } from "../client/ApiError.ts"
import type { Connection } from "../client/Connection.ts"
import { patiently } from "../client/Patience.ts"
import * as EventSocket from "./EventSocket.ts"
import * as Reconciliation from "./Reconciliation.ts"
import * as SeenIds from "./SeenIds.ts"
import * as WireEvent from "./WireEvent.ts"

export interface StreamOptions {
  readonly api: AgentServerApi
  readonly connection: Connection
  readonly conversation: string
  /** False: no socket, everything is polled. */
  readonly socket: boolean
  readonly readyTimeoutMs: number
  readonly reconnectInitialMs: number
  readonly reconnectMaxMs: number
  /** Between two looks over REST while there is no socket. */
  readonly pollMs: number
  /**
   * Takes each event, one after the other. `greeting`: the state that a new connection begins with, which may be that
   * of a moment between two steps.
   */
  readonly onEvent: (event: WireEvent.WireEvent, greeting: boolean) => Effect.Effect<void>
}

export interface EventStream {
  /** Reads what is missing over REST and hands it on. Problems are left to the next time. */
  readonly reconcile: Effect.Effect<void>
  /** Whether a socket brings the events. */
  readonly live: Effect.Effect<boolean>
  /** How many connections were lost so far. */
  readonly losses: Effect.Effect<number>
}

/** How many events are kept while the greeting is waited for; it is not waited for any longer then. */
const maxKept = 4_096

/** Why a connection can not be had again as it is. */
type Refusal = "refused" | "missing"

const isGreeting = (event: WireEvent.WireEvent): boolean => event.body._tag === "Snapshot"

/**
 * Starts the stream, and returns when it is attached for the first time, or degraded. Fails when the conversation's
 * history cannot be read at all: what is old could not be told from what is new.
 */
export const start = Effect.fnUntraced(function* (
  options: StreamOptions
): Effect.fn.Return<EventStream, ApiError, Scope.Scope> {
  const { api, connection, conversation, onEvent } = options
  const seen = SeenIds.make()
  const one = Semaphore.makeUnsafe(1)
  const attached = Deferred.makeUnsafe<void>()
  let live = false
  let losses = 0
  let attempts = 0
  /**
   * What was published right before a socket was there comes neither over it nor, yet, over REST. Until a read that began
   * late enough, it may be missing behind all that the socket brought since.
   */
  let doubt: { since: number; handed: number } | null = null

  // Suspended: an event that waits for its turn must not count as handed on.
  const hand = (event: WireEvent.WireEvent, greeting: boolean) =>
    Effect.suspend(() => {
      if (event.id !== null && !seen.add(event.id)) return Effect.void
      if (doubt !== null) doubt.handed++
      return onEvent(event, greeting)
    })

  // What was there before anybody listened is not news.
  const history = yield* patiently(Reconciliation.missed(api, conversation, seen, 1))
  for (const { id } of history.events) if (id !== null) seen.add(id)

  const readMissed = Effect.gen(function* () {
    const asked = doubt
    const startedAt = yield* Clock.currentTimeMillis
    const read = yield* Reconciliation.missed(api, conversation, seen, Reconciliation.maxPages, asked?.handed ?? 0)
    const isLate = asked !== null && startedAt - asked.since >= Reconciliation.publishLagMs
    if (isLate && doubt === asked) doubt = null
    return read
  })

  const reconcile = readMissed.pipe(
    Effect.flatMap(({ cut, events }) => {
      const report = cut
        ? Effect.logWarning(`events of conversation ${conversation} were left out: too many`)
        : Effect.void
      return Effect.andThen(
        report,
        Effect.forEach(events, (event) => hand(event, false), { discard: true })
      )
    }),
    Effect.catch((error) => Effect.logDebug(`events were not reconciled: ${error.message}`)),
    one.withPermits(1)
  )

  /** Takes frames until the greeting came, and keeps them. */
  const greeting = Effect.fnUntraced(function* (socket: EventSocket.EventSocket) {
    const kept: Array<WireEvent.WireEvent> = []
    const waiting = Effect.gen(function* () {
      while (kept.length < maxKept) {
        const events = decode(yield* socket.take)
        kept.push(...events)
        if (events.some(isGreeting)) return
      }
    })
    const came = yield* Effect.timeoutOption(waiting, options.readyTimeoutMs)
    if (Option.isNone(came)) {
      yield* Effect.logWarning(
        `the agent-server sent no state of conversation ${conversation} within ${options.readyTimeoutMs} ms; going on without`
      )
    }
    return kept
  })

  const handAll = Effect.fnUntraced(function* (events: ReadonlyArray<WireEvent.WireEvent>, greeted: boolean) {
    let expectsGreeting = !greeted
    for (const event of events) {
      const isFirst = expectsGreeting && isGreeting(event)
      if (isFirst) expectsGreeting = false
      yield* one.withPermits(1)(hand(event, isFirst))
    }
    return !expectsGreeting
  })

  const connected = Effect.gen(function* () {
    if (attempts++ > 0) yield* reconcile
    const endpoint = yield* Effect.mapError(
      connection.endpoint,
      (error) => new EventSocket.SocketClosed({ closing: "lost", message: error.message })
    )
    const socket = yield* EventSocket.open(endpoint, conversation)
    const kept = yield* greeting(socket)
    doubt = { since: yield* Clock.currentTimeMillis, handed: doubt?.handed ?? 0 }
    yield* reconcile
    live = true
    yield* Deferred.succeed(attached, undefined)
    let greeted = yield* handAll(kept, false)
    while (true) greeted = yield* handAll(decode(yield* socket.take), greeted)
  }).pipe(
    Effect.scoped,
    Effect.ensuring(
      Effect.sync(() => {
        if (live) losses++
        live = false
      })
    )
  )

  const polling = Effect.gen(function* () {
    while (true) {
      yield* reconcile
      yield* Deferred.succeed(attached, undefined)
      yield* Effect.sleep(options.pollMs)
    }
  })

  /** Whether trying again makes sense; a refused key may be one that the server does not have any more. */
  const judge = Effect.fnUntraced(function* (closing: EventSocket.Closing, refusals: number) {
    if (closing === "refused") {
      yield* connection.forgetEndpoint
      return refusals < 2 ? null : ("refused" satisfies Refusal)
    }
    if (closing === "lost") return null
    const found = yield* Effect.result(api.get(conversation))
    return found._tag === "Failure" && found.failure.problem === "missing" ? ("missing" satisfies Refusal) : null
  })

  const owning = Effect.gen(function* () {
    let delayMs = options.reconnectInitialMs
    let refusals = 0
    while (true) {
      const since = yield* Clock.currentTimeMillis
      const closed = yield* Effect.flip(connected)
      yield* Deferred.succeed(attached, undefined)
      refusals = closed.closing === "refused" ? refusals + 1 : 0
      const refusal = yield* judge(closed.closing, refusals)
      if (refusal === "missing") return yield* Effect.logDebug(`conversation ${conversation} is gone`)
      if (refusal === "refused") {
        yield* Effect.logWarning(
          `the agent-server refuses the session key on its socket; the events of ${conversation} are polled`
        )
        return yield* polling
      }
      if (closed.closing === "lost") yield* connection.forgetEndpoint
      // A connection that lasted starts the row of delays anew.
      if ((yield* Clock.currentTimeMillis) - since > options.reconnectMaxMs) delayMs = options.reconnectInitialMs
      const jitter = 0.5 + (yield* Random.next) / 2
      yield* Effect.logDebug(`${closed.message}; connecting again`)
      yield* Effect.sleep(Math.max(1, Math.round(delayMs * jitter)))
      delayMs = Math.min(2 * delayMs, options.reconnectMaxMs)
    }
  })

  const reported = (options.socket ? owning : polling).pipe(
    Effect.ignoreCause({ log: "Error", message: `the events of conversation ${conversation} ended` }),
    Effect.ensuring(Deferred.succeed(attached, undefined))
  )
  yield* Effect.forkScoped(reported, { startImmediately: true })
  yield* Deferred.await(attached)
  return { reconcile, live: Effect.sync(() => live), losses: Effect.sync(() => losses) }
})

const decode = (frames: ReadonlyArray<string>): ReadonlyArray<WireEvent.WireEvent> =>
  frames.flatMap((frame) => WireEvent.fromFrame(frame) ?? [])
