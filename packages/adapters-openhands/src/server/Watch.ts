/** Watches a server that was ready, tells whether it answers, and returns when it is of no use any more. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Endpoint } from "./AgentServer.ts"
import type { Patience } from "./LocalServerOptions.ts"
import * as ServerProbe from "./ServerProbe.ts"
import type { ServerState } from "./ServerState.ts"

/** One silence may be an accident; two are told. */
const toldFailures = 2

export interface WatchOptions {
  readonly endpoint: Endpoint
  readonly state: ServerState
  readonly patience: Patience
  /** Somebody could not reach the server. */
  readonly wake: Queue.Dequeue<void>
  /** Done from time to time. */
  readonly tend: Effect.Effect<void>
}

/** Ends with the reason when the server answered nothing for longer than the patience lasts. */
export const untilUnresponsive = Effect.fnUntraced(function* ({
  endpoint,
  patience,
  state,
  tend,
  wake
}: WatchOptions): Effect.fn.Return<string> {
  let failures = 0
  let lastAnswerAt = yield* Clock.currentTimeMillis
  while (true) {
    yield* failures === 0
      ? Effect.timeoutOption(Queue.take(wake), patience.probeIntervalMs)
      : Effect.sleep(patience.probeAgainMs)
    const problem = ServerProbe.problemOf(yield* ServerProbe.askForConversations(endpoint, patience.answerMs))
    yield* tend
    const now = yield* Clock.currentTimeMillis
    if (problem === null) {
      if (failures >= toldFailures) yield* state.up(endpoint)
      failures = 0
      lastAnswerAt = now
      continue
    }
    failures++
    const silentMs = now - lastAnswerAt
    if (silentMs >= patience.unresponsiveMs) return `did not answer for ${Math.round(silentMs / 1000)} s (${problem})`
    if (failures >= toldFailures) {
      yield* state.down(`the OpenHands agent-server at ${endpoint.baseUrl} does not answer: ${problem}`)
    }
  }
})
