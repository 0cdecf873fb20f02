/** What a new conversation is told of the one that it replaces: after the prompt, bounded, as text. */
import type { RunTools } from "@opensymphony/core/ports/AgentTools"
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "../client/AgentServerApi.ts"
import type { ApiError } from "../client/ApiError.ts"
import * as PlainText from "../client/PlainText.ts"
import * as EventHistory from "../stream/EventHistory.ts"
import * as WireEvent from "../stream/WireEvent.ts"

const maxWorkpad = 12_000
const maxSummary = 6_000
const maxLines = 40
const maxPages = 3

/** What is known of an earlier conversation. */
interface Known {
  /** The server's own summary of the oldest part, null when there is none. */
  readonly condensed: string | null
  /** Of the newest events, oldest first. */
  readonly lines: ReadonlyArray<string>
}

const nothing: Known = { condensed: null, lines: [] }

const read = (api: AgentServerApi, conversation: string): Effect.Effect<Known, ApiError> =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    let condensed: string | null = null
    const walk = EventHistory.walkBack(api, conversation, maxPages, (event) => {
      if (event.body._tag === "Condensed" && event.body.text !== "") condensed ??= event.body.text
      if (lines.length < maxLines && WireEvent.isActivity(event) && event.summary !== "") lines.push(event.summary)
      return condensed === null || lines.length < maxLines
    })
    return Effect.map(walk, () => ({ condensed, lines: lines.toReversed() }))
  })

const render = (reason: string, { condensed, lines }: Known, workpad: string | null): string =>
  [
    "# From an earlier conversation",
    `You worked on this issue before, in another conversation, which this one replaces because ${reason}.`,
    "The workspace is as it was left. Look at what is already done before you do anything: its files, its version history, any notes.",
    ...(workpad === null ? [] : ["## Your notes", PlainText.beginning(workpad, maxWorkpad)]),
    ...(condensed === null ? [] : ["## What happened", PlainText.beginning(condensed, maxSummary)]),
    ...(lines.length === 0 ? [] : ["## The last steps", ...lines.map((line) => `- ${line}`)])
  ].join("\n\n")

/**
 * The text for the first prompt of a conversation that replaces `earlier`, because `reason`. What cannot be read is left
 * out; the workpad alone may be all there is.
 */
export const compose = Effect.fnUntraced(function* (
  api: AgentServerApi,
  earlier: string,
  reason: string,
  tools: RunTools,
  redact: (text: string) => string
) {
  const known = yield* Effect.catch(read(api, earlier), (error) =>
    Effect.as(Effect.logDebug(`conversation ${earlier} cannot be summed up: ${error.message}`), nothing)
  )
  return redact(render(reason, known, yield* tools.workpad))
})
