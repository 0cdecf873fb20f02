/**
 * What a scripted model answers: data, keyed on the history of the conversation and on nothing else, so that a request
 * that is sent again gets the same answer. A script belongs to a marker in a user message; its steps are counted by the
 * tool results that follow that message.
 */

/** Token figures of one answer, exactly as the model reports them. `prompt` includes `cached`. */
export interface ModelUsage {
  readonly prompt: number
  readonly completion: number
  readonly cached?: number
}

/** A call of one tool. Arguments that are a string are sent as they are, valid JSON or not. */
export interface ModelToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>> | string
}

/** One answer of the model. */
export type ModelReply =
  | {
      readonly type: "calls"
      readonly calls: ReadonlyArray<ModelToolCall>
      readonly usage?: ModelUsage
      readonly delayMs?: number
    }
  | { readonly type: "text"; readonly text: string; readonly usage?: ModelUsage; readonly delayMs?: number }
  | {
      readonly type: "failure"
      readonly status: number
      readonly code?: string
      readonly message: string
      readonly headers?: Readonly<Record<string, string>>
    }
  /** Never answers; the connection stays open until the peer or the server ends it. */
  | { readonly type: "hang" }

/** A step fails a number of times before it answers. */
export interface FailingStep {
  readonly type: "failing"
  readonly times: number
  readonly failure: ModelReply
  readonly reply: ModelReply
}

/** The answers for one user message, one per tool result so far; the last one is repeated. */
export interface ModelScript {
  /** The text that the last user message has to contain. */
  readonly marker: string
  readonly steps: ReadonlyArray<ModelReply | FailingStep>
}

/** What every answer reports that names no usage of its own. */
export const DEFAULT_USAGE: Required<ModelUsage> = { prompt: 100, completion: 10, cached: 40 }

/** Calls one tool. */
export const call = (
  name: string,
  args: Readonly<Record<string, unknown>> | string,
  usage?: ModelUsage
): ModelReply => ({ type: "calls", calls: [{ name, arguments: args }], ...(usage === undefined ? {} : { usage }) })

/** Runs a command in the agent's terminal. */
export const shell = (command: string, usage?: ModelUsage): ModelReply => call("terminal", { command }, usage)

/** Ends the turn by the finish tool. */
export const finish = (message: string, usage?: ModelUsage): ModelReply => call("finish", { message }, usage)

/** Ends the turn by a text without any tool call. */
export const say = (text: string, usage?: ModelUsage): ModelReply => ({
  type: "text",
  text,
  ...(usage === undefined ? {} : { usage })
})

/** The key is refused. */
export const unauthorized: ModelReply = {
  type: "failure",
  status: 401,
  code: "invalid_api_key",
  message: "Incorrect API key provided."
}

/** Too many requests. */
export const rateLimited: ModelReply = {
  type: "failure",
  status: 429,
  code: "rate_limit_exceeded",
  message: "Rate limit reached for requests.",
  headers: { "retry-after": "1" }
}

/** The account's quota is used up. */
export const quotaExceeded: ModelReply = {
  type: "failure",
  status: 429,
  code: "insufficient_quota",
  message: "You exceeded your current quota, please check your plan and billing details."
}

/** The provider's own failure. */
export const providerFailure: ModelReply = {
  type: "failure",
  status: 500,
  code: "server_error",
  message: "The server had an error while processing your request."
}

/** The history is longer than the model's context. */
export const contextOverflow: ModelReply = {
  type: "failure",
  status: 400,
  code: "context_length_exceeded",
  message:
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages."
}

/** A shell command and then the end of the turn. */
export const shellThenFinish = (marker: string, command: string, message = "done"): ModelScript => ({
  marker,
  steps: [shell(command), finish(message)]
})
