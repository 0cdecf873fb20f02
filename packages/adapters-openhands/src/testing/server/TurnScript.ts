/**
 * What the fake's agent does with a user message: a script of steps, as data (so it can come from another process) or
 * with callbacks of the test. Which script a message gets is decided by rules.
 */
import type { ModelReply, ModelScript, ModelUsage } from "../model/ModelScript.ts"

/** What a model's answer costs. Defaults to `DEFAULT_USAGE` of the scripted model, priced by the conversation's LLM. */
export interface StepUsage extends ModelUsage {
  /** Under which usage id it is counted. Default: the agent's LLM. */
  readonly usageId?: string
  /** US dollars; default: by the prices of the LLM. */
  readonly cost?: number
}

/** What every step that is an answer of the model may say. */
interface Answer {
  /** How long the model thinks. The state lock is free meanwhile. */
  readonly thinkMs?: number
  readonly usage?: StepUsage
}

/** What a tool does outside the server. The state lock is held meanwhile. */
export type ToolEffect =
  | { readonly type: "write"; readonly path: string; readonly content: string; readonly append?: boolean }
  /** A real command in the workspace, in its own process group; ended when the tool is interrupted. */
  | { readonly type: "shell"; readonly command: string }
  | { readonly type: "call"; readonly call: (context: ToolContext) => Promise<string | void> | string | void }

/** What a callback of a tool is told. */
export interface ToolContext {
  readonly conversationId: string
  readonly workspace: string
  readonly signal: AbortSignal
}

/** One step of the fake's agent. */
export type TurnStep =
  | (Answer & {
      readonly type: "tool"
      readonly tool: string
      readonly arguments?: Readonly<Record<string, unknown>>
      readonly durationMs?: number
      readonly effect?: ToolEffect
      /** What it reports; default: the effect's output. */
      readonly output?: string
      readonly outputBytes?: number
      readonly isError?: boolean
      /** Asks for confirmation whatever the policy. */
      readonly confirm?: boolean
    })
  | (Answer & { readonly type: "finish"; readonly message: string })
  | (Answer & { readonly type: "say"; readonly text: string })
  /** The tool call was invalid: the agent is told and goes on. */
  | (Answer & { readonly type: "agentError"; readonly tool: string; readonly error: string })
  /** The run ends in an error. */
  | {
      readonly type: "fail"
      readonly code: string
      readonly detail: string
      readonly classification?: Classification
      readonly thinkMs?: number
    }
  /** The model's context is full: a condenser makes room, without one the run ends in an error. */
  | { readonly type: "overflow"; readonly summary?: string }
  /** The stuck detector ends the run. */
  | { readonly type: "stuck" }
  /** The model never answers. */
  | { readonly type: "hang" }
  | { readonly type: "wait"; readonly ms: number }
  /** An event as it is, kept in the log unless it is transient: unknown kinds, large frames. */
  | { readonly type: "emit"; readonly event: Readonly<Record<string, unknown>>; readonly transient?: boolean }
  /** Many events at a rate, for load. */
  | { readonly type: "chatter"; readonly count: number; readonly everyMs: number }
  /** The server dies at this point as by `kill -9`. */
  | { readonly type: "crash" }
  /** Every socket of this conversation is cut. */
  | { readonly type: "cut" }

/** How the server classifies an error, from 1.40 on. */
export interface Classification {
  readonly kind: "auth" | "quota" | "rate_limit" | "config" | "transient" | "agent_action" | "internal" | "unknown"
  readonly retryable: boolean
  readonly user_action: "none" | "retry" | "settings"
}

/** The script for a message that contains the text, or for any when `match` is left out. The first rule that fits wins. */
export interface TurnRule {
  readonly match?: string
  /** Only for this many user messages of all that fit; default: no end. */
  readonly times?: number
  /** Only in this conversation. */
  readonly conversation?: string
  readonly steps: ReadonlyArray<TurnStep>
  /** Repeats the last step when all are done, as a scripted model does. Default: the turn ends with a text. */
  readonly repeatLast?: boolean
}

/** Runs a real command in the workspace. */
export const shell = (command: string, options: Answer = {}): TurnStep => ({
  ...options,
  type: "tool",
  tool: "terminal",
  arguments: { command },
  effect: { type: "shell", command }
})

/** Writes a file of the workspace. */
export const write = (path: string, content: string): TurnStep => ({
  type: "tool",
  tool: "file_editor",
  arguments: { command: "create", path, file_text: content },
  effect: { type: "write", path, content }
})

/** Runs a callback of the test as a tool. */
export const tool = (
  name: string,
  call: (context: ToolContext) => Promise<string | void> | string | void
): TurnStep => ({
  type: "tool",
  tool: name,
  effect: { type: "call", call }
})

/** A command that takes that long and does nothing. */
export const longCommand = (ms: number): TurnStep => ({
  type: "tool",
  tool: "terminal",
  arguments: { command: `sleep ${ms / 1000}` },
  durationMs: ms
})

/** Ends the turn by the finish tool. */
export const finish = (message: string): TurnStep => ({ type: "finish", message })

/** Ends the turn by a text. */
export const say = (text: string): TurnStep => ({ type: "say", text })

/** Ends the run in an error. */
export const fail = (code: string, detail: string, classification?: Classification): TurnStep => ({
  type: "fail",
  code,
  detail,
  ...(classification === undefined ? {} : { classification })
})

/** What the agent does when no rule fits. */
export const DEFAULT_STEPS: ReadonlyArray<TurnStep> = [say("There is nothing to do.")]

/** The script of the fake for what a real server does with a scripted model. */
export const fromModel = (script: ModelScript): TurnRule => ({
  match: script.marker,
  repeatLast: true,
  steps: script.steps.flatMap((step) => fromReply(step.type === "failing" ? step.reply : step))
})

const fromReply = (reply: ModelReply): ReadonlyArray<TurnStep> => {
  const answer = (usage: ModelUsage | undefined, delayMs: number | undefined): Answer => ({
    ...(usage === undefined ? {} : { usage }),
    ...(delayMs === undefined ? {} : { thinkMs: delayMs })
  })
  switch (reply.type) {
    case "text":
      return [{ type: "say", text: reply.text, ...answer(reply.usage, reply.delayMs) }]
    case "hang":
      return [{ type: "hang" }]
    case "failure":
      return [failureOf(reply)]
    case "calls":
      return reply.calls.map(({ name, arguments: args }): TurnStep => {
        const given = answer(reply.usage, reply.delayMs)
        if (typeof args === "string") {
          return {
            type: "agentError",
            tool: name,
            error: `Error validating tool '${name}': unparseable JSON`,
            ...given
          }
        }
        if (name === "finish") return { type: "finish", message: String(args["message"] ?? ""), ...given }
        if (name === "terminal") return { ...shell(String(args["command"] ?? "")), ...given }
        return { type: "tool", tool: name, arguments: args, ...given }
      })
  }
}

/** What the agent-server makes of a provider's failure, seen on 1.57.0. */
const failureOf = (reply: Extract<ModelReply, { type: "failure" }>): TurnStep => {
  const retry = { retryable: true, user_action: "retry" } as const
  if (reply.code === "context_length_exceeded") return { type: "overflow" }
  if (reply.status === 401) {
    return fail("LLMAuthenticationError", "Your LLM API key appears to be invalid or has expired.", {
      kind: "auth",
      retryable: false,
      user_action: "settings"
    })
  }
  if (reply.status === 429) {
    return fail("LLMRateLimitError", `litellm.RateLimitError: RateLimitError: OpenAIException - ${reply.message}`, {
      kind: "rate_limit",
      ...retry
    })
  }
  return fail(
    "LLMServiceUnavailableError",
    `litellm.InternalServerError: InternalServerError: OpenAIException - ${reply.message}`,
    { kind: "transient", ...retry }
  )
}
