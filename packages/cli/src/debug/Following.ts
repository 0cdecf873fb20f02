/** Shows what is added to a conversation while somebody watches it. A server that is away for a moment ends nothing. */
import { type ApiError, isUncertain } from "@opensymphony/adapters-openhands/client/ApiError"
import { isAtRest, type Status } from "@opensymphony/adapters-openhands/client/ConversationInfo"
import * as ConversationLog from "@opensymphony/adapters-openhands/operator/ConversationLog"
import type { ServerAccess } from "@opensymphony/adapters-openhands/operator/ServerAccess"
import type { TranscriptEntry } from "@opensymphony/adapters-openhands/operator/TranscriptEntry"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface FollowOptions {
  readonly access: ServerAccess
  readonly conversation: string
  /** The newest event that was shown. */
  readonly last: string | null
  readonly show: (entries: ReadonlyArray<TranscriptEntry>) => Effect.Effect<void>
}

export interface Following {
  /** Shows what came since the last time. */
  readonly drain: Effect.Effect<void, ApiError>
  /** Shows what comes, without end. */
  readonly forever: Effect.Effect<never, ApiError>
  /** Shows what comes until the conversation is at rest, and says in which status. */
  readonly untilAtRest: Effect.Effect<Status, ApiError>
}

const lookMs = 500
/** What says that it is over may be the moment between two steps: a stop hook can turn it back. */
const looksAtRest = 3
/** A server that is started anew takes that long on a busy machine. */
const outageMs = 120_000

export const make = ({ access, conversation, last, show }: FollowOptions): Following => {
  let from = last
  let awaySinceMs: number | null = null

  /** Null while the server is away. */
  const asked = <A>(question: Effect.Effect<A, ApiError>): Effect.Effect<A | null, ApiError> =>
    Effect.catch(
      Effect.tap(question, () =>
        Effect.sync(() => {
          awaySinceMs = null
        })
      ),
      (error) =>
        Effect.gen(function* () {
          const nowMs = yield* Clock.currentTimeMillis
          awaySinceMs ??= nowMs
          return !isUncertain(error) || nowMs - awaySinceMs >= outageMs ? yield* error : null
        })
    )

  const drain = Effect.gen(function* () {
    const added = yield* asked(ConversationLog.since(access.connection, conversation, from))
    if (added === null) return
    from = added.last
    yield* show(added.entries)
  })

  const untilAtRest = Effect.gen(function* () {
    let rested = 0
    while (true) {
      const info = yield* asked(access.api.get(conversation))
      yield* drain
      rested = info !== null && isAtRest(info.status) ? rested + 1 : 0
      if (info !== null && rested >= looksAtRest) return info.status
      yield* Effect.sleep(lookMs)
    }
  })

  return { drain, untilAtRest, forever: Effect.forever(Effect.andThen(drain, Effect.sleep(lookMs))) }
}
