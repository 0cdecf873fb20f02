/** `openhands.mcp`: MCP servers that every conversation gets, beside the tools that this program serves to a run. */
import { describe, entryOf, type ConfigNode } from "../ConfigNode.ts"
import type { McpServerSettings } from "../OpenHandsSettings.ts"
import * as Section from "../Section.ts"
import * as ValueReader from "../ValueReader.ts"
import type { ReadContext } from "../ValueReader.ts"
import * as OptionReader from "./OptionReader.ts"

const serverName = /^[A-Za-z0-9_-]{1,64}$/
const variables = OptionReader.environmentValues(/^[A-Za-z_][A-Za-z0-9_]*$/, "name of an environment variable")
const headers = OptionReader.environmentValues(/^[!#$%&'*+.^_`|~A-Za-z0-9-]+$/, "name of a header")

const stdioFields = {
  command: Section.optional(ValueReader.referableText),
  args: Section.withDefault(ValueReader.listOf(ValueReader.text, "[--flag, value]"), []),
  env: Section.withDefault(variables, {}),
  cwd: Section.optional(ValueReader.text)
}

const remoteFields = {
  url: Section.optional(ValueReader.webAddress),
  transport: Section.withDefault(ValueReader.oneOf(["http", "sse"]), "http"),
  headers: Section.withDefault(headers, {}),
  bearer_token_env: Section.withDefault(OptionReader.secretName, null)
}

const readStdio = (name: string, section: Section.Section, context: ReadContext): McpServerSettings | null => {
  const { args, command, cwd, env } = Section.readSection(section, stdioFields, context)
  return command === null ? null : { kind: "stdio", name, command, args, env, cwd }
}

const readRemote = (name: string, section: Section.Section, context: ReadContext): McpServerSettings | null => {
  const values = Section.readSection(section, remoteFields, context)
  const { bearer_token_env: bearerTokenEnv, headers: given, transport, url } = values
  const authorization = Object.keys(given).find((header) => header.toLowerCase() === "authorization")
  if (bearerTokenEnv !== null && authorization !== undefined) {
    const key = Section.keyOf(section, "bearer_token_env")
    const position = entryOf(section.map, "bearer_token_env")?.keyPosition ?? section.position
    context.problems.error(position, key, "is given beside a header Authorization; keep one")
  }
  return url === null ? null : { kind: "remote", name, url, transport, headers: given, bearerTokenEnv }
}

/** One entry of `servers`: `command` or `url` says which sort it is. */
const readServer = (name: string, section: Section.Section, context: ReadContext): McpServerSettings | null => {
  const hasCommand = entryOf(section.map, "command") !== null
  const hasUrl = entryOf(section.map, "url") !== null
  if (hasCommand !== hasUrl) return hasCommand ? readStdio(name, section, context) : readRemote(name, section, context)
  const problem = hasUrl ? "has both a command and a url; keep one" : "has neither command nor url; add one"
  context.problems.error(section.position, section.name, problem)
  return null
}

const sectionOf = (node: ConfigNode, name: string, context: ReadContext): Section.Section | null => {
  if (node._tag === "Map") return { name, position: node.position, map: node }
  context.problems.error(node.position, name, `must be a map, but is ${describe(node)}; put its keys on lines below it`)
  return null
}

interface Named {
  readonly name: string
  readonly key: string
  readonly position: ConfigNode["position"]
  readonly server: McpServerSettings | null
}

const readServers = (mcp: Section.Section, context: ReadContext): ReadonlyArray<Named> => {
  const servers = Section.sectionOf(mcp, "servers", context)
  return [...servers.map.entries].map(([name, { keyPosition, value }]) => {
    const key = Section.keyOf(servers, name)
    const section = sectionOf(value, key, context)
    return { name, key, position: keyPosition, server: section && readServer(name, section, context) }
  })
}

const listFields = {
  name: Section.optional(ValueReader.text),
  command: Section.optional(ValueReader.listOf(ValueReader.text, "[program, --flag]")),
  env: Section.withDefault(variables, {})
}

/** `stdio_servers`, the list that the Rust program reads. */
const readList = (mcp: Section.Section, context: ReadContext): ReadonlyArray<Named> => {
  const entry = entryOf(mcp.map, "stdio_servers")
  if (entry === null) return []
  const listKey = Section.keyOf(mcp, "stdio_servers")
  if (entry.value._tag !== "List") {
    const remedy = "write it as [{name: x, command: [program, --flag]}], or use openhands.mcp.servers"
    context.problems.error(entry.value.position, listKey, `must be a list, but is ${describe(entry.value)}; ${remedy}`)
    return []
  }
  return entry.value.items.flatMap((node, index): ReadonlyArray<Named> => {
    const section = sectionOf(node, `${listKey}[${index}]`, context)
    if (section === null) return []
    const values = Section.readSection(section, listFields, context)
    const name = values.name?.trim() ?? ""
    const [command, ...args] = values.command ?? []
    for (const field of ["name", "command"] as const) {
      const isEmpty = field === "command" && values.command?.length === 0
      if (!isEmpty && entryOf(section.map, field) !== null) continue
      const message = `is ${isEmpty ? "empty" : "missing"}; write ${field === "name" ? "a name" : "[program, --flag]"}`
      context.problems.error(section.position, Section.keyOf(section, field), message)
    }
    if (values.name === null || command === undefined) return []
    const server = { kind: "stdio", name, command, args, env: values.env, cwd: null } as const
    return [{ name, key: Section.keyOf(section, "name"), position: section.position, server }]
  })
}

export const read = (
  openhands: Section.Section,
  context: ReadContext
): { readonly servers: ReadonlyArray<McpServerSettings> } => {
  const section = Section.sectionOf(openhands, "mcp", context)
  Section.reportUnknownKeys(section, ["servers", "stdio_servers"], [], context)
  const all = [...readServers(section, context), ...readList(section, context)]
  const seen = new Set<string>()
  for (const { key, name, position } of all) {
    if (!serverName.test(name)) {
      context.problems.error(position, key, "is no name for a server; use up to 64 letters, digits, _ and -")
    } else if (seen.has(name)) {
      context.problems.error(position, key, "is the name of another server too; give each its own")
    }
    seen.add(name)
  }
  return { servers: all.flatMap(({ server }) => (server === null ? [] : [server])) }
}
