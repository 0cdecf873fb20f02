/**
 * Makes a conversation stop and finds out whether it did. The server answers an interrupt after at most 5 s either way,
 * so its answer proves nothing; the status afterwards does. An interrupt ends a command of the terminal by Ctrl-C, which
 * a command may ignore, and which the server's subprocess terminal gives to the wrong process group (seen on 1.57.0), so
 * what a command left behind is ended through the server's shell, found by the mark in its environment.
 */
import type { StopResult } from "@opensymphony/core/ports/AgentRuntime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import * as ConversationInfo from "../client/ConversationInfo.ts"
import { terminalMark } from "./AgentProfile.ts"

const firstLookMs = 50
const longestLookMs = 1_000
const looksPerOrder = 8
const shellTimeoutSeconds = 10

/** Interrupts; pauses where the server has no interrupt. A pause is answered only when the tool at work has ended. */
const order = (api: AgentServerApi, conversation: string) =>
  Effect.catch(api.interrupt(conversation), (error) =>
    error.problem === "missing"
      ? Effect.asVoid(Effect.timeoutOption(api.pause(conversation), longestLookMs))
      : Effect.fail(error)
  )

type Look = "at rest" | "gone" | "at work" | "unsure"

const look = (api: AgentServerApi, conversation: string): Effect.Effect<Look> =>
  api.get(conversation).pipe(
    Effect.map(({ status }): Look => {
      if (status === "unknown") return "unsure"
      return ConversationInfo.isAtRest(status) ? "at rest" : "at work"
    }),
    Effect.catch((error) => Effect.succeed<Look>(error.problem === "missing" ? "gone" : "unsure"))
  )

/** Orders the stop until the conversation is at rest; again when that failed, and now and then: it may have been lost. */
const untilAtRest = Effect.fnUntraced(function* (api: AgentServerApi, conversation: string) {
  let delayMs = firstLookMs
  let ordered = false
  for (let looks = 0; ; looks++) {
    if (!ordered || looks % looksPerOrder === 0) {
      const answer = yield* Effect.result(order(api, conversation))
      ordered = answer._tag === "Success"
      if (answer._tag === "Failure") {
        yield* Effect.logDebug(`the interrupt of conversation ${conversation} failed: ${answer.failure.message}`)
      }
    }
    const seen = yield* look(api, conversation)
    if (seen === "at rest" || seen === "gone") return
    yield* Effect.sleep(delayMs)
    delayMs = Math.min(2 * delayMs, longestLookMs)
  }
})

/**
 * Ends every process with the conversation's mark but the terminals' own shells: the leaders of a session with a terminal
 * (fields 6 and 7 of `stat`). Prints how many are left. Without /proc it prints nothing.
 */
const sweep = (conversation: string): string => `
[ -r /proc/self/environ ] || exit 0
left() {
  for file in $(grep -slzx '${terminalMark}=${conversation}' /proc/[0-9]*/environ); do
    entry=\${file%/environ}
    stat=$(cat "$entry/stat" 2>/dev/null) || continue
    set -- \${stat##*) }
    pid=\${entry#/proc/}
    [ "$1" = Z ] || { [ "$4" = "$pid" ] && [ "$5" != 0 ]; } || echo "$pid"
  done
}
for signal in INT TERM KILL; do
  pids=$(left)
  [ -z "$pids" ] && break
  kill -"$signal" $pids 2>/dev/null
  for pause in 1 2 3 4 5; do sleep 0.1; [ -z "$(left)" ] && break; done
done
left | wc -l`

/** Sweeps until nothing is left; a server whose shell cannot be used is taken at its word. */
const untilSwept = Effect.fnUntraced(function* (api: AgentServerApi, conversation: string) {
  while (true) {
    const swept = yield* Effect.result(api.shell(sweep(conversation), shellTimeoutSeconds))
    if (swept._tag === "Failure") {
      return yield* Effect.logDebug(
        `commands of conversation ${conversation} could not be looked for: ${swept.failure.message}`
      )
    }
    const { exitCode, stdout } = swept.success
    const left = exitCode === 0 ? Number(stdout.trim()) : 0
    if (!(left > 0)) return
    yield* Effect.sleep(longestLookMs)
  }
})

/** Stops the conversation, and confirms it only when nothing goes on in it; waits at most `timeoutMs`. */
export const stop = (api: AgentServerApi, conversation: string, timeoutMs: number): Effect.Effect<StopResult> =>
  untilAtRest(api, conversation).pipe(
    Effect.andThen(untilSwept(api, conversation)),
    Effect.timeoutOption(timeoutMs),
    Effect.map((stopped) => (Option.isSome(stopped) ? "confirmed" : "unconfirmed"))
  )
