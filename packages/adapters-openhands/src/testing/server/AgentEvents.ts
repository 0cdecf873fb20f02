/**
 * Events as the agent-server puts them on the wire, in the form of 1.57.0: fields without a value are left out. The log
 * stamps them with id, time and parent.
 */

/** An event before it is stamped. */
export interface EventDraft {
  readonly kind: string
  readonly source: "agent" | "user" | "environment" | "hook"
  readonly [field: string]: unknown
}

/** An event as it is sent and stored. */
export interface StampedEvent extends EventDraft {
  readonly id: string
  readonly timestamp: string
}

const text = (value: string) => ({ cache_prompt: false, type: "text", text: value })

/** A change of one field of the state. */
export const stateUpdate = (key: string, value: unknown): EventDraft => ({
  kind: "ConversationStateUpdateEvent",
  source: "environment",
  key,
  value
})

/** The first event of the log: what the agent is told about itself. Large, as the real one. */
export const systemPrompt = (tools: ReadonlyArray<string>): EventDraft => ({
  kind: "SystemPromptEvent",
  source: "agent",
  system_prompt: text(`You are a scripted agent. ${"x".repeat(8000)}`),
  tools: tools.map((name) => ({ title: name, description: `The tool ${name}.`, kind: "ToolDefinition" }))
})

/** A message of the user or of the agent. */
export const message = (role: "user" | "assistant", value: string | ReadonlyArray<unknown>): EventDraft => ({
  kind: "MessageEvent",
  source: role === "user" ? "user" : "agent",
  llm_message: {
    role,
    content: typeof value === "string" ? [text(value)] : value,
    thinking_blocks: []
  },
  activated_skills: [],
  extended_content: []
})

/** A call that the agent made. */
export interface ToolCall {
  readonly tool: string
  readonly callId: string
  readonly responseId: string
  readonly arguments: Readonly<Record<string, unknown>>
}

const ACTION_KINDS: Readonly<Record<string, string>> = {
  terminal: "TerminalAction",
  file_editor: "FileEditorAction",
  task_tracker: "TaskTrackerAction",
  finish: "FinishAction",
  think: "ThinkAction"
}

const kindOf = (tool: string, suffix: "Action" | "Observation"): string =>
  (ACTION_KINDS[tool] ?? "MCPToolAction").replace(/Action$/, suffix)

/** A tool call; without an action when its arguments could not be read. */
export const action = (call: ToolCall, valid = true): EventDraft => {
  const known = call.tool in ACTION_KINDS
  return {
    kind: "ActionEvent",
    source: "agent",
    thought: [text("")],
    thinking_blocks: [],
    ...(valid
      ? {
          action: {
            ...(known ? call.arguments : { data: call.arguments }),
            ...(call.tool === "terminal" ? { is_input: false, reset: false } : {}),
            kind: kindOf(call.tool, "Action")
          }
        }
      : {}),
    tool_name: call.tool,
    tool_call_id: call.callId,
    tool_call: {
      id: call.callId,
      name: call.tool,
      arguments: JSON.stringify(call.arguments),
      origin: "completion"
    },
    llm_response_id: call.responseId,
    security_risk: "UNKNOWN",
    ...(valid ? { summary: `${call.tool}: ${JSON.stringify(call.arguments).slice(0, 200)}` } : {})
  }
}

/** What a tool reported. */
export const observation = (
  call: ToolCall,
  actionId: string,
  result: { readonly output: string; readonly exitCode: number; readonly isError: boolean }
): EventDraft => ({
  kind: "ObservationEvent",
  source: "environment",
  tool_name: call.tool,
  tool_call_id: call.callId,
  observation: {
    content: [...(call.tool in ACTION_KINDS ? [] : [text(`[Tool '${call.tool}' executed.]`)]), text(result.output)],
    is_error: result.isError,
    ...(call.tool === "terminal"
      ? {
          command: call.arguments["command"] ?? "",
          exit_code: result.exitCode,
          timeout: false,
          metadata: { exit_code: result.exitCode, pid: -1 }
        }
      : {}),
    kind: kindOf(call.tool, "Observation")
  },
  action_id: actionId,
  extended_content: []
})

/** A tool call that failed or was interrupted: the agent is told. */
export const agentError = (call: ToolCall, error: string, classification?: unknown): EventDraft => ({
  kind: "AgentErrorEvent",
  source: "agent",
  tool_name: call.tool,
  tool_call_id: call.callId,
  error,
  ...(classification === undefined ? {} : { classification })
})

/** A confirmation was refused. */
export const rejected = (call: ToolCall, actionId: string, reason: string): EventDraft => ({
  kind: "UserRejectObservation",
  source: "environment",
  tool_name: call.tool,
  tool_call_id: call.callId,
  action_id: actionId,
  rejection_reason: reason,
  rejection_source: "user"
})

/** The run ended in an error. */
export const conversationError = (code: string, detail: string, classification?: unknown): EventDraft => ({
  kind: "ConversationErrorEvent",
  source: "environment",
  code,
  detail,
  ...(classification === undefined ? {} : { classification })
})

export const pause: EventDraft = { kind: "PauseEvent", source: "user" }

export const interrupt: EventDraft = { kind: "InterruptEvent", source: "user" }

export const condensationRequest: EventDraft = { kind: "CondensationRequest", source: "environment" }

/** Older events were replaced by a summary. */
export const condensation = (forgotten: ReadonlyArray<string>, summary: string, responseId: string): EventDraft => ({
  kind: "Condensation",
  source: "environment",
  forgotten_event_ids: forgotten,
  summary,
  summary_offset: 2,
  llm_response_id: responseId
})

/** A problem of one socket; nobody else sees it. */
export const serverError = (code: string, detail: string): EventDraft => ({
  kind: "ServerErrorEvent",
  source: "environment",
  code,
  detail
})

/** An event of the given size, kept in the log: a tool with a very long output. */
export const large = (bytes: number): EventDraft => ({
  kind: "ObservationEvent",
  source: "environment",
  tool_name: "terminal",
  tool_call_id: "call_large",
  observation: { content: [text("x".repeat(bytes))], is_error: false, kind: "TerminalObservation" },
  action_id: "",
  extended_content: []
})
