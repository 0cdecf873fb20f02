/**
 * The runtime on the OpenHands agent-server: a conversation per issue, or per run. Where the server is, and that it runs,
 * is `AgentServer`'s matter; this layer speaks to it.
 */
import { AgentRuntime, type OpenSession, RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as AgentServerApi from "./client/AgentServerApi.ts"
import { toRuntimeError } from "./client/ApiError.ts"
import * as Connection from "./client/Connection.ts"
import { patiently } from "./client/Patience.ts"
import * as ServerVersion from "./client/ServerVersion.ts"
import { AgentServer } from "./server/AgentServer.ts"
import * as AgentProfile from "./session/AgentProfile.ts"
import * as CountedUsage from "./session/CountedUsage.ts"
import * as OpenHandsSession from "./session/OpenHandsSession.ts"
import * as Timing from "./session/Timing.ts"

export { OpenHandsConfigurationError } from "./session/AgentProfile.ts"

export interface OpenHandsRuntimeOptions {
  /** The `openhands` section of the workflow. */
  readonly settings: OpenHandsSettings
  /** Where the variables are looked up that the settings name. */
  readonly environment: { readonly [name: string]: string }
  /** `agent.stop_timeout_ms`: from the order to stop until it counts as unconfirmed. */
  readonly stopTimeoutMs: number
  /** Takes every known secret out of a text that will be shown. */
  readonly redact: (text: string) => string
  /** For tests. */
  readonly timing?: Partial<Timing.Timing>
}

const make = Effect.fnUntraced(function* (options: OpenHandsRuntimeOptions) {
  const { redact, settings, stopTimeoutMs } = options
  const server = yield* AgentServer
  const client = yield* HttpClient.HttpClient
  const profile = yield* AgentProfile.resolve(settings, options.environment)
  const timing = { ...Timing.defaults, ...options.timing }
  const counted = CountedUsage.make()
  let warnedOf: string | null = null

  const checkVersion = Effect.fnUntraced(function* (api: AgentServerApi.AgentServerApi) {
    const { version } = yield* Effect.mapError(patiently(api.version), (error) => toRuntimeError(error, true))
    const judgement = ServerVersion.judge(version)
    if (judgement._tag === "Unsupported") {
      return yield* new RuntimeError({ message: judgement.message, unavailable: true })
    }
    if (judgement._tag === "Untested" && warnedOf !== version) {
      warnedOf = version
      yield* Effect.logWarning(judgement.message)
    }
  })

  const openSession = Effect.fnUntraced(function* (request: OpenSession) {
    const connection = Connection.make(server, client, redact)
    const api = AgentServerApi.make(connection)
    yield* checkVersion(api)
    for (const name of AgentProfile.toolsLeftOut(settings, request.tools.servers)) {
      yield* Effect.logWarning(
        `the tools "${name}" are not given to the agent: they have no bridge, and its conversation outlives the run`
      )
    }
    const { reusePolicy } = settings.conversation
    const opening = { api, profile, reusePolicy, stopTimeoutMs, redact, request }
    return yield* OpenHandsSession.make({ opening, connection, counted, settings, timing })
  })

  return AgentRuntime.of({ kind: "openhands", openSession, health: server.health })
})

/**
 * A runtime of kind `openhands`. Fails when the settings name a variable that is not set. The client should not follow
 * proxies to a server on this machine.
 */
export const layer = (
  options: OpenHandsRuntimeOptions
): Layer.Layer<AgentRuntime, AgentProfile.OpenHandsConfigurationError, AgentServer | HttpClient.HttpClient> =>
  Layer.effect(AgentRuntime, make(options))
