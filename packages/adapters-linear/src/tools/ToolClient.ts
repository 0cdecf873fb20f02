/** Calls the tools of a live run over HTTP: what the bridge and the command for shell scripts have in common. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Endpoint } from "./EndpointFile.ts"

/** The tools' server could not be asked; the message says why and what to do. */
export class ToolClientError extends Data.TaggedError("ToolClientError")<{ readonly message: string }> {}

/** A call of a tool ends by itself before that. */
const timeoutMs = 65_000

const Answer = Schema.Struct({
  result: Schema.optionalKey(Schema.Json),
  error: Schema.optionalKey(Schema.NullOr(Schema.Struct({ message: Schema.String })))
})

/** Sends one request and gives back its result as it is. */
export const request = (
  { token, url }: Endpoint,
  method: "tools/list" | "tools/call",
  params: { readonly [name: string]: unknown }
): Effect.Effect<Schema.Json, ToolClientError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const message = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })
    const response = yield* client.execute(
      HttpClientRequest.post(url).pipe(
        HttpClientRequest.setHeader("accept", "application/json, text/event-stream"),
        HttpClientRequest.bearerToken(Redacted.value(token)),
        HttpClientRequest.bodyText(message, "application/json")
      )
    )
    const { error, result } = yield* HttpClientResponse.schemaBodyJson(Answer)(response)
    if (error !== undefined && error !== null) return yield* new ToolClientError({ message: error.message })
    if (result === undefined) return yield* new ToolClientError({ message: "the tools' server gave no result" })
    return result
  }).pipe(
    Effect.scoped,
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.timeoutOrElse({
      duration: timeoutMs,
      orElse: () => Effect.fail(new ToolClientError({ message: `no answer within ${timeoutMs / 1000} s; try again` }))
    }),
    Effect.catchTag("HttpClientError", ({ reason }) => {
      const message = `the tools of this run cannot be reached (${reason._tag}); the run may be over`
      return Effect.fail(new ToolClientError({ message }))
    }),
    Effect.catchTag("SchemaError", () =>
      Effect.fail(new ToolClientError({ message: "what answered is not the tools' server of a run" }))
    )
  )

const ListResult = Schema.Struct({
  tools: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      description: Schema.String,
      inputSchema: Schema.Struct({
        properties: Schema.Record(
          Schema.String,
          Schema.Struct({ description: Schema.optionalKey(Schema.String), type: Schema.optionalKey(Schema.String) })
        ),
        required: Schema.Array(Schema.String)
      })
    })
  )
})
export type ListedTool = (typeof ListResult.Type)["tools"][number]

const CallResult = Schema.Struct({
  content: Schema.Array(Schema.Struct({ type: Schema.String, text: Schema.optionalKey(Schema.String) })),
  structuredContent: Schema.optionalKey(Schema.Json),
  isError: Schema.optionalKey(Schema.Boolean)
})

export interface CallAnswer {
  readonly text: string
  readonly data: Schema.Json | null
  readonly isError: boolean
}

const decoded =
  <A>(schema: Schema.Decoder<A>) =>
  (result: Schema.Json) =>
    Effect.mapError(
      Schema.decodeUnknownEffect(schema)(result),
      () => new ToolClientError({ message: "the tools' server answered in a way that this version does not know" })
    )

/** What there is to call. */
export const list = (
  endpoint: Endpoint
): Effect.Effect<ReadonlyArray<ListedTool>, ToolClientError, HttpClient.HttpClient> =>
  request(endpoint, "tools/list", {}).pipe(
    Effect.flatMap(decoded(ListResult)),
    Effect.map(({ tools }) => tools)
  )

/** Calls a tool; that it did not do what it should is part of the answer. */
export const call = (
  endpoint: Endpoint,
  name: string,
  input: { readonly [name: string]: unknown }
): Effect.Effect<CallAnswer, ToolClientError, HttpClient.HttpClient> =>
  request(endpoint, "tools/call", { name, arguments: input }).pipe(
    Effect.flatMap(decoded(CallResult)),
    Effect.map(({ content, isError = false, structuredContent = null }) => ({
      text: content.flatMap(({ text }) => text ?? []).join("\n"),
      data: structuredContent,
      isError
    }))
  )
