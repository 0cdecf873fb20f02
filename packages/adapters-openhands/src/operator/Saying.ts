/**
 * Puts an operator's message into a conversation and runs it to the end of that turn, as a run of the orchestrator does.
 * The caller has the workspace root, so nobody else sets it to work meanwhile.
 */
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ApiError } from "../client/ApiError.ts"
import { type ConversationInfo, isAtRest } from "../client/ConversationInfo.ts"
import { patiently } from "../client/Patience.ts"
import * as LiveConversation from "../session/LiveConversation.ts"
import * as Timing from "../session/Timing.ts"
import { OperatorError } from "./OperatorError.ts"
import type { ServerAccess } from "./ServerAccess.ts"

export interface SayOptions {
  readonly access: ServerAccess
  readonly settings: OpenHandsSettings
  readonly conversation: ConversationInfo
  /** `agent.stop_timeout_ms`: an interruption of the effect stops the turn within it. */
  readonly stopTimeoutMs: number
  readonly text: string
  /** For tests. */
  readonly timing?: Partial<Timing.Timing>
}

const unheard = () => Effect.void

/** Says it and waits for the end of the turn. The conversation must be at rest. */
export const say = Effect.fnUntraced(function* ({
  access: { api, connection, redact },
  conversation,
  settings,
  stopTimeoutMs,
  text,
  ...options
}: SayOptions): Effect.fn.Return<LiveConversation.RunEnd, ApiError | OperatorError | RuntimeError, Scope.Scope> {
  const { id, status, usage } = conversation
  if (!isAtRest(status)) {
    const message =
      `conversation ${id} is ${status}, and a message would only be read in the midst of that; ` +
      "wait until it is at rest: --follow shows when"
    return yield* new OperatorError({ message })
  }
  // To run it would mean to confirm what it waits for.
  if (status === "waiting_for_confirmation") {
    yield* patiently(api.rejectActions(id, "An operator sends a message instead."))
  }
  const timing = { ...Timing.defaults, ...options.timing }
  const { enabled, readyTimeoutMs, reconnectInitialMs, reconnectMaxMs } = settings.websocket
  const live = yield* LiveConversation.make({
    api,
    connection,
    opened: { id, baseline: usage, context: null, switchModel: null },
    timing,
    stopTimeoutMs,
    redact,
    socket: enabled,
    readyTimeoutMs,
    reconnectInitialMs,
    reconnectMaxMs,
    pollMs: timing.pollMs
  })
  return yield* live.run(text, unheard)
})
