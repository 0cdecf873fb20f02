/**
 * A conversation that this process follows: takes a prompt, runs it, and knows when that run is over, whatever the socket
 * and the server do meanwhile. What the end means for a turn is the session's matter.
 */
import * as Usage from "@opensymphony/core/domain/Usage"
import { AgentEvent, RuntimeError, type StopResult } from "@opensymphony/core/ports/AgentRuntime"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import { type ApiError, isUncertain } from "../client/ApiError.ts"
import { type ConversationInfo, isAtRest, type Status } from "../client/ConversationInfo.ts"
import * as Crowd from "../client/Crowd.ts"
import { patiently } from "../client/Patience.ts"
import { restartedSince } from "../client/ServerAge.ts"
import * as EventStream from "../stream/EventStream.ts"
import * as WireEvent from "../stream/WireEvent.ts"
import type { OpenedConversation } from "./ConversationOpening.ts"
import type { CountedUsage } from "./CountedUsage.ts"
import * as Interruption from "./Interruption.ts"
import * as Messages from "./Messages.ts"
import * as RunStart from "./RunStart.ts"
import type { Timing } from "./Timing.ts"
import * as TurnWatch from "./TurnWatch.ts"
import * as UsageMeter from "./UsageMeter.ts"

export interface LiveOptions extends Omit<EventStream.StreamOptions, "onEvent" | "conversation"> {
  readonly api: AgentServerApi
  readonly opened: OpenedConversation
  readonly timing: Timing
  readonly stopTimeoutMs: number
  readonly redact: (text: string) => string
  /** Is told what was told of the usage; absent where usage is nobody's business. */
  readonly counted?: CountedUsage
}

/** How a run came to its end. */
export type RunEnd = Data.TaggedEnum<{
  Ended: {
    readonly status: Status
    readonly failure: TurnWatch.Failure | null
    readonly reply: string | null
  }
  /** The conversation is not there any more. */
  Gone: {}
  /** The workflow's model cannot be put into the conversation. Nothing ran. */
  Unfit: {}
  Stopped: {}
}>
export const RunEnd = Data.taggedEnum<RunEnd>()

export type Listener = (event: AgentEvent) => Effect.Effect<void>

export interface LiveConversation {
  readonly id: string
  /** Hands the prompt over and waits for the end of its run. */
  readonly run: (prompt: string, listener: Listener) => Effect.Effect<RunEnd, ApiError | RuntimeError>
  /** Runs on without a new prompt. */
  readonly runOn: (listener: Listener) => Effect.Effect<RunEnd, ApiError | RuntimeError>
  readonly stop: Effect.Effect<StopResult>
}

/** How long a stop that is certain waits for the last figures. */
const lastReadMs = 2_000

/** How often a run is started again that the server lost, in one turn. */
const maxRestarts = 3

/** Follows a conversation at rest until the scope closes, which stops it first. */
export const make = Effect.fnUntraced(function* (
  options: LiveOptions
): Effect.fn.Return<LiveConversation, ApiError, Scope.Scope> {
  const { api, opened, timing } = options
  const { id } = opened
  const wake = Latch.makeUnsafe(false)
  const launching = Semaphore.makeUnsafe(1)
  let watch: TurnWatch.TurnWatch | null = null
  /** Null between turns. */
  let listener: Listener | null = null
  let meter = UsageMeter.begin(opened.baseline)
  let told = Usage.zero
  let hasStopHooks = false
  let { switchModel } = opened
  /** A run was asked for and is not known to be over. */
  let mayRun = false
  /** The server took it. */
  let taken = false
  let stopping = false
  let stopped = false

  const update = (next: TurnWatch.TurnWatch) => {
    const wakes = watch === null || next.ended !== watch.ended || next.candidate !== watch.candidate
    watch = next
    if (wakes) wake.openUnsafe()
  }

  /** Takes the conversation's total; between turns nobody listens, and what is new is told in the next one. */
  const reportUsage = (total: Usage.Usage) =>
    Effect.suspend(() => {
      meter = UsageMeter.read(meter, total)
      const { used } = meter
      if (listener === null || Usage.isZero(Usage.beyond(used, told))) return Effect.void
      told = used
      options.counted?.note(id, UsageMeter.toldUpTo(meter, told))
      return listener(AgentEvent.UsageReported({ source: id, usage: used }))
    })

  const countOn = Effect.map(Effect.option(patiently(api.get(id))), (info) => {
    if (Option.isSome(info)) meter = UsageMeter.countOn(meter, info.value.usage)
  })

  const onEvent = Effect.fnUntraced(function* (event: WireEvent.WireEvent, greeting: boolean) {
    const nowMs = yield* Clock.currentTimeMillis
    if (watch !== null) update(TurnWatch.onEvent(watch, event, greeting, nowMs))
    const { body } = event
    if (body._tag === "UsageChanged") yield* reportUsage(body.usage)
    if (body._tag === "Snapshot" && body.usage !== null) yield* reportUsage(body.usage)
    if (listener === null || !WireEvent.isActivity(event)) return
    yield* listener(
      AgentEvent.Activity({
        kind: event.kind,
        summary: options.redact(event.summary === "" ? event.kind : event.summary)
      })
    )
  })

  const stream = yield* EventStream.start({ ...options, conversation: id, onEvent })

  const onInfo = Effect.fnUntraced(function* (info: ConversationInfo) {
    hasStopHooks = info.hasStopHooks
    yield* reportUsage(info.usage)
    if (watch !== null) update(TurnWatch.onRead(watch, info.status, yield* Clock.currentTimeMillis))
  })

  const guard = (request: Effect.Effect<void, ApiError>): Effect.Effect<RunStart.Attempt | null> =>
    Effect.gen(function* () {
      if (stopping) return null
      if (!mayRun) {
        watch = TurnWatch.begin(yield* Clock.currentTimeMillis)
        taken = false
      }
      mayRun = true
      const answer = yield* Effect.result(request)
      if (answer._tag === "Success") taken = true
      return { refused: answer._tag === "Failure" ? answer.failure : null }
    }).pipe(launching.withPermits(1), Effect.uninterruptible)

  const start = RunStart.start({
    api,
    conversation: id,
    timing,
    guard,
    began: () => watch?.began ?? false,
    wasTaken: () => taken
  })

  /** One look over REST. */
  const look = Effect.fnUntraced(function* (): Effect.fn.Return<"seen" | "unseen" | "gone"> {
    yield* stream.reconcile
    const found = yield* Effect.result(api.get(id))
    if (found._tag === "Success") {
      yield* onInfo(found.success)
      return "seen"
    }
    return found.failure.problem === "missing" ? "gone" : "unseen"
  })

  /** Whether the socket can be relied on: nothing is to be looked at while it brings events. */
  const isFollowed = (current: TurnWatch.TurnWatch) =>
    Effect.map(stream.live, (live) => live && current.began && current.candidate === null)

  /** Waits until the run is over. */
  const ending = Effect.fnUntraced(function* (): Effect.fn.Return<RunEnd, ApiError | RuntimeError> {
    let unseenSinceMs: number | null = null
    const startedAtMs = yield* Clock.currentTimeMillis
    let askedAtMs = startedAtMs
    let restarts = 0
    while (true) {
      if (stopped) return RunEnd.Stopped()
      const nowMs = yield* Clock.currentTimeMillis
      const current: TurnWatch.TurnWatch = TurnWatch.settle(watch ?? TurnWatch.begin(nowMs), nowMs, {
        settleMs: timing.settleMs,
        finishedSettleMs: hasStopHooks ? timing.hooksSettleMs : timing.settleMs
      })
      watch = current
      if (current.ended !== null) {
        return RunEnd.Ended({ status: current.ended, failure: current.failure, reply: current.reply })
      }
      wake.closeUnsafe()
      const waitMs = (yield* isFollowed(current)) ? yield* Crowd.around(timing.silentPollMs) : timing.pollMs
      const woken = yield* Effect.timeoutOption(wake.await, waitMs)
      if (Option.isSome(woken)) continue
      if (watch !== null && watch.lastEventAtMs !== current.lastEventAtMs && (yield* isFollowed(watch))) continue
      const seen = yield* look()
      const afterMs = yield* Clock.currentTimeMillis
      if (seen === "gone") return RunEnd.Gone()
      unseenSinceMs = seen === "seen" ? null : (unseenSinceMs ?? nowMs)
      if (unseenSinceMs !== null && afterMs - unseenSinceMs >= timing.outageMs) {
        yield* api.get(id)
        unseenSinceMs = null
      }
      // The server took the run, and lost it, or is slow to build the agent.
      if (!(watch?.began ?? false) && seen === "seen" && afterMs - askedAtMs >= timing.lostRunMs) {
        if (restarts >= maxRestarts || afterMs - startedAtMs >= timing.outageMs) return lost()
        const again = yield* start
        if (again === "stopped") return lost()
        if (again === "taken") restarts++
        askedAtMs = afterMs
      }
    }
  })

  const lost = (): RunEnd =>
    stopping ? RunEnd.Stopped() : RunEnd.Ended({ status: "error", failure: neverBegan, reply: null })

  /** The last word on events and usage, for what the socket did not bring. */
  const closing = Effect.gen(function* () {
    yield* stream.reconcile
    const info = yield* Effect.option(patiently(api.get(id)))
    if (Option.isSome(info)) yield* reportUsage(info.value.usage)
  })

  /** Waits for a server that is away, as long as an outage may last. */
  const serverBack = api.version.pipe(
    Effect.retry({ schedule: Schedule.spaced(timing.pollMs), while: isUncertain }),
    Effect.timeoutOption(timing.outageMs),
    Effect.ignore
  )

  /** A run that broke without a word of the server's broke with the server: it died, or was told to end. */
  const brokeWithServer = Effect.fnUntraced(function* (end: RunEnd, startedAtMs: number, lossesBefore: number) {
    if (end._tag !== "Ended" || end.failure !== null) return false
    if (end.status !== "paused") return end.status === "error"
    // A server that ends in order pauses its runs and then closes its sockets; so far it looks like somebody's wish.
    yield* Effect.sleep(timing.settleMs)
    if ((yield* stream.live) && (yield* stream.losses) === lossesBefore) return false
    yield* serverBack
    return yield* restartedSince(api, startedAtMs)
  })

  const attempt = Effect.fnUntraced(function* (): Effect.fn.Return<RunEnd, ApiError | RuntimeError> {
    for (let restarts = 0; ; restarts++) {
      const lossesBefore = yield* stream.losses
      const startedAtMs = yield* Clock.currentTimeMillis
      if ((yield* start) === "stopped") return RunEnd.Stopped()
      const end = yield* ending()
      yield* closing
      if (end._tag !== "Ended") return end
      // The conversation rests, its command may not yet: the stop that is under way ends it and says so.
      if (stopping) return yield* launching.withPermits(1)(Effect.succeed(RunEnd.Stopped()))
      mayRun = false
      const whole = { ...end, failure: watch?.failure ?? end.failure, reply: watch?.reply ?? end.reply }
      if (restarts >= maxRestarts || !(yield* brokeWithServer(whole, startedAtMs, lossesBefore))) return whole
      yield* countOn
      yield* Effect.logInfo(`the run of conversation ${id} was lost with the server (${end.status}); running it on`)
    }
  })

  const heard = <A, E>(next: Listener, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      listener = next
      return effect
    }).pipe(
      Effect.onInterrupt(() => stop),
      Effect.ensuring(
        Effect.sync(() => {
          listener = null
        })
      )
    )

  const run = (prompt: string, next: Listener) =>
    heard(
      next,
      Effect.gen(function* (): Effect.fn.Return<RunEnd, ApiError | RuntimeError> {
        const found = yield* Effect.result(patiently(api.get(id)))
        if (found._tag === "Failure") {
          return found.failure.problem === "missing" ? RunEnd.Gone() : yield* found.failure
        }
        const { lastUserMessageId, status } = found.success
        // Somebody else set it to work; a prompt would only be read by their run.
        if (!isAtRest(status) && (yield* Interruption.stop(api, id, options.stopTimeoutMs)) === "unconfirmed") {
          return yield* new RuntimeError({
            message: `conversation ${id} was set to work by somebody else and cannot be stopped; stop it at the server`,
            unavailable: false
          })
        }
        yield* Messages.post(api, id, prompt, lastUserMessageId, timing.readBackMs)
        if (switchModel !== null && !(yield* switchModel)) return RunEnd.Unfit()
        switchModel = null
        return yield* attempt()
      })
    )

  /** Who ordered the stop takes the turn away when it is confirmed: what was used is read before. */
  const rested = Effect.andThen(
    Effect.timeoutOption(closing, lastReadMs),
    Effect.sync(() => {
      mayRun = false
      stopped = true
      wake.openUnsafe()
    })
  )

  const stop: Effect.Effect<StopResult> = Effect.suspend(() => {
    stopping = true
    if (!mayRun) return Effect.succeed<StopResult>("confirmed")
    return launching
      .withPermits(1)(Interruption.stop(api, id, options.stopTimeoutMs))
      .pipe(
        Effect.timeoutOption(options.stopTimeoutMs),
        Effect.map(Option.getOrElse((): StopResult => "unconfirmed")),
        Effect.tap((answer) => (answer === "confirmed" ? rested : Effect.void))
      )
  })

  yield* Effect.addFinalizer(() => stop)
  return { id, run, runOn: (next) => heard(next, attempt()), stop }
})

const neverBegan: TurnWatch.Failure = {
  code: "RunLost",
  detail: "the server took the run several times and never began it; look into its log, or restart it",
  kind: null
}
