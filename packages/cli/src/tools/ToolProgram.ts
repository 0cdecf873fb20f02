/** `opensymphony tool`: the tools of the run that an agent is in, for shell scripts. Returns the exit status. */
import * as ToolClient from "@opensymphony/adapters-linear/tools/ToolClient"
import { nearestName } from "@opensymphony/core/workflow/NearestName"
import { type Environment, lookUp } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as ToolArguments from "./ToolArguments.ts"
import * as ToolText from "./ToolText.ts"

export interface ToolOptions {
  /** Null lists the tools; `help` too. */
  readonly name: string | null
  /** `key=text`, `key:=json`, `key=-`; after `help`, the tool that is meant. */
  readonly words: ReadonlyArray<string>
  /** All arguments as one JSON object. */
  readonly json: string | null
  readonly list: boolean
  /** Whether the facts are printed as JSON, instead of the text. */
  readonly data: boolean
}

/** Why nothing was called, and what the process should exit with. */
class NotCalled extends Data.TaggedError("NotCalled")<{ readonly message: string; readonly status: number }> {}

const failed = 1
const wrongUsage = 2

const endpointIn = (environment: Environment) => {
  const url = lookUp(environment, "OPENSYMPHONY_MCP_URL")
  const token = lookUp(environment, "OPENSYMPHONY_MCP_TOKEN")
  if (url !== null && token !== null) return Effect.succeed({ url, token: Redacted.make(token) })
  const message =
    "there are no tools here: OPENSYMPHONY_MCP_URL and OPENSYMPHONY_MCP_TOKEN are set by `opensymphony run` for its command agents, when the tracker is linear"
  return Effect.fail(new NotCalled({ message, status: failed }))
}

const usable = <A>(result: Result.Result<A, string>) =>
  Effect.mapError(Effect.fromResult(result), (message) => new NotCalled({ message, status: wrongUsage }))

const standardInput = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  let bytes = 0
  const tooLong = new NotCalled({
    message: `standard input is longer than ${ToolArguments.maxStdinBytes} bytes; shorten it`,
    status: failed
  })
  return yield* stdio.stdin.pipe(
    Stream.tap((chunk) => {
      bytes += chunk.length
      return bytes <= ToolArguments.maxStdinBytes ? Effect.void : Effect.fail(tooLong)
    }),
    Stream.decodeText,
    Stream.mkString,
    Effect.catchTag("PlatformError", () =>
      Effect.fail(new NotCalled({ message: "standard input could not be read", status: failed }))
    )
  )
})

const show = Effect.fnUntraced(function* (tools: ReadonlyArray<ToolClient.ListedTool>, name: string | null) {
  if (name === null) return yield* Console.log(ToolText.listing(tools))
  const tool = tools.find((one) => one.name === name)
  if (tool !== undefined) return yield* Console.log(ToolText.detailed(tool))
  const names = tools.map((one) => one.name)
  const nearest = nearestName(name, names)
  const meant = nearest === null ? "" : `did you mean ${nearest}? `
  const message = `there is no tool ${JSON.stringify(name)}; ${meant}there are: ${names.join(", ")}`
  return yield* new NotCalled({ message, status: wrongUsage })
})

/** Prints what the tool answers on standard output, or why it did not do it on standard error. */
export const run = (options: ToolOptions, environment: Environment): Effect.Effect<number, never, Stdio.Stdio> =>
  Effect.gen(function* () {
    const { name, words } = options
    const isListing = options.list || name === null || name === "help"
    const stdinName = isListing ? null : yield* usable(ToolArguments.fromStdin(words))
    const endpoint = yield* endpointIn(environment)
    if (isListing) {
      const [about = null] = name === "help" ? words : []
      yield* show(yield* ToolClient.list(endpoint), about)
      return 0
    }
    const stdin = stdinName === null ? null : yield* standardInput
    const input = yield* usable(ToolArguments.read(words, options.json, stdin))
    const { data, isError, text } = yield* ToolClient.call(endpoint, name, input)
    if (isError) return yield* new NotCalled({ message: text, status: failed })
    yield* Console.log(options.data ? JSON.stringify(data) : text)
    return 0
  }).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.catchTag("NotCalled", ({ message, status }) => Effect.as(Console.error(`opensymphony: ${message}`), status)),
    Effect.catchTag("ToolClientError", ({ message }) => Effect.as(Console.error(`opensymphony: ${message}`), failed))
  )
