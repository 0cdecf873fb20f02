/**
 * The tools of all live runs on one HTTP address: MCP's streamable HTTP, without sessions, for who holds a run's token.
 * Browsers are kept out: a page of somebody else's must not reach it through the user's machine.
 */
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { LiveRuns } from "./LiveRuns.ts"
import * as ToolProtocol from "./ToolProtocol.ts"

export const path = "/mcp"

/** The longest text that a tool takes fits in, whatever it is escaped to. */
const maxBodyBytes = 1024 * 1024
/** From a request's first line to its answer; a call of a tool ends earlier by itself. */
const requestTimeoutMs = 60_000

const notOurs = -32_000

const refuse = (
  status: number,
  message: string,
  headers: { readonly [name: string]: string } = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    { jsonrpc: "2.0", error: { code: notOurs, message }, id: null },
    { status, headers: { "cache-control": "no-store", ...headers } }
  )

const bearer = (header: string | undefined): string => /^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? ""

/** A name that another machine's DNS can point here is none of these. */
const loopbackHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i

/** What a request is refused with before its body is read; null when it may go on. */
const objection = (request: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse | null => {
  if (!loopbackHost.test(request.headers["host"] ?? "")) {
    return refuse(403, "this server answers to its loopback address only; call it as 127.0.0.1")
  }
  if (request.headers["origin"] !== undefined) return refuse(403, "this server does not answer to web pages")
  if (request.url.split("?")[0] !== path) return refuse(404, `there is nothing here; the tools are at ${path}`)
  return null
}

/** Answers one request. */
export const handle = (
  runs: LiveRuns
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const objected = objection(request)
    if (objected !== null) return objected
    const host = runs.find(bearer(request.headers["authorization"]))
    if (host === null) {
      const message =
        "no live run has this token: the run is over, or the token is not the one it was given as Authorization: Bearer"
      return refuse(401, message, { "www-authenticate": "Bearer" })
    }
    // Without sessions there is nothing to listen to, and nothing to end.
    if (request.method !== "POST") return refuse(405, "only POST is answered here", { allow: "POST" })
    const transport = new WebStandardStreamableHTTPServerTransport({
      enableJsonResponse: true,
      maxRequestBodySize: maxBodyBytes
    })
    yield* ToolProtocol.serve(host, transport)
    const web = yield* HttpServerRequest.toWeb(request)
    return HttpServerResponse.fromWeb(yield* Effect.promise(() => transport.handleRequest(web)))
  }).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: requestTimeoutMs,
      orElse: () => Effect.succeed(refuse(408, `the request was not complete within ${requestTimeoutMs / 1000} s`))
    }),
    Effect.catch(() => Effect.succeed(refuse(400, "the request is malformed"))),
    Effect.catchDefect((defect) =>
      Effect.as(
        Effect.logError("the tools' server failed; this is a bug", Cause.die(defect)),
        refuse(500, "internal error")
      )
    ),
    // The server runs handlers in an uninterruptible region; a client that goes away, and the server's end, end a call.
    Effect.interruptible
  )
