/** Asks a server small questions over HTTP, each with an end. What the answers mean is for those who ask. */
import type { Endpoint } from "./AgentServer.ts"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Stream from "effect/Stream"

export type Answer =
  | { readonly _tag: "Answered"; readonly status: number }
  /** Nobody listens there. */
  | { readonly _tag: "Refused" }
  /** Somebody may be there, but there was no answer, or none in time. */
  | { readonly _tag: "Silent"; readonly reason: string }

/** The header that carries the session key. Server 1.57: `dependencies.py`. */
const keyHeader = "X-Session-API-Key"

/** A redirect would carry the key to whoever it names. */
const client = FetchHttpClient.layer.pipe(
  Layer.provideMerge(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
)

/** The system's code for what went wrong, however deep the platform has wrapped it. */
const codeOf = (error: unknown): string | null => {
  let current = error
  for (let depth = 0; depth < 8; depth++) {
    if (Predicate.hasProperty(current, "code") && typeof current.code === "string") return current.code
    if (Predicate.hasProperty(current, "reason") && Predicate.isObject(current.reason)) current = current.reason
    else if (Predicate.hasProperty(current, "cause")) current = current.cause
    else return null
  }
  return null
}

const failed = (error: unknown): Answer => {
  const code = codeOf(error)
  return code === "ECONNREFUSED" ? { _tag: "Refused" } : { _tag: "Silent", reason: code ?? "the connection failed" }
}

interface Question {
  readonly method?: "GET" | "POST"
  readonly url: string
  readonly key: Redacted.Redacted | null
  readonly timeoutMs: number
}

const request = ({ key, method = "GET", url }: Question) =>
  HttpClientRequest.make(method)(url).pipe(
    key === null ? (plain) => plain : HttpClientRequest.setHeader(keyHeader, Redacted.value(key))
  )

const send = (question: Question) =>
  Effect.flatMap(HttpClient.HttpClient, (http) => HttpClient.withScope(http).execute(request(question)))

/** Asks and looks at the status only; the body is not read. */
export const ask = (question: Question): Effect.Effect<Answer> =>
  send(question).pipe(
    Effect.map(({ status }): Answer => ({ _tag: "Answered", status })),
    Effect.scoped,
    Effect.catch((error) => Effect.succeed(failed(error))),
    Effect.timeoutOrElse({
      duration: question.timeoutMs,
      orElse: () => Effect.succeed<Answer>({ _tag: "Silent", reason: `no answer within ${question.timeoutMs} ms` })
    }),
    Effect.provide(client)
  )

/** The cheapest question that goes through the part of the server that can be wedged while `/health` answers. */
export const askForConversations = (endpoint: Endpoint, timeoutMs: number): Effect.Effect<Answer> =>
  ask({ url: `${endpoint.baseUrl}/api/conversations/count`, key: endpoint.sessionKey, timeoutMs })

/** The answer of whoever is there; null when it is none, too long, or something else. */
const read = <A>(question: Question, shape: Schema.Decoder<A>, longest: number): Effect.Effect<A | null> =>
  Effect.gen(function* () {
    const response = yield* send(question)
    let text = ""
    yield* response.stream.pipe(
      Stream.decodeText,
      Stream.takeUntil((part) => {
        text += part
        return text.length > longest
      }),
      Stream.runDrain
    )
    return yield* Schema.decodeUnknownEffect(shape)(text)
  }).pipe(
    Effect.scoped,
    Effect.timeout(question.timeoutMs),
    Effect.orElseSucceed(() => null),
    Effect.provide(client)
  )

const ServerInfo = Schema.fromJsonString(Schema.Struct({ title: Schema.String, version: Schema.String }))
const longestInfo = 64 * 1024

/** The version of the agent-server at this address; null when it is none, or does not say so. */
export const versionAt = (baseUrl: string, timeoutMs: number): Effect.Effect<string | null> =>
  read({ url: `${baseUrl}/server_info`, key: null, timeoutMs }, ServerInfo, longestInfo).pipe(
    Effect.map((info) => (info !== null && /openhands/i.test(info.title) ? info.version.slice(0, 50) : null))
  )

const Conversations = Schema.fromJsonString(
  Schema.Struct({ items: Schema.Array(Schema.Struct({ id: Schema.String })) })
)
/** A hundred conversations, which is the most in one answer, each with its agent. */
const longestList = 16 * 1024 * 1024

/** Up to a hundred conversations that run now; none when the server does not answer. */
export const runningConversations = (endpoint: Endpoint, timeoutMs: number): Effect.Effect<ReadonlyArray<string>> => {
  const url = `${endpoint.baseUrl}/api/conversations/search?status=running&limit=100`
  return Effect.map(
    read({ url, key: endpoint.sessionKey, timeoutMs }, Conversations, longestList),
    (found) => found?.items.map(({ id }) => id) ?? []
  )
}

/** Interrupts what a conversation does. */
export const interrupt = (endpoint: Endpoint, conversation: string, timeoutMs: number): Effect.Effect<Answer> => {
  const url = `${endpoint.baseUrl}/api/conversations/${encodeURIComponent(conversation)}/interrupt`
  return ask({ method: "POST", url, key: endpoint.sessionKey, timeoutMs })
}

/** What is wrong with an answer to {@link askForConversations}; null when nothing is. */
export const problemOf = (answer: Answer): string | null => {
  switch (answer._tag) {
    case "Refused":
      return "nobody listens there"
    case "Silent":
      return answer.reason
    case "Answered":
      if (answer.status === 200) return null
      if (answer.status === 401 || answer.status === 403) return `it refuses the session key (status ${answer.status})`
      return `it answers with status ${answer.status}`
  }
}
