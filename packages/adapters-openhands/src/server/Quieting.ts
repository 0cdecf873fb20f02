/**
 * Interrupts what runs on a server that is about to be ended. A server that gets TERM waits for the tools at work, about
 * half a minute for a silent command (1.57); after an interrupt it ends at once.
 */
import * as Effect from "effect/Effect"
import type { Endpoint } from "./AgentServer.ts"
import * as ServerProbe from "./ServerProbe.ts"

/** Of one answer. */
const answerMs = 3_000
/** Of all together; what still runs then is the signal's to end. */
const wholeMs = 6_000
const concurrency = 16

/** Ends within seconds, whatever the server does; one that is not there is quiet. */
export const quiet = (endpoint: Endpoint): Effect.Effect<void> =>
  ServerProbe.runningConversations(endpoint, answerMs).pipe(
    Effect.flatMap((ids) =>
      Effect.forEach(ids, (id) => ServerProbe.interrupt(endpoint, id, answerMs), { concurrency, discard: true })
    ),
    Effect.timeoutOption(wholeMs),
    Effect.asVoid
  )
