/**
 * The calls of the agent-server's REST interface that this adapter makes (verified on 1.40.0 and 1.57.0). Each is one
 * request; what a lost answer means, and what to do next, is the caller's matter.
 */
import * as Effect from "effect/Effect"
import { ApiError } from "./ApiError.ts"
import type { Call, Connection } from "./Connection.ts"
import * as ConversationInfo from "./ConversationInfo.ts"

export interface EventPage {
  /** As the server sent them, undecoded. */
  readonly items: ReadonlyArray<unknown>
  /** The first event of the next page; null on the last one. */
  readonly nextPageId: string | null
}

type Answer<A> = Effect.Effect<A, ApiError>

export interface AgentServerApi {
  /** The version that the server names; empty when it names none. */
  readonly version: Answer<{ readonly version: string; readonly uptimeSeconds: number | null }>
  /** The cheapest question to the part of the server that all conversations need. */
  readonly count: Answer<void>
  /** Idempotent by the conversation's id: an existing one is answered as it is, whatever the body says. */
  readonly create: (body: { readonly [key: string]: unknown }) => Answer<ConversationInfo.ConversationInfo>
  readonly get: (id: string) => Answer<ConversationInfo.ConversationInfo>
  /** Appends a user message and starts nothing. Not idempotent: read back before it is sent again. */
  readonly postMessage: (id: string, text: string) => Answer<void>
  readonly run: (id: string) => Answer<void>
  readonly interrupt: (id: string) => Answer<void>
  readonly pause: (id: string) => Answer<void>
  readonly rejectActions: (id: string, reason: string) => Answer<void>
  readonly condense: (id: string) => Answer<void>
  readonly switchLlm: (id: string, llm: unknown) => Answer<void>
  readonly setTags: (id: string, tags: { readonly [key: string]: string }) => Answer<void>
  /** Only for a conversation at rest: on a running one the server waits for its tool. */
  readonly remove: (id: string) => Answer<void>
  /** What the agent said last; empty when it said nothing. */
  readonly finalResponse: (id: string) => Answer<string>
  /** Newest first; a short first page, then 100 a page. */
  readonly newestEvents: (id: string, pageId: string | null) => Answer<EventPage>
  /** Runs a shell command on the server, outside of any conversation. */
  readonly shell: (command: string, timeoutSeconds: number) => Answer<{ exitCode: number | null; stdout: string }>
}

const quickMs = 15_000
/** The agent is built, and MCP servers are started, while these are answered. */
const slowMs = 120_000
/** The server refuses more. */
const pageSize = 100
/** Enough to see that nothing was missed, which is the rule. */
const firstPageSize = 20

const root = "/api/conversations"
const of = (id: string): string => `${root}/${encodeURIComponent(id)}`

const fields = (value: unknown): { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null ? (value as { readonly [name: string]: unknown }) : {}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

export const make = ({ request }: Connection): AgentServerApi => {
  const send = (call: Call) => request(call)
  const post = (operation: string, path: string, body?: unknown, timeoutMs = quickMs): Answer<void> =>
    Effect.asVoid(send({ operation, method: "POST", path, timeoutMs, ...(body === undefined ? {} : { body }) }))

  const conversation = (call: Call): Answer<ConversationInfo.ConversationInfo> =>
    Effect.flatMap(send(call), (body) => {
      const info = ConversationInfo.decode(body)
      if (info !== null) return Effect.succeed(info)
      return new ApiError({
        operation: call.operation,
        problem: "broken",
        status: 200,
        detail: "the answer describes no conversation"
      })
    })

  return {
    version: Effect.map(
      send({ operation: "name its version", method: "GET", path: "/server_info", timeoutMs: quickMs }),
      (body) => {
        const { uptime, version } = fields(body)
        return { version: text(version), uptimeSeconds: typeof uptime === "number" ? uptime : null }
      }
    ),
    count: Effect.asVoid(
      send({ operation: "count its conversations", method: "GET", path: `${root}/count`, timeoutMs: quickMs })
    ),
    create: (body) =>
      conversation({ operation: "create a conversation", method: "POST", path: root, body, timeoutMs: slowMs }),
    get: (id) => conversation({ operation: "show a conversation", method: "GET", path: of(id), timeoutMs: quickMs }),
    postMessage: (id, message) =>
      post(
        "take a message",
        `${of(id)}/events`,
        { role: "user", content: [{ type: "text", text: message }], run: false },
        slowMs
      ),
    run: (id) => post("run a conversation", `${of(id)}/run`),
    interrupt: (id) => post("interrupt a conversation", `${of(id)}/interrupt`),
    pause: (id) => post("pause a conversation", `${of(id)}/pause`),
    rejectActions: (id, reason) =>
      post("reject an action", `${of(id)}/events/respond_to_confirmation`, { accept: false, reason }),
    condense: (id) => post("condense a conversation", `${of(id)}/condense`, undefined, slowMs),
    switchLlm: (id, llm) => post("switch the model of a conversation", `${of(id)}/switch_llm`, { llm }),
    setTags: (id, tags) =>
      Effect.asVoid(
        send({ operation: "tag a conversation", method: "PATCH", path: of(id), body: { tags }, timeoutMs: quickMs })
      ),
    remove: (id) =>
      Effect.asVoid(send({ operation: "delete a conversation", method: "DELETE", path: of(id), timeoutMs: quickMs })),
    finalResponse: (id) =>
      Effect.map(
        send({
          operation: "show the agent's response",
          method: "GET",
          path: `${of(id)}/agent_final_response`,
          timeoutMs: quickMs
        }),
        (body) => text(fields(body)["response"])
      ),
    newestEvents: (id, pageId) =>
      Effect.map(
        send({
          operation: "list events",
          method: "GET",
          path:
            `${of(id)}/events/search?sort_order=TIMESTAMP_DESC&limit=` +
            (pageId === null ? firstPageSize : `${pageSize}&page_id=${encodeURIComponent(pageId)}`),
          timeoutMs: 2 * quickMs
        }),
        (body) => {
          const { items, next_page_id } = fields(body)
          return { items: Array.isArray(items) ? items : [], nextPageId: text(next_page_id) || null }
        }
      ),
    shell: (command, timeoutSeconds) =>
      Effect.map(
        send({
          operation: "run a shell command",
          method: "POST",
          path: "/api/bash/execute_bash_command",
          body: { command, timeout: timeoutSeconds },
          timeoutMs: timeoutSeconds * 1_000 + quickMs
        }),
        (body) => {
          const { exit_code, stdout } = fields(body)
          return { exitCode: typeof exit_code === "number" ? exit_code : null, stdout: text(stdout) }
        }
      )
  }
}
