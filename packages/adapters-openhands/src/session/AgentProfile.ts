/**
 * The agent that the workflow asks for, as the server wants it: model, key, tools, condenser, MCP servers. And its
 * fingerprints, by which a conversation that was made with another profile is noticed. Secrets are looked up here and
 * go nowhere but into requests; a fingerprint is salted with the conversation's id, so it tells nothing about a key.
 */
import * as Sha256 from "@opensymphony/adapters-fs/workspace/Sha256"
import type { ToolServer } from "@opensymphony/core/ports/AgentTools"
import type {
  EnvironmentValue,
  EnvironmentValues,
  McpServerSettings,
  OpenHandsSettings
} from "@opensymphony/core/workflow/OpenHandsSettings"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/** The workflow names a variable that is not there. */
export class OpenHandsConfigurationError extends Data.TaggedError("OpenHandsConfigurationError")<{
  readonly message: string
}> {}

type Json = { readonly [key: string]: unknown }

export interface AgentProfile {
  /** Whether the model of an existing conversation can be switched. */
  readonly canSwitch: boolean
  /** The server's `llm` object. Holds the key. */
  readonly llm: Json
  /** The fields of the create request that describe the agent and its limits. Holds secrets. */
  readonly request: (place: Place) => Json
  /** Of model and key, and of everything else that a conversation keeps: where it works, too. */
  readonly fingerprints: (place: Place) => Effect.Effect<Fingerprints>
}

/** Where an agent is put. */
export interface Place {
  readonly conversation: string
  /** Absolute path on the server's machine. */
  readonly workspace: string
  readonly tools: ReadonlyArray<ToolServer>
}

export interface Fingerprints {
  readonly llm: string
  readonly agent: string
}

/** Names the conversation to whatever its terminal starts, so that a stop finds what an interrupt left. */
export const terminalMark = "OPENSYMPHONY_CONVERSATION"

const fingerprintLength = 32

/** The same text for the same data, whatever the order of its keys. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return entries.map(([key, item]) => [key, canonical(item)])
}

const fingerprint = (salt: string, value: unknown): Effect.Effect<string> =>
  Effect.map(Sha256.hex(JSON.stringify([salt, canonical(value)])), (digest) => digest.slice(0, fingerprintLength))

type LookUp = (name: string, key: string) => string

const valueOf = (lookUp: LookUp, key: string, value: EnvironmentValue): string =>
  value.kind === "text" ? value.text : lookUp(value.name, key)

const valuesOf = (lookUp: LookUp, key: string, values: EnvironmentValues): Json =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, valueOf(lookUp, `${key}.${name}`, value)]))

const mcpServer = (lookUp: LookUp, server: McpServerSettings): Json => {
  const key = `openhands.mcp.${server.name}`
  if (server.kind === "stdio") {
    const env = valuesOf(lookUp, `${key}.env`, server.env)
    return {
      command: server.command,
      args: server.args,
      ...(Object.keys(env).length === 0 ? {} : { env }),
      ...(server.cwd === null ? {} : { cwd: server.cwd })
    }
  }
  const bearer = server.bearerTokenEnv === null ? {} : { Authorization: `Bearer ${lookUp(server.bearerTokenEnv, key)}` }
  const headers = { ...valuesOf(lookUp, `${key}.headers`, server.headers), ...bearer }
  return {
    url: server.url,
    transport: server.transport,
    ...(Object.keys(headers).length === 0 ? {} : { headers })
  }
}

/** A run's own tools: the bridge where the conversation may outlive the run, since a token does not. */
const runTool = (server: ToolServer, place: Place, outlives: boolean): Json | null => {
  if (server.bridge !== null) {
    return { command: server.bridge.command, args: server.bridge.args, cwd: place.workspace }
  }
  if (outlives) return null
  return { url: server.url, transport: "http", headers: { Authorization: `Bearer ${Redacted.value(server.token)}` } }
}

/** The names of the run's tools that a conversation of this reuse policy cannot be given. */
export const toolsLeftOut = (settings: OpenHandsSettings, tools: ReadonlyArray<ToolServer>): ReadonlyArray<string> =>
  settings.conversation.reusePolicy === "fresh_each_run"
    ? []
    : tools.filter(({ bridge }) => bridge === null).map(({ name }) => name)

const build = (settings: OpenHandsSettings, lookUp: LookUp): AgentProfile => {
  const { agent, confirmationPolicy, maxIterations, reusePolicy, stuckDetection } = settings.conversation
  const key = "openhands.conversation.agent.llm"
  const secrets = Object.entries(agent.llm.secretEnvs).map(([field, name]) => [field, lookUp(name, `${key}.${field}`)])
  const llm: Json = {
    ...agent.llm.options,
    ...Object.fromEntries(secrets),
    model: agent.llm.model,
    ...(agent.llm.apiKeyEnv === null ? {} : { api_key: lookUp(agent.llm.apiKeyEnv, `${key}.api_key_env`) }),
    ...(agent.llm.baseUrlEnv === null ? {} : { base_url: lookUp(agent.llm.baseUrlEnv, `${key}.base_url_env`) }),
    usage_id: "agent"
  }
  const mcp = Object.fromEntries(settings.mcp.servers.map((server) => [server.name, mcpServer(lookUp, server)]))
  const canSwitch = agent.kind === "Agent"

  const condenser =
    agent.condenser === null
      ? null
      : {
          kind: "LLMSummarizingCondenser",
          max_size: agent.condenser.maxSize,
          keep_first: agent.condenser.keepFirst,
          ...(agent.condenser.maxTokens === null ? {} : { max_tokens: agent.condenser.maxTokens })
        }

  const limits = {
    max_iterations: maxIterations,
    stuck_detection: stuckDetection,
    confirmation_policy: { ...confirmationPolicy.options, kind: confirmationPolicy.kind }
  }

  const agentWithout = (place: Place): Json => {
    const own = place.tools.flatMap((server) => {
      const tool = runTool(server, place, reusePolicy !== "fresh_each_run")
      return tool === null ? [] : [[server.name, tool]]
    })
    const servers = { ...mcp, ...Object.fromEntries(own) }
    return {
      ...agent.options,
      kind: agent.kind,
      ...(canSwitch ? { tools: agent.tools.map(({ name, params }) => ({ name, params })) } : {}),
      ...(agent.includeDefaultTools === null ? {} : { include_default_tools: agent.includeDefaultTools }),
      ...(Object.keys(servers).length === 0 ? {} : { mcp_config: servers })
    }
  }

  /** Every command of the terminal carries the mark. */
  const marked = (place: Place) =>
    agent.tools.map(({ name, params }) => {
      if (name !== "terminal") return { name, params }
      const given = params["env"]
      const env = typeof given === "object" && given !== null ? given : {}
      return { name, params: { ...params, env: { ...env, [terminalMark]: place.conversation } } }
    })

  return {
    canSwitch,
    llm,
    request: (place) => ({
      ...limits,
      agent: canSwitch
        ? {
            ...agentWithout(place),
            tools: marked(place),
            llm,
            condenser: condenser === null ? null : { ...condenser, llm: { ...llm, usage_id: "condenser" } }
          }
        : agentWithout(place)
    }),
    fingerprints: (place) =>
      Effect.all({
        llm: fingerprint(`${place.conversation} llm`, llm),
        agent: fingerprint(`${place.conversation} agent`, [place.workspace, limits, agentWithout(place), condenser])
      })
  }
}

/** Looks up every variable that the settings name. */
export const resolve = (
  settings: OpenHandsSettings,
  environment: { readonly [name: string]: string }
): Effect.Effect<AgentProfile, OpenHandsConfigurationError> => {
  const missing: Array<string> = []
  const lookUp: LookUp = (name, key) => {
    const value = Object.hasOwn(environment, name) ? (environment[name] ?? "") : ""
    if (value.trim() === "") missing.push(`${key} names ${name}, which is not set`)
    return value.trim()
  }
  const profile = build(settings, lookUp)
  if (missing.length === 0) return Effect.succeed(profile)
  return Effect.fail(
    new OpenHandsConfigurationError({ message: `${missing.join("; ")}: set it in the environment of this program` })
  )
}
