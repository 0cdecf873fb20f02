/**
 * One way to the agent-server for all of its REST calls: where it is now, the session key, a time limit for each call,
 * a bound for each answer, and what a refusal means. It never retries.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { AgentServerService, Endpoint } from "../server/AgentServer.ts"
import { ApiError, type ApiProblem } from "./ApiError.ts"
import * as Crowd from "./Crowd.ts"
import * as PlainText from "./PlainText.ts"

export interface Call {
  /** What is asked, for errors: `create conversation`. */
  readonly operation: string
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  /** From the root of the server, with its query. */
  readonly path: string
  readonly body?: unknown
  readonly timeoutMs: number
}

export interface Connection {
  /** The JSON of a 2xx answer. */
  readonly request: (call: Call) => Effect.Effect<unknown, ApiError>
  /** Where the server is, as last known. */
  readonly endpoint: Effect.Effect<Endpoint, ApiError>
  /** The next call asks anew where the server is. */
  readonly forgetEndpoint: Effect.Effect<void>
}

/** No answer that makes sense is larger; a page of events stays far below. */
const maxAnswerBytes = 64 * 1024 * 1024
const maxDetail = 500
/** A redirect would carry the session key, and the model's, to whoever it names. */
const noRedirects: RequestInit = { redirect: "manual" }

const decoder = new TextDecoder()

const problemOf = (status: number): ApiProblem => {
  if (status === 401 || status === 403) return "unauthorized"
  if (status === 404 || status === 405) return "missing"
  if (status === 409) return "conflict"
  if (status === 429) return "capacity"
  return status < 500 ? "refused" : "broken"
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [name: string]: unknown })[name]
    : undefined

/** What an error says, without the input that it echoes: an API key may be in there. */
const describe = (body: unknown): string => {
  const exception = field(body, "exception")
  if (typeof exception === "string") return exception
  const detail = field(body, "detail")
  if (typeof detail === "string") return detail
  if (!Array.isArray(detail)) return ""
  return detail
    .map((item) => {
      const place = field(item, "loc")
      return `${Array.isArray(place) ? place.join(".") : "?"}: ${String(field(item, "msg"))}`
    })
    .join("; ")
}

const keyOf = ({ sessionKey }: Endpoint): string => (sessionKey === null ? "" : Redacted.value(sessionKey))

const isSame = (self: Endpoint, that: Endpoint): boolean => self.baseUrl === that.baseUrl && keyOf(self) === keyOf(that)

const readBody = Effect.fnUntraced(function* (response: HttpClientResponse) {
  const pieces: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEachWhile(response.stream, (piece) =>
    Effect.sync(() => {
      pieces.push(piece)
      size += piece.length
      return size <= maxAnswerBytes
    })
  )
  if (size > maxAnswerBytes) return null
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return decoder.decode(bytes)
})

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A connection to the server that `server` knows. `redact` takes every known secret out of a text. */
export const make = (
  server: AgentServerService,
  client: HttpClient.HttpClient,
  redact: (text: string) => string
): Connection => {
  let current: Endpoint | null = null

  const endpoint = Effect.suspend(() => {
    if (current !== null) return Effect.succeed(current)
    return Crowd.dispersed(server.endpoint).pipe(
      Effect.tap((found) =>
        Effect.sync(() => {
          current = found
        })
      ),
      Effect.mapError(
        (error) =>
          new ApiError({ operation: "be reached", problem: "unreachable", status: null, detail: error.message })
      )
    )
  })

  const forgetEndpoint = Effect.sync(() => {
    current = null
  })

  const requestAt = Effect.fnUntraced(function* (call: Call, at: Endpoint): Effect.fn.Return<unknown, ApiError> {
    const { baseUrl, sessionKey } = at
    const fail = (problem: ApiProblem, status: number | null, detail: string) =>
      new ApiError({
        operation: call.operation,
        problem,
        status,
        detail: PlainText.oneLine(redact(PlainText.beginning(detail, 4 * maxDetail)), maxDetail)
      })
    const bare = HttpClientRequest.make(call.method)(`${baseUrl}${call.path}`)
    const keyed =
      sessionKey === null ? bare : HttpClientRequest.setHeader(bare, "x-session-api-key", Redacted.value(sessionKey))
    const complete = call.body === undefined ? keyed : HttpClientRequest.bodyJsonUnsafe(keyed, call.body)
    const [status, text] = yield* client.execute(complete).pipe(
      Effect.flatMap((response) => Effect.map(readBody(response), (body) => [response.status, body] as const)),
      Effect.scoped,
      Effect.provideService(HttpClient.TracerPropagationEnabled, false),
      Effect.provideService(FetchHttpClient.RequestInit, noRedirects),
      Effect.mapError(() => fail("unreachable", null, "there was no complete answer")),
      Effect.timeoutOrElse({
        duration: call.timeoutMs,
        orElse: () => fail("timeout", null, `there was no answer within ${call.timeoutMs} ms`)
      }),
      Effect.tapError(({ problem }) =>
        problem === "unreachable" ? Effect.andThen(forgetEndpoint, server.reportUnreachable) : Effect.void
      )
    )
    if (text === null) return yield* fail("broken", status, `the answer is larger than ${maxAnswerBytes} bytes`)
    const body = parse(text)
    if (status >= 200 && status < 300) {
      return body === undefined && text !== "" ? yield* fail("broken", status, "the answer is no JSON") : body
    }
    // What stands in between may say "not found" too while the server is away; the server says it in JSON.
    const isForeign = status === 404 && field(body, "detail") === undefined
    return yield* fail(isForeign ? "broken" : problemOf(status), status, describe(body))
  })

  const request = Effect.fnUntraced(function* (call: Call): Effect.fn.Return<unknown, ApiError> {
    const at = yield* endpoint
    const answer = yield* Effect.result(requestAt(call, at))
    if (answer._tag === "Success") return answer.success
    if (answer.failure.problem !== "unauthorized") return yield* answer.failure
    // A server that was started anew may have another key. What was refused was not carried out.
    yield* forgetEndpoint
    const now = yield* endpoint
    return isSame(at, now) ? yield* answer.failure : yield* requestAt(call, now)
  })

  return { request, endpoint, forgetEndpoint }
}
