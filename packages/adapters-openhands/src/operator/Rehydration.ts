/**
 * A new conversation for an issue, made as the next run would make it, and told what is known of the one before. It is
 * looked at on the server before anybody may rely on it; the old one is left as it is.
 */
import type { OpenSession } from "@opensymphony/core/ports/AgentRuntime"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import { ApiError } from "../client/ApiError.ts"
import { type ConversationInfo, isAtRest } from "../client/ConversationInfo.ts"
import { patiently } from "../client/Patience.ts"
import type { OpenHandsConfigurationError } from "../session/AgentProfile.ts"
import * as AgentProfile from "../session/AgentProfile.ts"
import * as ConversationOpening from "../session/ConversationOpening.ts"
import * as Handover from "../session/Handover.ts"
import * as Messages from "../session/Messages.ts"
import * as Timing from "../session/Timing.ts"
import * as EventHistory from "../stream/EventHistory.ts"
import * as WireEvent from "../stream/WireEvent.ts"
import type { ServerAccess } from "./ServerAccess.ts"

export interface RehydrationOptions {
  readonly access: ServerAccess
  readonly settings: OpenHandsSettings
  /** Where the variables are looked up that the settings name. */
  readonly environment: { readonly [name: string]: string }
  readonly stopTimeoutMs: number
  /** What the next run would open its session with. */
  readonly request: OpenSession
  /** The conversation that is replaced. */
  readonly earlier: string
}

export interface Rehydrated {
  readonly conversation: string
  /** What it was told. */
  readonly context: string
}

const reason = "an operator asked for a new one"

/** The text that the new conversation is told. */
export const contextOf = ({ access, earlier, request }: RehydrationOptions): Effect.Effect<string> =>
  Handover.compose(access.api, earlier, reason, request.tools, access.redact)

const unverified = (conversation: string, detail: string) =>
  new ApiError({ operation: `keep conversation ${conversation}`, problem: "broken", status: null, detail })

const maxPages = 3

/** Whether the text is among its messages, as far as messages are kept whole when they are read. */
const holds = (api: AgentServerApi, conversation: string, text: string) =>
  Effect.suspend(() => {
    let found = false
    const walk = EventHistory.walkBack(api, conversation, maxPages, ({ body }) => {
      found = body._tag === "UserMessage" && body.text !== "" && text.startsWith(body.text)
      return !found
    })
    return Effect.map(walk, () => found)
  })

/** Events are published some moments before they can be read. */
const looks = { times: 20, pauseMs: 250 }

/** The conversation is there, at rest, and its events can be read, with the context among them. */
const verify = Effect.fnUntraced(function* (
  api: AgentServerApi,
  conversation: string,
  context: string
): Effect.fn.Return<void, ApiError> {
  const { status } = yield* patiently(api.get(conversation))
  if (!isAtRest(status)) return yield* unverified(conversation, `it is ${status} although nobody ran it`)
  for (let look = 0; look < looks.times; look++) {
    if (yield* patiently(holds(api, conversation, context))) return
    yield* Effect.sleep(looks.pauseMs)
  }
  return yield* unverified(conversation, "its events do not show what it was told")
})

/** Removes a conversation that came to nothing; it was never run, so nothing waits in it. */
const discard = (api: AgentServerApi, conversation: string) =>
  Effect.catch(api.remove(conversation), (error) =>
    Effect.logWarning(`conversation ${conversation}, which is of no use, was not removed: ${error.message}`)
  )

/** Makes the new conversation; when this fails, there is none. */
export const rehydrate = Effect.fnUntraced(function* (
  options: RehydrationOptions
): Effect.fn.Return<Rehydrated, ApiError | OpenHandsConfigurationError> {
  const { access, earlier, environment, request, settings, stopTimeoutMs } = options
  const { api, redact } = access
  const profile = yield* AgentProfile.resolve(settings, environment)
  const { reusePolicy } = settings.conversation
  const context = yield* contextOf(options)
  const opening = { api, profile, reusePolicy, stopTimeoutMs, redact, request: { ...request, resume: null } }
  const { id } = yield* ConversationOpening.create(opening, context)
  yield* Effect.logDebug(`conversation ${id} is to replace ${earlier}`)
  const tell = Messages.post(api, id, context, null, Timing.defaults.readBackMs)
  yield* Effect.andThen(tell, verify(api, id, context)).pipe(Effect.onError(() => discard(api, id)))
  return { conversation: id, context }
})

/** Whether its agent ever did anything: a conversation that was only told something has nothing to hand over. */
export const hasWorked = ({
  access: { api },
  earlier
}: Pick<RehydrationOptions, "access" | "earlier">): Effect.Effect<boolean, ApiError> =>
  Effect.suspend(() => {
    let found = false
    const walk = EventHistory.walkBack(api, earlier, maxPages, (event) => {
      found = WireEvent.isWork(event)
      return !found
    })
    return Effect.map(walk, (end) => found || end === "cut")
  })

/** What the server says of the old conversation; null when it is gone. */
export const earlierOf = ({
  access: { api },
  earlier
}: Pick<RehydrationOptions, "access" | "earlier">): Effect.Effect<ConversationInfo | null, ApiError> =>
  Effect.catch(patiently(api.get(earlier)), (error) =>
    error.problem === "missing" ? Effect.succeed(null) : Effect.fail(error)
  )
