/**
 * The events of a conversation as sockets and REST send them. The union is open: of the kinds that matter here the few
 * fields that are used are read, and every other kind is kept with its name, so that a newer server breaks nothing.
 * Their timestamps are not read: they are naive local times, and liveness goes by our own clock.
 */
import type { Usage } from "@opensymphony/core/domain/Usage"
import * as Data from "effect/Data"
import * as ConversationInfo from "../client/ConversationInfo.ts"
import * as PlainText from "../client/PlainText.ts"
import { contentText, fieldsOf, type Fields, textOf } from "./EventFields.ts"

export type EventBody = Data.TaggedEnum<{
  /** A `full_state` frame: sent to every new subscriber, and when a run has truly ended. Transient. */
  Snapshot: { readonly status: ConversationInfo.Status; readonly usage: Usage | null }
  StatusChanged: { readonly status: ConversationInfo.Status }
  UsageChanged: { readonly usage: Usage }
  /** Another field of the state. */
  StateChanged: {}
  SystemPrompt: {}
  UserMessage: { readonly text: string }
  AgentMessage: { readonly text: string }
  /** The agent called its finish tool. */
  Finished: { readonly text: string }
  /** The run broke. `failure` is the server's own classification, null when it gave none. */
  Failed: { readonly code: string; readonly detail: string; readonly failure: string | null }
  /** Somebody paused or interrupted the run. */
  Interrupted: {}
  /** Older events were replaced by this summary. */
  Condensed: { readonly text: string }
  /** Any other sign of the agent's work. */
  Worked: {}
  /** A kind, or a shape, that is not known here. */
  Unknown: {}
}>
export const EventBody = Data.taggedEnum<EventBody>()

export interface WireEvent {
  /** Identity; null when it has none, which a server error on one socket may not have. */
  readonly id: string | null
  readonly kind: string
  /** One line for people; empty when there is nothing to say. */
  readonly summary: string
  readonly body: EventBody
}

/** What is kept of the longest texts: a reply, the detail of an error, a prompt to compare with. */
const maxText = 64 * 1024
const maxSummary = 300

interface Read {
  readonly body: EventBody
  readonly summary: string
}

const quiet = (body: EventBody): Read => ({ body, summary: "" })
const worked = (summary: string): Read => ({ body: EventBody.Worked(), summary })

const stateUpdate = ({ key, value }: Fields): Read => {
  if (key === "full_state") {
    const state = fieldsOf(value)
    const status = ConversationInfo.status(state["execution_status"])
    return quiet(EventBody.Snapshot({ status, usage: ConversationInfo.usage(state["stats"]) }))
  }
  if (key === "execution_status") return quiet(EventBody.StatusChanged({ status: ConversationInfo.status(value) }))
  const usage = key === "stats" ? ConversationInfo.usage(value) : null
  return quiet(usage === null ? EventBody.StateChanged() : EventBody.UsageChanged({ usage }))
}

const message = (event: Fields): Read => {
  const text = PlainText.beginning(contentText(fieldsOf(event["llm_message"])["content"]), maxText)
  return event["source"] === "agent"
    ? { body: EventBody.AgentMessage({ text }), summary: text }
    : { body: EventBody.UserMessage({ text }), summary: text }
}

/** The tool's name is a field of the event; its `action` is missing when the arguments could not be read. */
const action = (event: Fields): Read => {
  const tool = textOf(event["tool_name"])
  const input = fieldsOf(event["action"])
  switch (tool) {
    case "finish": {
      const text = PlainText.beginning(textOf(input["message"]), maxText)
      return { body: EventBody.Finished({ text }), summary: text }
    }
    case "think":
      return worked(textOf(input["thought"]))
    case "terminal":
      return worked(`$ ${textOf(input["command"])}`)
    case "file_editor":
      return worked(`${textOf(input["command"])} ${textOf(input["path"])}`)
    default:
      return worked(`${tool} ${textOf(event["summary"])}`)
  }
}

const observation = (event: Fields): Read => {
  const result = fieldsOf(event["observation"])
  return worked(`${textOf(event["tool_name"])}: ${contentText(result["content"])}`)
}

const failed = (event: Fields): Read => {
  const code = PlainText.beginning(textOf(event["code"]), 200)
  const detail = PlainText.beginning(textOf(event["detail"]), maxText)
  const failure = textOf(fieldsOf(event["classification"])["kind"]) || null
  return { body: EventBody.Failed({ code, detail, failure }), summary: `${code}: ${detail}` }
}

const read = (kind: string, event: Fields): Read => {
  switch (kind) {
    case "ConversationStateUpdateEvent":
      return stateUpdate(event)
    case "SystemPromptEvent":
      return quiet(EventBody.SystemPrompt())
    case "MessageEvent":
      return message(event)
    case "ActionEvent":
      return action(event)
    case "ObservationEvent":
      return observation(event)
    case "AgentErrorEvent":
      return worked(`${textOf(event["tool_name"])}: ${textOf(event["error"])}`)
    case "UserRejectObservation":
      return worked(`${textOf(event["tool_name"])}: ${textOf(event["rejection_reason"])}`)
    case "ConversationErrorEvent":
      return failed(event)
    case "PauseEvent":
    case "InterruptEvent":
      return quiet(EventBody.Interrupted())
    case "Condensation": {
      const text = PlainText.beginning(textOf(event["summary"]), maxText)
      return { body: EventBody.Condensed({ text }), summary: "older events were condensed" }
    }
    case "StreamingDeltaEvent":
      return worked(textOf(event["content"]) || textOf(event["reasoning_content"]))
    case "ACPToolCallEvent":
      return worked(`${textOf(event["title"])} ${textOf(event["status"])}`)
    case "HookExecutionEvent":
      return worked(`hook ${textOf(event["hook_event_type"])}: ${textOf(event["reason"])}`)
    default:
      return quiet(EventBody.Unknown())
  }
}

/** Null for what is no event at all: not an object, or without a kind. */
export const fromJson = (value: unknown): WireEvent | null => {
  const event = fieldsOf(value)
  const kind = textOf(event["kind"])
  if (kind === "") return null
  const { body, summary } = read(kind, event)
  return {
    id: textOf(event["id"]) || null,
    kind: PlainText.beginning(kind, 100),
    summary: PlainText.oneLine(summary, maxSummary),
    body
  }
}

/** One frame of a socket. Null when it cannot be understood. */
export const fromFrame = (frame: string): WireEvent | null => {
  try {
    return fromJson(JSON.parse(frame))
  } catch {
    return null
  }
}

/** Whether it is news of the agent, and not of the server or of what we said ourselves. */
export const isActivity = ({ body }: WireEvent): boolean => {
  switch (body._tag) {
    case "Snapshot":
    case "StatusChanged":
    case "UsageChanged":
    case "StateChanged":
    case "SystemPrompt":
    case "UserMessage":
      return false
    default:
      return true
  }
}

/** Whether it can only come from a run that goes on, or went on. */
export const isWork = ({ body }: WireEvent): boolean => {
  switch (body._tag) {
    case "AgentMessage":
    case "Finished":
    case "Failed":
    case "Condensed":
    case "Worked":
      return true
    default:
      return false
  }
}
