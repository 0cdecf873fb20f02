/**
 * A model for tests against a real agent: a loopback HTTP server that speaks the chat-completions protocol, plain and
 * streamed, and answers what its scripts say. It keeps no place in a script (see `ModelScript`), records every request,
 * and knows exactly what it reported as usage.
 */
import type { ServerResponse } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { asRecord, listen, type LocalRequest, parseJson, sendJson } from "../LocalServer.ts"
import {
  DEFAULT_USAGE,
  type FailingStep,
  type ModelReply,
  type ModelScript,
  type ModelUsage,
  say
} from "./ModelScript.ts"

/** A request as the model saw it. */
export interface RecordedRequest {
  readonly authorization: string | undefined
  readonly body: Readonly<Record<string, unknown>>
  /** The text of the last user message. */
  readonly userText: string
  /** Tool results after the last user message that carries a known marker. */
  readonly toolResults: number
  readonly stream: boolean
  /** The marker of the script that answered; `undefined` when none matched. */
  readonly marker: string | undefined
}

export interface ScriptedModelOptions {
  readonly scripts?: ReadonlyArray<ModelScript>
  /** The answer when no marker matches. Default: a plain text. */
  readonly fallback?: ModelReply
  /** The answer to a request that offers no tools: a condenser's or a title's, which quote what was said. */
  readonly withoutTools?: ModelReply
  /** Keys that are accepted. Default: any. */
  readonly apiKeys?: ReadonlyArray<string>
  /** How many requests are kept; the oldest go first. Default 10,000. */
  readonly keep?: number
}

/** A running scripted model. */
export interface ScriptedModel {
  /** What an agent's `base_url` is set to. */
  readonly baseUrl: string
  readonly requests: ReadonlyArray<RecordedRequest>
  /** The sum of what was reported, over all answers. */
  readonly reported: () => Required<ModelUsage> & { readonly calls: number }
  /** Adds a script; it goes before those that match the same text. */
  readonly script: (script: ModelScript) => void
  /** Accepts these keys only; `undefined` accepts any. */
  readonly acceptKeys: (keys: ReadonlyArray<string> | undefined) => void
  readonly close: () => Promise<void>
}

interface Message {
  readonly role: string
  readonly text: string
}

/** Starts a model; the caller closes it. */
export const start = async (options: ScriptedModelOptions = {}): Promise<ScriptedModel> => {
  const scripts = [...(options.scripts ?? [])]
  const keep = options.keep ?? 10_000
  const requests: Array<RecordedRequest> = []
  const failures = new Map<FailingStep, Map<string, number>>()
  const total = { prompt: 0, completion: 0, cached: 0, calls: 0 }
  let accepted = options.apiKeys
  let answers = 0

  const place = (messages: ReadonlyArray<Message>) => {
    for (let index = messages.length - 1; index >= 0; index--) {
      const message = messages[index]
      if (message?.role !== "user") continue
      const script = scripts.find((candidate) => message.text.includes(candidate.marker))
      if (script === undefined) continue
      const toolResults = messages.slice(index + 1).filter(({ role }) => role === "tool").length
      return { script, toolResults }
    }
    return undefined
  }

  const choose = (messages: ReadonlyArray<Message>, found: ReturnType<typeof place>): ModelReply => {
    if (found === undefined) return options.fallback ?? say("There is nothing to do.")
    const { script, toolResults } = found
    const step = script.steps[Math.min(toolResults, script.steps.length - 1)]
    if (step === undefined) return say("The script is empty.")
    if (step.type !== "failing") return step
    // Failures are counted per history, so that conversations that share a script do not use up each other's.
    const history = JSON.stringify(messages)
    const seen = failures.get(step) ?? new Map<string, number>()
    const count = seen.get(history) ?? 0
    if (count >= step.times) return step.reply
    failures.set(step, seen.set(history, count + 1))
    return step.failure
  }

  const handle = async (request: LocalRequest, response: ServerResponse) => {
    if (request.method === "GET" && request.path.endsWith("/models")) {
      return sendJson(response, 200, { object: "list", data: [{ id: "scripted", object: "model", owned_by: "tests" }] })
    }
    if (request.method !== "POST" || !request.path.endsWith("/chat/completions")) {
      return sendJson(response, 404, {
        error: { message: `No such path: ${request.path}`, type: "invalid_request_error" }
      })
    }
    const body = asRecord(parseJson(request.body))
    const messages = messagesOf(body)
    const offersTools = Array.isArray(body["tools"]) && body["tools"].length > 0
    const found = offersTools ? place(messages) : undefined
    const stream = body["stream"] === true
    requests.push({
      authorization: request.headers.authorization,
      body,
      userText: messages.findLast(({ role }) => role === "user")?.text ?? "",
      toolResults: found?.toolResults ?? 0,
      stream,
      marker: found?.script.marker
    })
    if (requests.length > keep) requests.shift()
    const key = request.headers.authorization?.replace(/^Bearer /i, "")
    if (accepted !== undefined && (key === undefined || !accepted.includes(key))) {
      return sendJson(response, 401, failureBody("invalid_api_key", "Incorrect API key provided."))
    }
    const reply = offersTools ? choose(messages, found) : (options.withoutTools ?? say("A summary of what was said."))
    if (reply.type === "hang") return
    if (reply.type === "failure") {
      for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value)
      return sendJson(response, reply.status, failureBody(reply.code ?? "error", reply.message))
    }
    if (reply.delayMs !== undefined) await sleep(reply.delayMs)
    const usage = { ...DEFAULT_USAGE, ...reply.usage }
    total.prompt += usage.prompt
    total.completion += usage.completion
    total.cached += usage.cached
    total.calls += 1
    const completion = completionOf(reply, usage, ++answers, String(body["model"] ?? "scripted"))
    if (stream) sendStream(response, completion)
    else sendJson(response, 200, completion)
  }

  const server = await listen(handle)
  return {
    baseUrl: `${server.url}/v1`,
    requests,
    reported: () => ({ ...total }),
    script: (script) => void scripts.unshift(script),
    acceptKeys: (keys) => {
      accepted = keys
    },
    close: server.close
  }
}

/** A model that lives as long as the scope. */
export const make = (options: ScriptedModelOptions = {}): Effect.Effect<ScriptedModel, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => start(options)),
    (model) => Effect.promise(() => model.close())
  )

const messagesOf = (body: Readonly<Record<string, unknown>>): ReadonlyArray<Message> => {
  const messages = body["messages"]
  if (!Array.isArray(messages)) return []
  return messages.map((message: unknown) => {
    const { role, content } = asRecord(message)
    return { role: String(role), text: textOf(content) }
  })
}

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content.map((part: unknown) => String(asRecord(part)["text"] ?? "")).join("\n")
}

const failureBody = (code: string, message: string) => ({
  error: { message, type: code, param: null, code }
})

type Completion = ReturnType<typeof completionOf>

const completionOf = (
  reply: Extract<ModelReply, { type: "calls" | "text" }>,
  usage: Required<ModelUsage>,
  answer: number,
  model: string
) => ({
  id: `chatcmpl-${answer}`,
  object: "chat.completion",
  created: 1,
  model,
  choices: [
    {
      index: 0,
      finish_reason: reply.type === "calls" ? "tool_calls" : "stop",
      message: {
        role: "assistant",
        content: reply.type === "calls" ? "" : reply.text,
        ...(reply.type === "calls"
          ? {
              tool_calls: reply.calls.map(({ name, arguments: args }, index) => ({
                id: `call_${answer}_${index}`,
                type: "function",
                function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) }
              }))
            }
          : {})
      }
    }
  ],
  usage: {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    prompt_tokens_details: { cached_tokens: usage.cached }
  }
})

/** The same answer as server-sent events: the message in one chunk, then the finish reason, then the usage. */
const sendStream = (response: ServerResponse, completion: Completion): void => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" })
  const { choices, usage, ...base } = completion
  const head = { ...base, object: "chat.completion.chunk" }
  const [choice] = choices
  const message = choice?.message
  const calls = message !== undefined && "tool_calls" in message ? message.tool_calls : undefined
  const delta = {
    role: "assistant",
    content: message?.content ?? "",
    ...(calls === undefined ? {} : { tool_calls: calls.map((entry, index) => ({ index, ...entry })) })
  }
  const chunks = [
    { ...head, choices: [{ index: 0, delta, finish_reason: null }] },
    { ...head, choices: [{ index: 0, delta: {}, finish_reason: choice?.finish_reason ?? "stop" }] },
    { ...head, choices: [], usage }
  ]
  for (const chunk of chunks) response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  response.end("data: [DONE]\n\n")
}
