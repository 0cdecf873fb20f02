/**
 * One request through the SDK's own transport. The only module that loads `@linear/sdk`, and it does so late: it costs
 * about 90 ms. Each request has a client of its own, because that is where the SDK takes its abort signal.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as LinearError from "../LinearError.ts"
import type { Answer } from "./Answer.ts"
import type { Credential } from "./Credential.ts"
import type { Purpose } from "./Operation.ts"

/** Says what a request is for, to proxies and test servers; Linear does not look at it. */
const purposeHeader = "x-opensymphony-purpose"

export type TransportError =
  | LinearError.LinearTransportError
  | LinearError.LinearTimeout
  | LinearError.LinearBadResponse

/** Sends a document and gives back the answer, whatever its status; `name` is for messages. */
export type Transport = (
  name: string,
  document: string,
  variables: Readonly<Record<string, unknown>>,
  purpose: Purpose
) => Effect.Effect<Answer, TransportError>

interface SdkResponse {
  readonly status?: number
  readonly headers?: Headers
  readonly error?: string
}

/** The response inside of an error of the SDK; null for an error that is no answer. */
const responseIn = (error: unknown): SdkResponse | null => {
  const { raw } = (error ?? {}) as { readonly raw?: { readonly response?: SdkResponse } }
  return typeof raw?.response?.status === "number" ? raw.response : null
}

/** The SDK takes media types other than `application/json` for text; `application/graphql-response+json` is none. */
const bodyOfText = (text: string, contentType: string | null): unknown => {
  if (contentType === null || !/^application\/[\w.-]+\+json\b/i.test(contentType)) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const answerOf = ({ headers, status, ...result }: SdkResponse): Answer => {
  const { error: text } = result
  const header = (name: string) => headers?.get(name) ?? null
  return {
    status: status ?? 200,
    header,
    body: typeof text === "string" ? bodyOfText(text, header("content-type")) : result
  }
}

/** What is safe to tell of a failed connection: the system's code. Messages of `fetch` can quote headers. */
const codeIn = (error: unknown): string | null => {
  const { cause } = (error ?? {}) as { readonly cause?: { readonly code?: unknown; readonly message?: unknown } }
  if (typeof cause?.code === "string") return cause.code
  return typeof cause?.message === "string" && cause.message.includes("redirect") ? "redirect" : null
}

const failureOf = (error: unknown, name: string, host: string): TransportError => {
  if (error instanceof SyntaxError || (error instanceof TypeError && error.message !== "fetch failed")) {
    return new LinearError.LinearBadResponse({ message: `${name} was answered with broken JSON` })
  }
  const code = codeIn(error)
  if (code === "redirect") {
    const message = `${host} redirects elsewhere, where the key must not go; check tracker.endpoint`
    return new LinearError.LinearBadResponse({ message })
  }
  const detail = code === null ? "" : ` (${code})`
  return new LinearError.LinearTransportError({
    message: `${host} could not be reached for ${name}${detail}; check the network`
  })
}

/** The transport of a credential. A request that takes longer than `timeoutMs`, answer included, is given up. */
export const make = Effect.fnUntraced(function* (
  credential: Credential,
  timeoutMs: number
): Effect.fn.Return<Transport> {
  const { LinearGraphQLClient } = yield* Effect.promise(() => import("@linear/sdk"))
  const { host } = new URL(credential.endpoint)
  const headers = { authorization: Redacted.value(credential.apiKey), "user-agent": "opensymphony" }
  return (name, document, variables, purpose) =>
    Effect.tryPromise({
      try: async (signal): Promise<Answer> => {
        const client = new LinearGraphQLClient(credential.endpoint, { headers, signal, redirect: "error" })
        try {
          return answerOf(await client.rawRequest(document, variables, { [purposeHeader]: purpose }))
        } catch (error) {
          const response = responseIn(error)
          if (response === null) throw error
          return answerOf(response)
        }
      },
      catch: (error) => failureOf(error, name, host)
    }).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () =>
          Effect.fail(
            new LinearError.LinearTimeout({ message: `${host} did not answer ${name} within ${timeoutMs / 1000} s` })
          )
      })
    )
})
