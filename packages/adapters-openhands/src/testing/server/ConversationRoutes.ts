/** The REST paths below `/api/conversations`: what the agent-server answers, oddities included. */
import { randomUUID } from "node:crypto"
import { asRecord, type LocalRequest, parseJson } from "../LocalServer.ts"
import type { Entry, Conversations } from "./Conversations.ts"
import * as CreateRequest from "./CreateRequest.ts"
import * as EventSearch from "./EventSearch.ts"
import type { Faults } from "./Faults.ts"
import { type Pace, recordTimestamp } from "./Pace.ts"
import * as Reply from "./Reply.ts"
import type { Features } from "./ServerVersion.ts"

/** What the routes stand on. */
export interface RouteEnvironment {
  readonly conversations: Conversations
  readonly features: Features
  readonly faults: Faults
  readonly pace: Pace
  readonly maxConcurrentRuns: number
  readonly usableTools: ReadonlySet<string>
}

const PREFIX = "/api/conversations"

/** The conversation that a path is about. */
export const conversationOf = (path: string): string | undefined => {
  const [first] = path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length + 1).split("/") : []
  return first === undefined ? undefined : CreateRequest.conversationId(first)
}

/** Answers a request; `undefined` when the path is not one of these. */
export const answer = async (
  request: LocalRequest,
  environment: RouteEnvironment
): Promise<Reply.Reply | undefined> => {
  const { path, method } = request
  if (path === PREFIX) {
    if (method === "POST") return create(request, environment)
    return method === "GET" ? batch(request, environment) : undefined
  }
  if (!path.startsWith(`${PREFIX}/`)) return undefined
  const [first = "", ...rest] = path.slice(PREFIX.length + 1).split("/")
  if (first === "search" && method === "GET") return list(request, environment)
  if (first === "count" && method === "GET") {
    return Reply.ok(withStatus(environment.conversations.all(), request.query).length)
  }
  const id = CreateRequest.conversationId(first)
  if (id === undefined) {
    return Reply.invalid([
      { type: "uuid_parsing", loc: ["path", "conversation_id"], msg: "Input should be a valid UUID" }
    ])
  }
  const action = rest.join("/")
  const isShown = `${method} ${action}` === "GET " || !environment.faults.behaves(id, "leaseHeld")
  const entry = isShown ? environment.conversations.get(id) : undefined
  const deletion = request.method === "GET" ? undefined : entry?.deletion
  if (deletion !== undefined) await deletion
  return about({ request, environment, id, entry: deletion === undefined ? entry : undefined, action })
}

interface About {
  readonly request: LocalRequest
  readonly environment: RouteEnvironment
  readonly id: string
  readonly entry: Entry | undefined
  readonly action: string
}

const about = async (what: About): Promise<Reply.Reply | undefined> => {
  const { request, environment, entry, action } = what
  const { features } = environment
  if (action.startsWith("events")) return events(what)
  switch (`${request.method} ${action}`) {
    case "GET ":
      return entry === undefined ? Reply.notFound() : Reply.ok(entry.conversation.info())
    case "DELETE ":
      if (entry === undefined) return Reply.badRequest()
      entry.deletion = remove(entry, environment)
      await entry.deletion
      return Reply.success
    case "PATCH ":
      return patch(what)
    case "POST run":
      if (entry === undefined) return Reply.notFound()
      if (!entry.loop.running() && atCapacity(environment)) {
        return Reply.tooMany("Conversation run limit reached. Retry the request later.")
      }
      return entry.loop.run()
        ? Reply.success
        : Reply.conflict("Conversation already running. Wait for completion or pause first.")
    case "POST pause":
      if (entry === undefined) return Reply.badRequest()
      await entry.loop.pause()
      return Reply.success
    case "POST interrupt":
      if (!features.interrupt) return Reply.notFound()
      if (entry === undefined) return Reply.badRequest()
      await entry.loop.interrupt()
      return Reply.success
    case "GET agent_final_response":
      if (entry === undefined || !features.finalResponse) return Reply.notFound()
      return Reply.ok({ response: finalResponse(entry) })
    case "POST secrets":
      return secrets(what)
    case "POST confirmation_policy":
      if (entry === undefined) return Reply.notFound()
      entry.conversation.record.base.confirmationPolicy = asRecord(bodyOf(request)["policy"])
      entry.conversation.save()
      return Reply.success
    case "POST switch_llm":
      return features.switchLlm ? switchLlm(what) : Reply.notFound()
    case "POST condense":
      if (entry === undefined) return Reply.notFound("Conversation not found")
      if (entry.conversation.record.base.agent["condenser"] == null) {
        return Reply.internal("Cannot condense conversation: No condenser configured.", features.errorId)
      }
      entry.loop.condense("Summary of what was done so far.")
      entry.conversation.save()
      return Reply.success
    case "POST fork":
      return features.fork ? fork(what) : Reply.notFound()
    case "GET runtime":
      return entry === undefined
        ? Reply.notFound()
        : Reply.ok({ runtime_status: "available", can_resume: true, runtime_error: null })
    default:
      return undefined
  }
}

/** A deletion waits for the state lock, so it takes as long as the running tool, and nothing hurries it. */
const remove = async (entry: Entry, { conversations }: RouteEnvironment): Promise<void> => {
  await entry.loop.pause()
  await entry.loop.settled()
  conversations.remove(entry)
}

const atCapacity = ({ conversations, features, maxConcurrentRuns }: RouteEnvironment): boolean =>
  features.runLimit && conversations.all().filter(({ loop }) => loop.running()).length >= maxConcurrentRuns

const bodyOf = (request: LocalRequest) => asRecord(parseJson(request.body))

const withStatus = (entries: ReadonlyArray<Entry>, query: URLSearchParams): ReadonlyArray<Entry> => {
  const status = query.get("status")
  return status === null ? entries : entries.filter(({ conversation }) => conversation.record.base.status === status)
}

const create = async (request: LocalRequest, environment: RouteEnvironment): Promise<Reply.Reply> => {
  const body = bodyOf(request)
  const problems = CreateRequest.problemsOf(body, environment.features)
  if (problems.length > 0) return Reply.invalid(problems)
  const wanted = CreateRequest.conversationId(String(body["conversation_id"] ?? ""))
  const existing = wanted === undefined ? undefined : environment.conversations.get(wanted)
  if (existing !== undefined) return Reply.ok(existing.conversation.info())
  if (atCapacity(environment)) return Reply.tooMany("Conversation run limit reached. Retry the request later.")
  const base = CreateRequest.baseStateOf(body, recordTimestamp(environment.pace.now()))
  const entry = await environment.conversations.create(base)
  const info = entry.conversation.info()
  const first = asRecord(body["initial_message"])["content"]
  if (Array.isArray(first)) {
    await entry.loop.send(first)
    entry.loop.run()
  }
  return { status: 201, body: info }
}

const batch = (request: LocalRequest, { conversations }: RouteEnvironment): Reply.Reply => {
  const ids = request.query.getAll("ids")
  if (ids.length === 0) return Reply.invalid([{ type: "missing", loc: ["query", "ids"], msg: "Field required" }])
  return Reply.ok(
    ids.map((text) => conversations.get(CreateRequest.conversationId(text) ?? "")?.conversation.info() ?? null)
  )
}

const list = (request: LocalRequest, { conversations, features }: RouteEnvironment): Reply.Reply => {
  const { query } = request
  const problem = Reply.limitProblem(query.get("limit"), features.limitChecked, features.errorId)
  if (problem !== undefined) return problem
  const order = query.get("sort_order") ?? "CREATED_AT_DESC"
  const field = order.startsWith("UPDATED") ? "updatedAt" : "createdAt"
  const sorted = [...withStatus(conversations.all(), query)].sort((left, right) =>
    left.conversation.record.base[field].localeCompare(right.conversation.record.base[field])
  )
  if (order.endsWith("_DESC")) sorted.reverse()
  const hex = ({ conversation }: Entry) => conversation.id.replaceAll("-", "")
  const start = Math.max(
    0,
    sorted.findIndex((entry) => hex(entry) === query.get("page_id"))
  )
  const limit = Number(query.get("limit") ?? 100)
  const next = sorted[start + limit]
  return Reply.ok({
    items: sorted.slice(start, start + limit).map(({ conversation }) => conversation.info()),
    next_page_id: next === undefined ? null : hex(next)
  })
}

const patch = ({ request, entry }: About): Reply.Reply => {
  const body = bodyOf(request)
  const problems = CreateRequest.tagProblems(body["tags"], ["body", "tags"])
  if (problems.length > 0) return Reply.invalid(problems)
  if (entry === undefined) return Reply.ok({ success: false })
  const { base } = entry.conversation.record
  if (typeof body["title"] === "string") base.title = body["title"]
  if (body["tags"] !== undefined) base.tags = asRecord(body["tags"]) as Readonly<Record<string, string>>
  entry.conversation.save()
  return Reply.success
}

const secrets = ({ request, entry }: About): Reply.Reply => {
  if (entry === undefined) return Reply.notFound()
  const { base } = entry.conversation.record
  base.secretNames = [...new Set([...base.secretNames, ...Object.keys(asRecord(bodyOf(request)["secrets"]))])]
  // Kept at once, but readers see it only with the next change of the state.
  entry.conversation.store()
  return Reply.success
}

const switchLlm = ({ request, entry, environment }: About): Reply.Reply => {
  const llm = asRecord(bodyOf(request)["llm"])
  const problems = CreateRequest.llmProblems(llm, ["body", "llm"])
  if (problems.length > 0) return Reply.invalid(problems)
  if (entry === undefined) return Reply.notFound()
  const model = {
    llm: CreateRequest.withoutKey({ usage_id: "default", ...llm }),
    keyDigest: CreateRequest.digestOf(llm["api_key"])
  }
  entry.conversation.switchLlm(model, environment.features.switchReplaces)
  return Reply.success
}

const fork = ({ request, entry, environment }: About): Reply.Reply => {
  if (entry === undefined) return Reply.notFound("Source conversation not found")
  const body = bodyOf(request)
  const wanted = CreateRequest.conversationId(String(body["id"] ?? ""))
  if (wanted !== undefined && environment.conversations.get(wanted) !== undefined) {
    return Reply.conflict(`Conversation ${wanted} already exists`)
  }
  const forked = environment.conversations.fork(entry, {
    id: wanted ?? randomUUID(),
    title: typeof body["title"] === "string" ? body["title"] : null,
    tags: body["tags"] === undefined ? undefined : (asRecord(body["tags"]) as Readonly<Record<string, string>>),
    resetMetrics: body["reset_metrics"] !== false
  })
  return { status: 201, body: forked.conversation.info() }
}

/** A tool that the server does not know only shows when the agent is made, by its first message. */
const unknownTool = ({ conversation }: Entry, { usableTools }: RouteEnvironment): string | undefined => {
  const tools = conversation.record.base.agent["tools"]
  if (!Array.isArray(tools)) return undefined
  return tools.map((tool: unknown) => String(asRecord(tool)["name"])).find((name) => !usableTools.has(name))
}

const ROLES = new Set(["user", "system", "assistant", "tool"])

const events = async ({ request, environment, id, entry, action }: About): Promise<Reply.Reply | undefined> => {
  if (entry === undefined) return Reply.noConversation(id)
  const { features } = environment
  const log = entry.conversation.record.events
  const body = bodyOf(request)
  switch (`${request.method} ${action}`) {
    case "GET events/search": {
      const problem = Reply.limitProblem(request.query.get("limit"), features.limitChecked, features.errorId)
      const limit = Number(request.query.get("limit") ?? 100)
      return problem ?? Reply.ok(EventSearch.search(log, request.query, limit, features.bareKindFilter))
    }
    case "GET events/count":
      return Reply.ok(EventSearch.count(log, request.query, features.bareKindFilter))
    case "POST events": {
      if (request.body === "" || parseJson(request.body) === undefined) {
        return Reply.invalid([{ type: "missing", loc: ["body"], msg: "Field required" }])
      }
      const role = body["role"] ?? "user"
      if (typeof role !== "string" || !ROLES.has(role)) {
        const msg = "Input should be 'user', 'system', 'assistant' or 'tool'"
        return Reply.invalid([{ type: "literal_error", loc: ["body", "role"], msg }])
      }
      const unknown = unknownTool(entry, environment)
      if (unknown !== undefined)
        return Reply.internal(`"ToolDefinition '${unknown}' is not registered"`, features.errorId)
      await entry.loop.send(Array.isArray(body["content"]) ? body["content"] : [])
      if (body["run"] !== true || entry.loop.running()) return Reply.success
      if (atCapacity(environment)) {
        const retry = `Retry POST /api/conversations/${id}/run without resending the message.`
        return Reply.tooMany(`Message saved, but the conversation run limit was reached. ${retry}`)
      }
      entry.loop.run()
      return Reply.success
    }
    case "POST events/respond_to_confirmation":
      await entry.loop.respond(body["accept"] === true, String(body["reason"] ?? "User rejected the action."))
      return Reply.success
    default: {
      const eventId = action.slice("events/".length)
      if (request.method !== "GET" || eventId === "" || eventId.includes("/")) return undefined
      const event = log.find((candidate) => candidate.id === eventId)
      return event === undefined ? Reply.internal(`'Unknown event_id: ${eventId}'`, features.errorId) : Reply.ok(event)
    }
  }
}

const finalResponse = (entry: Entry): string => {
  for (const event of entry.conversation.record.events.toReversed()) {
    const action = asRecord(event["action"])
    if (event.kind === "ActionEvent" && action["kind"] === "FinishAction") return String(action["message"])
    if (event.kind === "MessageEvent" && event.source === "agent") {
      const content = asRecord(event["llm_message"])["content"]
      return Array.isArray(content) ? content.map((part: unknown) => String(asRecord(part)["text"] ?? "")).join("") : ""
    }
  }
  return ""
}
