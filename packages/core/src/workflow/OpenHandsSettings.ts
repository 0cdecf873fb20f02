/**
 * What the `openhands` section of a WORKFLOW.md says, typed and complete. Secrets are in here by the name of their
 * environment variable only; who needs one looks it up. How the section is read is `openhands/OpenHandsSection.ts`'s matter.
 */

/** A value that stands in the file, or the name of the environment variable that holds it. */
export type EnvironmentValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }

export interface EnvironmentValues {
  readonly [name: string]: EnvironmentValue
}

/** Passed on to the server as it stands in the file; the server checks it. */
export interface PlainOptions {
  readonly [name: string]: unknown
}

/** Where the server is. */
export interface TransportSettings {
  /** `http` or `https`, no trailing slash, no credentials, query or fragment; a path is allowed for remote servers. */
  readonly baseUrl: string
  /** The port in `baseUrl` as the workflow wrote it, null when it named none. */
  readonly port: number | null
  /** Name of the variable with the server's session key; null: the server has none, or is started by us. */
  readonly sessionKeyEnv: string | null
}

/** The server that this program starts. */
export interface LocalServerSettings {
  /**
   * Whether a server is started at all: wanted by the workflow, and `transport` describes one of this machine (loopback,
   * `http`, no session key of its own).
   */
  readonly managed: boolean
  /** Program and arguments in place of the installed server; null: the installed one. `--host` and `--port` follow. */
  readonly command: ReadonlyArray<string> | null
  /** Added to the server's environment, and so to that of the agents' terminals. */
  readonly env: EnvironmentValues
  readonly startupTimeoutMs: number
  /** Answers 2xx once the server takes work; begins with `/`. */
  readonly readinessProbePath: string
}

export const reusePolicies = ["per_issue", "fresh_each_run"] as const
export type ReusePolicy = (typeof reusePolicies)[number]

export interface LlmSettings {
  /** As litellm names it: `openai/gpt-5.4`. */
  readonly model: string
  /** Null: the model needs no key. */
  readonly apiKeyEnv: string | null
  /** Null: the provider's own address. */
  readonly baseUrlEnv: string | null
  /** Other secrets of the `llm` object by its field, such as `aws_secret_access_key`; the values are variable names. */
  readonly secretEnvs: { readonly [field: string]: string }
  /** Other fields of the server's `llm` object. */
  readonly options: PlainOptions
}

export interface CondenserSettings {
  /** Events after which the history is condensed. */
  readonly maxSize: number
  /** Events at the beginning that are never condensed. */
  readonly keepFirst: number
  /** Tokens after which the history is condensed; null: only `maxSize` counts. */
  readonly maxTokens: number | null
}

export interface ToolSettings {
  readonly name: string
  readonly params: PlainOptions
}

export interface OpenHandsAgentSettings {
  /** `Agent`, or another kind that the server knows, such as `ACPAgent`. */
  readonly kind: string
  readonly llm: LlmSettings
  /** Null: histories are never condensed. */
  readonly condenser: CondenserSettings | null
  readonly tools: ReadonlyArray<ToolSettings>
  /** Null: the server's own. */
  readonly includeDefaultTools: ReadonlyArray<string> | null
  /** Other fields of the server's `agent` object. */
  readonly options: PlainOptions
}

export interface ConversationSettings {
  readonly reusePolicy: ReusePolicy
  /** Inside the workspace, normalised. Of no effect: the server keeps conversations in its own directory. */
  readonly persistenceDirRelative: string
  /** Agent steps per turn. */
  readonly maxIterations: number
  readonly stuckDetection: boolean
  readonly confirmationPolicy: { readonly kind: string; readonly options: PlainOptions }
  readonly agent: OpenHandsAgentSettings
}

export const authModes = ["auto", "header", "query_param"] as const
/** How the socket authenticates; REST always sends a header. `auto`: the header. */
export type AuthMode = (typeof authModes)[number]

export interface WebSocketSettings {
  /** False: events are polled over REST only. */
  readonly enabled: boolean
  readonly readyTimeoutMs: number
  readonly reconnectInitialMs: number
  readonly reconnectMaxMs: number
  readonly authMode: AuthMode
  readonly queryParamName: string
}

export type McpServerSettings =
  | {
      readonly kind: "stdio"
      readonly name: string
      readonly command: string
      readonly args: ReadonlyArray<string>
      readonly env: EnvironmentValues
      /** Null: the conversation's workspace, as the server chooses. */
      readonly cwd: string | null
    }
  | {
      readonly kind: "remote"
      readonly name: string
      readonly url: string
      readonly transport: "http" | "sse"
      readonly headers: EnvironmentValues
      /** Name of the variable whose value is sent as `Authorization: Bearer`. */
      readonly bearerTokenEnv: string | null
    }

export interface OpenHandsSettings {
  readonly transport: TransportSettings
  readonly localServer: LocalServerSettings
  readonly conversation: ConversationSettings
  readonly websocket: WebSocketSettings
  readonly mcp: { readonly servers: ReadonlyArray<McpServerSettings> }
}

const variablesIn = (values: EnvironmentValues): ReadonlyArray<string> =>
  Object.values(values).flatMap((value) => (value.kind === "variable" ? [value.name] : []))

const variablesOfServer = (server: McpServerSettings): ReadonlyArray<string> => {
  if (server.kind === "stdio") return variablesIn(server.env)
  const bearer = server.bearerTokenEnv === null ? [] : [server.bearerTokenEnv]
  return [...variablesIn(server.headers), ...bearer]
}

/** The names of all variables that these settings hand on; nobody may read their values anywhere. */
export const variablesOf = ({
  conversation,
  localServer,
  mcp,
  transport
}: OpenHandsSettings): ReadonlyArray<string> => {
  const { apiKeyEnv, secretEnvs } = conversation.agent.llm
  const named = [transport.sessionKeyEnv, apiKeyEnv].filter((name) => name !== null)
  return [
    ...new Set([
      ...named,
      ...Object.values(secretEnvs),
      ...variablesIn(localServer.env),
      ...mcp.servers.flatMap(variablesOfServer)
    ])
  ]
}
