/**
 * The events of a conversation as somebody reads them: who did what, and how it ended. Bookkeeping of the server is left
 * out; a kind that is not known here is named, so that nothing a newer server does goes unseen.
 */
import * as PlainText from "../client/PlainText.ts"
import { contentText, fieldsOf, type Fields, textOf } from "../stream/EventFields.ts"

export interface TranscriptEntry {
  readonly id: string | null
  readonly kind: string
  /** As the server wrote it: RFC 3339, or without an offset in the server's own zone. Empty when there is none. */
  readonly at: string
  readonly who: "user" | "agent" | "tool" | "server"
  /** Null where no tool is involved. */
  readonly tool: string | null
  /** What a command ended with; null for everything else, and while it goes on. */
  readonly exitCode: number | null
  /** What matters in few words: the command, the beginning of the output. */
  readonly line: string
  /** All of it. */
  readonly text: string
}

/** What is kept of the longest text. */
const maxText = 256 * 1024

interface Read extends Pick<TranscriptEntry, "who" | "line"> {
  readonly tool?: string
  readonly exitCode?: number | null
  /** Where it says more than the line. */
  readonly text?: string
}

const paragraphs = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part.trim() !== "").join("\n\n")

const said = (event: Fields): Read => {
  const text = contentText(fieldsOf(event["llm_message"])["content"])
  if (event["source"] === "agent") return { who: "agent", line: text }
  return { who: event["source"] === "user" ? "user" : "server", line: text }
}

/** The arguments of a call as the model wrote them, where the tool is not known here. */
const argumentsOf = (event: Fields): string => textOf(fieldsOf(event["tool_call"])["arguments"])

const called = (event: Fields): Read => {
  const tool = textOf(event["tool_name"])
  const input = fieldsOf(event["action"])
  const thought = contentText(event["thought"])
  const call = (line: string, details = ""): Read => ({
    who: "agent",
    tool,
    line,
    text: paragraphs(thought, line, details)
  })
  switch (tool) {
    case "finish":
      return call(`finished: ${textOf(input["message"])}`)
    case "think":
      return call(`thought: ${textOf(input["thought"])}`)
    case "terminal":
      return call(input["is_input"] === true ? `> ${textOf(input["command"])}` : `$ ${textOf(input["command"])}`)
    case "file_editor":
      return call(`file_editor ${textOf(input["command"])} ${textOf(input["path"])}`, argumentsOf(event))
    default:
      return call(`${tool} ${argumentsOf(event)}`)
  }
}

/** What these tools report repeats what was called. */
const echoes: ReadonlySet<unknown> = new Set(["finish", "think"])

const reported = (event: Fields): Read | null => {
  if (echoes.has(event["tool_name"])) return null
  const result = fieldsOf(event["observation"])
  const output = contentText(result["content"]).trimEnd()
  const code = result["exit_code"] ?? fieldsOf(result["metadata"])["exit_code"]
  const exitCode = typeof code === "number" && code >= 0 ? code : null
  const goesOn = code === -1 ? "still running" : null
  const ending = exitCode === null ? (goesOn ?? (result["is_error"] === true ? "failed" : "done")) : `exit ${exitCode}`
  return {
    who: "tool",
    tool: textOf(event["tool_name"]),
    exitCode,
    line: output === "" ? ending : `${ending}: ${output}`
  }
}

const stateChanged = ({ key, value }: Fields): Read | null =>
  key === "execution_status" ? { who: "server", line: `status ${textOf(value)}` } : null

const condensed = (event: Fields): Read => {
  const summary = textOf(event["summary"])
  return { who: "server", line: `older events were condensed${summary === "" ? "" : `: ${summary}`}` }
}

const read = (kind: string, event: Fields): Read | null => {
  const tool = textOf(event["tool_name"])
  switch (kind) {
    case "MessageEvent":
      return said(event)
    case "ActionEvent":
      return called(event)
    case "ObservationEvent":
      return reported(event)
    case "AgentErrorEvent":
      return { who: "tool", tool, line: `failed: ${textOf(event["error"])}` }
    case "UserRejectObservation":
      return { who: "user", tool, line: `rejected: ${textOf(event["rejection_reason"])}` }
    case "ConversationErrorEvent":
    case "ServerErrorEvent":
      return { who: "server", line: `${textOf(event["code"])}: ${textOf(event["detail"])}` }
    case "ConversationStateUpdateEvent":
      return stateChanged(event)
    case "SystemPromptEvent": {
      const { tools } = event
      return { who: "server", line: `system prompt with ${Array.isArray(tools) ? tools.length : 0} tools` }
    }
    case "PauseEvent":
      return { who: "user", line: "paused" }
    case "InterruptEvent":
      return { who: "user", line: "interrupted" }
    case "Condensation":
      return condensed(event)
    case "ACPToolCallEvent":
      return { who: "agent", tool: "acp", line: `${textOf(event["title"])} ${textOf(event["status"])}` }
    case "HookExecutionEvent":
      return { who: "server", line: `hook ${textOf(event["hook_event_type"])}: ${textOf(event["reason"])}` }
    // Pieces of messages that come whole as well, and what only the server needs.
    case "CondensationRequest":
    case "CondensationSummaryEvent":
    case "LLMCompletionLogEvent":
    case "StreamingDeltaEvent":
    case "TokenEvent":
      return null
    default:
      return { who: "server", line: `${kind} (an event that this version does not know)` }
  }
}

/** The id of an event, null for what has none. */
export const idOf = (value: unknown): string | null => textOf(fieldsOf(value)["id"]) || null

/** Null for what nobody reads, and for what is no event. */
export const fromJson = (value: unknown): TranscriptEntry | null => {
  const event = fieldsOf(value)
  const kind = PlainText.beginning(textOf(event["kind"]), 100)
  const found = kind === "" ? null : read(kind, event)
  if (found === null) return null
  return {
    id: idOf(event),
    kind,
    at: PlainText.beginning(textOf(event["timestamp"]), 40),
    who: found.who,
    tool: found.tool === undefined ? null : PlainText.beginning(found.tool, 100),
    exitCode: found.exitCode ?? null,
    line: PlainText.beginning(found.line, maxText),
    text: PlainText.beginning(found.text ?? found.line, maxText)
  }
}
