/** Reads the body that starts a conversation, and refuses what the agent-server refuses, in its words. */
import { createHash, randomUUID } from "node:crypto"
import { resolve } from "node:path"
import { asRecord } from "../LocalServer.ts"
import type { BaseState } from "./ConversationRecord.ts"
import type { Features } from "./ServerVersion.ts"

/** One problem of a request, as a 422 lists it. */
export interface Problem {
  readonly type: string
  readonly loc: ReadonlyArray<string | number>
  readonly msg: string
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** The dashed form of an id; `undefined` when it is none. */
export const conversationId = (text: string): string | undefined => {
  if (!UUID.test(text)) return undefined
  const hex = text.replaceAll("-", "").toLowerCase()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}

/** A key as it is kept: never the key itself. */
export const digestOf = (key: unknown): string | null =>
  typeof key === "string" && key !== "" && key !== "**********" ? createHash("sha256").update(key).digest("hex") : null

/** What is wrong with tags. */
export const tagProblems = (tags: unknown, loc: ReadonlyArray<string>): ReadonlyArray<Problem> => {
  if (tags === undefined || tags === null) return []
  return Object.entries(asRecord(tags)).flatMap(([key, value]) => {
    if (!/^[a-z0-9]+$/.test(key)) {
      return [valueError(loc, `Tag key '${key}' is invalid: keys must be lowercase alphanumeric only`)]
    }
    if (typeof value !== "string")
      return [{ type: "string_type", loc: [...loc, key], msg: "Input should be a valid string" }]
    if (value.length > 256) return [valueError(loc, `Tag value for '${key}' exceeds maximum length of 256 characters`)]
    return []
  })
}

const valueError = (loc: ReadonlyArray<string>, message: string): Problem => ({
  type: "value_error",
  loc,
  msg: `Value error, ${message}`
})

const missing = (loc: ReadonlyArray<string>): Problem => ({ type: "missing", loc, msg: "Field required" })

/** The fields of one MCP server that have to be there in the flat form. */
const MCP_FIELDS = new Set([
  "url",
  "transport",
  "headers",
  "auth",
  "command",
  "args",
  "env",
  "cwd",
  "timeout",
  "enabled"
])

/** What is wrong with an agent's MCP servers. Before 1.31.2 they come wrapped, from then on as a flat map. */
const mcpProblems = (config: unknown, flat: boolean): ReadonlyArray<Problem> => {
  if (config === undefined || config === null) return []
  const loc = ["body", "agent", "mcp_config"]
  const entries = Object.entries(asRecord(config))
  if (!flat) {
    const wrapped = entries.length === 0 || "mcpServers" in asRecord(config)
    return wrapped ? [] : [valueError(loc, "No MCP servers defined in the config")]
  }
  return entries.flatMap(([name, server]) => {
    const fields = Object.keys(asRecord(server))
    const extra = fields.filter((field) => !MCP_FIELDS.has(field))
    if (extra.length > 0) {
      return extra.map((field) => ({
        type: "extra_forbidden",
        loc: [...loc, name, field],
        msg: "Extra inputs are not permitted"
      }))
    }
    return fields.includes("command") || fields.includes("url") ? [] : [missing([...loc, name, "command"])]
  })
}

/** What is wrong with an LLM. */
export const llmProblems = (llm: unknown, loc: ReadonlyArray<string>): ReadonlyArray<Problem> =>
  typeof asRecord(llm)["model"] === "string" ? [] : [missing([...loc, "model"])]

/** What is wrong with the body. */
export const problemsOf = (body: Readonly<Record<string, unknown>>, features: Features): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const workspace = asRecord(body["workspace"])
  if (body["workspace"] === undefined) problems.push(missing(["body", "workspace"]))
  else if (typeof workspace["working_dir"] !== "string") problems.push(missing(["body", "workspace", "working_dir"]))
  const id = body["conversation_id"]
  if (id !== undefined && id !== null && conversationId(String(id)) === undefined) {
    problems.push({ type: "uuid_parsing", loc: ["body", "conversation_id"], msg: "Input should be a valid UUID" })
  }
  const agent = asRecord(body["agent"])
  if (body["agent"] === undefined && body["agent_settings"] === undefined && body["agent_profile_id"] === undefined) {
    problems.push(valueError(["body"], "one of agent, agent_settings and agent_profile_id is required"))
  } else if (body["agent"] !== undefined) {
    const kind = agent["kind"] ?? "Agent"
    if (kind !== "Agent" && kind !== "ACPAgent") {
      const expected = "Expected one of: ['ACPAgent', 'Agent']"
      problems.push(
        valueError(
          ["body", "agent"],
          `Unknown kind '${String(kind)}' for openhands.sdk.agent.base.AgentBase; ${expected}`
        )
      )
    }
    if (kind === "Agent") problems.push(...llmProblems(agent["llm"], ["body", "agent", "llm"]))
    problems.push(...mcpProblems(agent["mcp_config"], features.flatMcp))
  }
  if (features.tags) problems.push(...tagProblems(body["tags"], ["body", "tags"]))
  const iterations = body["max_iterations"]
  if (iterations !== undefined && !(typeof iterations === "number" && iterations >= 1)) {
    problems.push({
      type: "greater_than_equal",
      loc: ["body", "max_iterations"],
      msg: "Input should be greater than or equal to 1"
    })
  }
  return problems
}

/** A conversation as the body asks for it. */
export const baseStateOf = (body: Readonly<Record<string, unknown>>, now: string): BaseState => {
  const agent = asRecord(body["agent"] ?? body["agent_settings"])
  const { api_key, ...llm } = asRecord(agent["llm"])
  const condenser = asRecord(agent["condenser"])
  return {
    id: conversationId(String(body["conversation_id"] ?? "")) ?? randomUUID(),
    workingDir: resolve(String(asRecord(body["workspace"])["working_dir"])),
    maxIterations: typeof body["max_iterations"] === "number" ? body["max_iterations"] : 500,
    stuckDetection: body["stuck_detection"] !== false,
    createdAt: now,
    updatedAt: now,
    status: "idle",
    title: null,
    tags: asRecord(body["tags"]) as Readonly<Record<string, string>>,
    confirmationPolicy:
      body["confirmation_policy"] === undefined ? { kind: "NeverConfirm" } : asRecord(body["confirmation_policy"]),
    agent: {
      tools: [],
      mcp_config: {},
      include_default_tools: ["FinishTool", "ThinkTool"],
      kind: "Agent",
      ...agent,
      llm: { usage_id: "default", ...llm },
      condenser:
        agent["condenser"] === undefined || agent["condenser"] === null
          ? null
          : { ...condenser, llm: withoutKey(asRecord(condenser["llm"])) }
    },
    keyDigest: digestOf(api_key),
    secretNames: Object.keys(asRecord(body["secrets"])),
    lastUserMessageId: null,
    forkedFrom: null,
    metrics: {},
    turn: null
  }
}

/** An LLM as it is shown and kept. */
export const withoutKey = (llm: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  ...llm,
  api_key: null
})
