/** `openhands.local_server`: whether this program starts the server, and how. */
import { describe, entryOf } from "../ConfigNode.ts"
import type { LocalServerSettings } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import * as ValueReader from "../ValueReader.ts"
import type { ReadContext } from "../ValueReader.ts"
import * as OptionReader from "./OptionReader.ts"
import type { ReadTransport } from "./TransportSection.ts"

/** A cold start imports some hundred megabytes of Python; on a slow disk that takes most of a minute. */
const startupTimeoutMs = 120_000

const commandLine: ValueReader.ValueReader<ReadonlyArray<string>> = (node, key, context) => {
  const parts = ValueReader.names(node, key, context)
  if (parts === undefined || parts.length > 0) return parts
  context.problems.error(node.position, key, "is empty; name a program, or remove the line for the installed server")
  return undefined
}

const probePath: ValueReader.ValueReader<string> = (node, key, context) => {
  const value = ValueReader.text(node, key, context)?.trim()
  if (value === undefined || /^\/[^\s?#]*$/.test(value)) return value
  context.problems.error(
    node.position,
    key,
    `must be a path that begins with /, but is ${describe(node)}; write /ready`
  )
  return undefined
}

/** What the supervisor sets itself; another value would cut it off from its server. */
const reserved =
  /^(?:OH_SESSION_API_KEYS.*|SESSION_API_KEY|OH_SECRET_KEY|OH_INTERNAL_SERVER_URL|OPENHANDS_AGENT_SERVER_CONFIG_PATH|TZ)$/

const serverEnvironment: ValueReader.ValueReader<LocalServerSettings["env"]> = (node, key, context) => {
  const values = OptionReader.environmentValues(/^[A-Za-z_][A-Za-z0-9_]*$/, "name of an environment variable")(
    node,
    key,
    context
  )
  const taken = node._tag === "Map" ? [...node.entries].filter(([name]) => reserved.test(name)) : []
  for (const [name, { keyPosition }] of taken) {
    context.problems.error(keyPosition, `${key}.${name}`, "is set by opensymphony for its own server; remove the line")
  }
  return taken.length === 0 ? values : undefined
}

const fields = {
  enabled: Section.withDefault(ValueReader.flag, true),
  command: Section.optional(commandLine),
  env: Section.withDefault(serverEnvironment, {}),
  startup_timeout_ms: Section.withDefault(ValueReader.positiveInteger, startupTimeoutMs),
  readiness_probe_path: Section.withDefault(probePath, "/ready")
}

/** Why `transport` describes no server that could be started here; null when it does. */
const whyExternal = ({ baseUrl, hasKey }: ReadTransport): string | null => {
  if (baseUrl !== null && !baseUrl.isLoopback) return "openhands.transport.base_url names another machine"
  if (baseUrl !== null && baseUrl.scheme === "https") return "openhands.transport.base_url is https"
  if (hasKey) return "openhands.transport.session_api_key_env belongs to a server that runs already"
  return null
}

export const read = (
  openhands: Section.Section,
  transport: ReadTransport,
  context: ReadContext
): LocalServerSettings => {
  const section = Section.sectionOf(openhands, "local_server", context)
  const values = Section.readSection(section, fields, context)
  const external = whyExternal(transport)
  const command = entryOf(section.map, "command")
  const enabled = entryOf(section.map, "enabled")
  if (command !== null && (external !== null || !values.enabled)) {
    const reason = external ?? "openhands.local_server.enabled is false"
    const message = `is of no use, because no server is started: ${reason}; remove one of the two`
    context.problems.error(command.keyPosition, Section.keyOf(section, "command"), message)
  }
  if (enabled !== null && values.enabled && external !== null) {
    const message = `has no effect, because ${external}; remove one of the two`
    context.problems.warning(enabled.keyPosition, Section.keyOf(section, "enabled"), message)
  }
  return {
    managed: values.enabled && external === null,
    command: values.command,
    env: values.env,
    startupTimeoutMs: values.startup_timeout_ms,
    readinessProbePath: values.readiness_probe_path
  }
}
