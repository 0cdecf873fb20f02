/** {@link AgentServer} on a server that somebody else runs: its configured address and key, and whether it answers. */
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import { lookUp, type Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { AgentServer, type AgentServerService, type Endpoint } from "./AgentServer.ts"
import * as ServerProbe from "./ServerProbe.ts"
import * as ServerState from "./ServerState.ts"

/** Milliseconds. */
export interface RemotePatience {
  /** Between two looks at a server that answers. */
  readonly probeIntervalMs: number
  /** Between the first looks at one that does not; doubled each time. */
  readonly firstProbeAgainMs: number
  readonly longestProbeAgainMs: number
  /** Of one answer. */
  readonly answerMs: number
  /** How long somebody who needs the server waits for it. */
  readonly waitMs: number
}

export const usualPatience: RemotePatience = {
  probeIntervalMs: 15_000,
  firstProbeAgainMs: 1_000,
  longestProbeAgainMs: 30_000,
  answerMs: 10_000,
  waitMs: 30_000
}

export interface RemoteServerOptions {
  readonly settings: OpenHandsSettings
  /** Where the key is looked up. */
  readonly environment: Environment
  /** For tests; {@link usualPatience} otherwise. */
  readonly patience?: Partial<RemotePatience>
}

/** One silence of a server that worked may be an accident; two are told. */
const toldFailures = 2

const keyOf = Effect.fnUntraced(function* (
  name: string | null,
  environment: Environment
): Effect.fn.Return<Redacted.Redacted | null, RuntimeError> {
  if (name === null) return null
  const value = lookUp(environment, name)?.trim()
  if (value === undefined) {
    const message = `openhands.transport.session_api_key_env names ${name}, which is not set; set it before starting`
    return yield* new RuntimeError({ message, unavailable: true })
  }
  // Headers take nothing else, and the platform's complaint would quote it.
  if (/^[\x21-\x7e]+$/.test(value)) return Redacted.make(value, { label: name })
  const message = `the session key in ${name} has characters that no header can carry; check how it was set`
  return yield* new RuntimeError({ message, unavailable: true })
})

/** The endpoint that the settings name. */
export const endpointOf = ({ environment, settings }: RemoteServerOptions): Effect.Effect<Endpoint, RuntimeError> =>
  Effect.map(keyOf(settings.transport.sessionKeyEnv, environment), (sessionKey) => ({
    baseUrl: settings.transport.baseUrl,
    sessionKey,
    authMode: settings.websocket.authMode === "query_param" ? "query_param" : "header",
    queryParamName: settings.websocket.queryParamName
  }))

/** Watches the server. Fails at once only when its key is missing. */
export const make = Effect.fnUntraced(function* (
  options: RemoteServerOptions
): Effect.fn.Return<AgentServerService, RuntimeError, Scope.Scope> {
  const patience: RemotePatience = { ...usualPatience, ...options.patience }
  const endpoint = yield* endpointOf(options)
  const what = `the OpenHands agent-server at ${endpoint.baseUrl}`
  const state = yield* ServerState.make(`${what} has not answered yet`, patience.waitMs)
  const wake = yield* Queue.sliding<void>(1)
  const { sessionKeyEnv } = options.settings.transport

  const remedyOf = (answer: ServerProbe.Answer): string => {
    if (answer._tag !== "Answered") return "check that it runs and that openhands.transport.base_url names it"
    const isRefusal = answer.status === 401 || answer.status === 403
    if (!isRefusal) return "look at its log"
    return sessionKeyEnv === null
      ? "name the variable with its key in openhands.transport.session_api_key_env"
      : `check the key in ${sessionKeyEnv}`
  }

  const watch = Effect.gen(function* () {
    let failures = 0
    let isUp = false
    let pauseMs = patience.firstProbeAgainMs
    while (true) {
      const answer = yield* ServerProbe.askForConversations(endpoint, patience.answerMs)
      const problem = ServerProbe.problemOf(answer)
      if (problem === null) {
        if (!isUp) yield* Effect.logInfo(`${what} answers`)
        isUp = true
        failures = 0
        pauseMs = patience.firstProbeAgainMs
        yield* state.up(endpoint)
        yield* Effect.timeoutOption(Queue.take(wake), patience.probeIntervalMs)
        continue
      }
      failures++
      if (!isUp || failures >= toldFailures) {
        const reason = `${what} does not answer: ${problem}; ${remedyOf(answer)}`
        if (isUp || failures === 1) yield* Effect.logWarning(reason)
        isUp = false
        yield* state.down(reason)
      }
      yield* Effect.sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, patience.longestProbeAgainMs)
    }
  })
  yield* Effect.forkScoped(watch)
  return {
    endpoint: state.endpoint,
    health: state.health,
    reportUnreachable: Effect.asVoid(Queue.offer(wake, undefined))
  }
})

/** The server that `options.settings` name, which must not be a managed one. */
export const layer = (options: RemoteServerOptions): Layer.Layer<AgentServer, RuntimeError> =>
  Layer.effect(AgentServer, make(options))
