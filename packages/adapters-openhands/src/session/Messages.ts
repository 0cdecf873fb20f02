/**
 * Puts a user message into a conversation exactly once. The server has no idempotency key, and the first message builds
 * the agent before it answers, which may take minutes; so when the answer is lost the message is looked for, and sent
 * again only when the request cannot be carried out any more: its process is gone.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import { ApiError, isUncertain } from "../client/ApiError.ts"
import { restartedSince } from "../client/ServerAge.ts"
import * as EventHistory from "../stream/EventHistory.ts"

const lookMs = 1_000
const maxPages = 3
/** A proxy answers so that lost its server, or its patience; the server may go on. */
const gatewayStatuses: ReadonlySet<number> = new Set([502, 504])

/** Whether the message is among those that came after the user's last one before it. */
const isThere = (
  api: AgentServerApi,
  conversation: string,
  text: string,
  before: string | null
): Effect.Effect<boolean, ApiError> =>
  Effect.suspend(() => {
    let found = false
    const walk = EventHistory.walkBack(api, conversation, maxPages, ({ body, id }) => {
      if (body._tag !== "UserMessage") return true
      if (before !== null && id === before) return false
      // What is kept of a very long text is its beginning.
      found = body.text !== "" && text.startsWith(body.text)
      return !found
    })
    return Effect.map(walk, () => found)
  })

type Fate = "arrived" | "lost" | "unknown"

const fate = Effect.fnUntraced(function* (
  api: AgentServerApi,
  conversation: string,
  text: string,
  before: string | null,
  sent: { readonly atMs: number; readonly error: ApiError; readonly untilMs: number }
): Effect.fn.Return<Fate, ApiError> {
  while (true) {
    const seen = yield* Effect.result(isThere(api, conversation, text, before))
    if (seen._tag === "Success" && seen.success) return "arrived"
    if (seen._tag === "Failure" && !isUncertain(seen.failure)) return yield* seen.failure
    if (seen._tag === "Success") {
      // The server answered, so the request is not under way any more.
      if (sent.error.status !== null && !gatewayStatuses.has(sent.error.status)) return "lost"
      if (yield* restartedSince(api, sent.atMs)) return "lost"
    }
    if ((yield* Clock.currentTimeMillis) >= sent.untilMs) return "unknown"
    yield* Effect.sleep(lookMs)
  }
})

/**
 * Appends `text` to the conversation; when it succeeds it is there, once. `before` is the user's last message so far.
 */
export const post = Effect.fnUntraced(function* (
  api: AgentServerApi,
  conversation: string,
  text: string,
  before: string | null,
  readBackMs: number
): Effect.fn.Return<void, ApiError> {
  const untilMs = (yield* Clock.currentTimeMillis) + readBackMs
  for (let attempt = 1; ; attempt++) {
    const atMs = yield* Clock.currentTimeMillis
    const sent = yield* Effect.result(api.postMessage(conversation, text))
    if (sent._tag === "Success") return
    const error = sent.failure
    if (!isUncertain(error)) return yield* error
    const found = yield* fate(api, conversation, text, before, { atMs, error, untilMs })
    if (found === "arrived") return
    if (found === "unknown") {
      return yield* new ApiError({
        operation: "take a message",
        problem: "timeout",
        status: null,
        detail: "its answer was lost and the message is not to be seen; it is not sent again, or it could arrive twice"
      })
    }
    // An answered 5xx is the server's last word, unless the next attempt finds it mended.
    if (attempt >= 2) return yield* error
    yield* Effect.sleep(lookMs)
  }
})
