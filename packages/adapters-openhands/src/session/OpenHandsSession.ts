/**
 * A session with an OpenHands agent: which conversation its turns run in, what each prompt carries, and what the end of a
 * run means. A conversation that is gone, or too long for the model, is mended once, with what was known of it.
 */
import { SessionId } from "@opensymphony/core/domain/Ids"
import {
  AgentEvent,
  type AgentSession,
  type RuntimeError,
  type Turn,
  TurnResult
} from "@opensymphony/core/ports/AgentRuntime"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { ApiError } from "../client/ApiError.ts"
import type { Connection } from "../client/Connection.ts"
import * as Outage from "../client/Outage.ts"
import { patiently } from "../client/Patience.ts"
import * as ConversationOpening from "./ConversationOpening.ts"
import type { CountedUsage } from "./CountedUsage.ts"
import * as LiveConversation from "./LiveConversation.ts"
import type { Timing } from "./Timing.ts"
import * as TurnEnding from "./TurnEnding.ts"

export interface SessionOptions {
  readonly opening: ConversationOpening.Opening
  readonly connection: Connection
  readonly settings: OpenHandsSettings
  readonly timing: Timing
  readonly counted: CountedUsage
}

type End = LiveConversation.RunEnd

/** What may be tried once in a session: each mends a conversation at the price of its memory. */
interface Mended {
  gone: boolean
  overflow: boolean
}

/** Opens a session: its conversation exists and is followed when this returns. */
export const make = Effect.fnUntraced(function* (
  options: SessionOptions
): Effect.fn.Return<AgentSession, RuntimeError, Scope.Scope> {
  const { connection, counted, opening, settings, timing } = options
  const { api, redact, stopTimeoutMs } = opening
  const scope = yield* Effect.scope
  const mended: Mended = { gone: false, overflow: false }

  const follow = Effect.fnUntraced(function* (found: ConversationOpening.OpenedConversation) {
    const own = yield* Scope.fork(scope)
    const opened = { ...found, baseline: counted.baseline(found.id, found.baseline) }
    counted.note(opened.id, opened.baseline)
    const { enabled, readyTimeoutMs, reconnectInitialMs, reconnectMaxMs } = settings.websocket
    const live = yield* LiveConversation.make({
      api,
      connection,
      opened,
      timing,
      stopTimeoutMs,
      redact,
      counted,
      socket: enabled,
      readyTimeoutMs,
      reconnectInitialMs,
      reconnectMaxMs,
      pollMs: timing.pollMs
    }).pipe(
      Scope.provide(own),
      Effect.onError(() => Scope.close(own, Exit.void))
    )
    return { live, close: Scope.close(own, Exit.void) }
  })

  const opened = yield* ConversationOpening.open(opening)
  let current = yield* Effect.catchTag(follow(opened), "ApiError", (error) => Outage.judge(api, error))
  /** What the next prompt carries for a conversation that does not know it. */
  let context = opened.context
  let reported: string | null = null
  let task = ""

  /** Names the conversation before the first event from it. */
  const naming =
    (listener: LiveConversation.Listener): LiveConversation.Listener =>
    (event) =>
      Effect.suspend(() => {
        const { id } = current.live
        if (reported === id) return listener(event)
        reported = id
        return Effect.andThen(listener(AgentEvent.SessionReported({ session: SessionId(id) })), listener(event))
      })

  /** Goes on in a new conversation, which is told the task, what was known, and the prompt. */
  const moveOn = Effect.fnUntraced(function* (reason: string, prompt: string, listener: LiveConversation.Listener) {
    const next = yield* ConversationOpening.replace(opening, current.live.id, reason)
    const followed = yield* follow(next)
    yield* current.close
    current = followed
    const parts = [task, next.context ?? "", ...(prompt === task ? [] : [prompt])]
    return yield* current.live.run(parts.filter((part) => part !== "").join("\n\n"), listener)
  })

  /** Makes room in a conversation that its model cannot take in any more. */
  const makeRoom = Effect.fnUntraced(function* (prompt: string, listener: LiveConversation.Listener) {
    if (settings.conversation.agent.condenser !== null) {
      const condensed = yield* Effect.result(api.condense(current.live.id))
      if (condensed._tag === "Success") return yield* current.live.runOn(listener)
      yield* Effect.logWarning(`conversation ${current.live.id} was not condensed: ${condensed.failure.message}`)
    }
    return yield* moveOn("it became too long for the model", prompt, listener)
  })

  const mend = Effect.fnUntraced(function* (
    end: End,
    prompt: string,
    listener: LiveConversation.Listener
  ): Effect.fn.Return<End, ApiError | RuntimeError> {
    if (end._tag === "Gone" && !mended.gone) {
      mended.gone = true
      return yield* mend(yield* moveOn("it is gone from the server", prompt, listener), prompt, listener)
    }
    if (end._tag === "Unfit") {
      return yield* mend(yield* moveOn("the model was changed", prompt, listener), prompt, listener)
    }
    if (end._tag === "Ended" && end.failure !== null && TurnEnding.isOverflow(end.failure) && !mended.overflow) {
      mended.overflow = true
      return yield* mend(yield* makeRoom(prompt, listener), prompt, listener)
    }
    return end
  })

  const judge = Effect.fnUntraced(function* (end: End): Effect.fn.Return<TurnResult> {
    if (end._tag === "Stopped") return TurnResult.Failed({ reason: "the turn was stopped" })
    if (end._tag === "Gone" || end._tag === "Unfit") {
      return TurnResult.Failed({ reason: "the conversation is gone from the server, again; look into its log" })
    }
    if (end.status === "finished" || end.status === "idle") {
      const said = yield* Effect.option(patiently(api.finalResponse(current.live.id)))
      const reply = said._tag === "Some" && said.value !== "" ? said.value : end.reply
      return TurnResult.Completed({ summary: TurnEnding.summary(reply, redact) })
    }
    if (end.failure === null) return TurnEnding.ofStatus(end.status)
    return TurnEnding.ofFailure(end.failure, settings, redact, yield* Clock.currentTimeMillis)
  })

  const runTurn: AgentSession["runTurn"] = (turn: Turn, onEvent) =>
    Effect.gen(function* (): Effect.fn.Return<TurnResult, ApiError | RuntimeError> {
      if (task === "") task = turn.prompt
      const listener = naming(onEvent)
      const prompt = context === null ? turn.prompt : `${turn.prompt}\n\n${context}`
      const end = yield* current.live.run(prompt, listener)
      context = null
      return yield* judge(yield* mend(end, turn.prompt, listener))
    }).pipe(Effect.catchTag("ApiError", (error) => Outage.judge(api, error)))

  return {
    session: Effect.sync(() => SessionId(current.live.id)),
    remembers: Effect.sync(() => task !== ""),
    runTurn,
    stop: Effect.suspend(() => current.live.stop)
  }
})
