/** How each fault looks on the wire. */
import type { Answer } from "./Execution.ts"
import type { Fault, Reset } from "./Faults.ts"
import { isArray, isObject, type JsonObject, type JsonValue, mapObjects } from "./Json.ts"
import { Refusal } from "./Refusal.ts"

/** How an answer is handed to the client. */
export type Delivery = "whole" | "hangBeforeHeaders" | "hangInBody" | "resetBeforeHeaders" | "resetInBody"

export interface Reply {
  readonly status: number
  readonly body: string
  readonly contentType: string
  /** Replace those of the budgets; null takes one away. */
  readonly headers: Readonly<Record<string, string | null>>
  readonly delivery: Delivery
  readonly delayMs: number
}

const json = "application/json; charset=utf-8"

export const replyOf = ({ body, status }: Answer): Reply => ({
  status,
  body: JSON.stringify(body),
  contentType: json,
  headers: {},
  delivery: "whole",
  delayMs: 0
})

export const refused = (refusal: Refusal): Answer => ({
  status: refusal.status,
  body: { errors: [{ message: refusal.message, extensions: refusal.extensions }] }
})

export const rateLimited = (limit: number, status = 400): Refusal =>
  new Refusal({
    message: `Rate limit exceeded. Only ${limit} requests are allowed per 1 hour`,
    code: "RATELIMITED",
    type: "ratelimited",
    status
  })

export const unauthorized = (): Refusal =>
  new Refusal({
    message: "Authentication required, not authenticated",
    code: "AUTHENTICATION_ERROR",
    type: "authentication error",
    status: 401
  })

/** An API key that was sent as a bearer token. */
export const bearerHint = (): Refusal =>
  new Refusal({
    message:
      "It looks like you're trying to use an API key as a Bearer token. Remove the Bearer prefix from the Authorization header.",
    code: "INPUT_ERROR",
    type: "invalid input",
    status: 400
  })

const serverError = (message: string, code: string, type: "internal error" | "lock timeout") =>
  refused(new Refusal({ message, code, type, status: 500 }))

/** What a fault answers without carrying the request out; null for those that spoil its answer. */
export function instead(fault: Fault, now: number, requestLimit: number): Reply | null {
  switch (fault.kind) {
    case "rateLimited":
      return {
        ...replyOf(refused(rateLimited(requestLimit, fault.status ?? 400))),
        headers: {
          ...resetHeaders(fault.reset ?? "soon", now),
          ...(fault.retryAfter === undefined ? {} : { "retry-after": fault.retryAfter })
        }
      }
    case "unauthorized":
      return replyOf(refused(unauthorized()))
    case "bearerHint":
      return replyOf(refused(bearerHint()))
    case "forbidden":
      return replyOf(refused(new Refusal({ message: "Forbidden", code: "FORBIDDEN", type: "forbidden", status: 403 })))
    case "lockTimeout":
      return replyOf(serverError("Lock timeout", "LOCK_TIMEOUT", "lock timeout"))
    case "internalError":
      return replyOf(serverError("Internal server error", "INTERNAL_SERVER_ERROR", "internal error"))
    case "html": {
      const status = fault.status ?? 502
      const body = `<!DOCTYPE html><html><head><title>${status}</title></head><body><h1>Error ${status}</h1></body></html>`
      return { ...replyOf({ status, body: {} }), body, contentType: "text/html; charset=UTF-8" }
    }
    case "redirect":
      return { ...replyOf({ status: 302, body: {} }), headers: { location: fault.location } }
    case "hangBeforeHeaders":
    case "resetBeforeHeaders":
      return { ...replyOf({ status: 200, body: {} }), delivery: fault.kind }
    default:
      return null
  }
}

const day = 86_400_000

function resetHeaders(reset: Reset, now: number): Record<string, string | null> {
  const names = ["requests", "complexity"].flatMap((budget) =>
    ["limit", "remaining", "reset"].map((part) => `x-ratelimit-${budget}-${part}`)
  )
  if (reset === "missing") return Object.fromEntries(names.map((name) => [name, null]))
  const instants = { soon: now + 30_000, past: now - 60_000, far: now + 30 * day, garbage: "in a while" }
  const value = typeof reset === "number" ? reset : instants[reset]
  return { "x-ratelimit-requests-remaining": "0", "x-ratelimit-requests-reset": String(value) }
}

/** What a fault makes of the answer to a request that was carried out. */
export function spoiled(fault: Fault, answer: Answer): Reply {
  const reply = replyOf(answer)
  switch (fault.kind) {
    case "slow":
      return { ...reply, delayMs: fault.ms }
    case "hangInBody":
    case "resetInBody":
      return { ...reply, delivery: fault.kind }
    case "lostAnswer":
      return { ...reply, delivery: "resetBeforeHeaders" }
    case "malformedJson":
      return { ...reply, body: reply.body.slice(0, Math.max(1, Math.floor(reply.body.length / 2))) }
    case "emptyBody":
      return { ...reply, body: "" }
    case "wrongContentType":
      return { ...reply, contentType: fault.contentType ?? "text/plain; charset=utf-8" }
    case "emptyErrors":
      return replyOf({ ...answer, body: { ...answer.body, errors: [] } })
    case "partialData":
      return replyOf({ ...answer, body: partial(answer.body, fault.field) })
    case "nullNodes":
      return replyOf({ ...answer, body: changed(answer.body, (it, name) => withNull(it, name, fault.connection)) })
    case "corrupt":
      return replyOf({ ...answer, body: corrupted(answer.body, new Map([[fault.id, fault.fields]])) })
    default:
      return reply
  }
}

/** Only fields that were asked for are replaced, in every object that was asked for its id. */
export const corrupted = (
  body: JsonObject,
  corruptions: ReadonlyMap<string, Readonly<Record<string, JsonValue>>>
): JsonObject =>
  corruptions.size === 0
    ? body
    : changed(body, (it) => {
        const fields = typeof it["id"] === "string" ? corruptions.get(it["id"]) : undefined
        if (fields === undefined) return it
        return { ...it, ...Object.fromEntries(Object.entries(fields).filter(([name]) => name in it)) }
      })

const changed = (body: JsonObject, change: (object: JsonObject, name: string | null) => JsonObject): JsonObject => {
  const result = mapObjects(body, change)
  return isObject(result) ? result : body
}

function withNull(object: JsonObject, name: string | null, connection: string): JsonObject {
  const { nodes } = object
  return name === connection && nodes !== undefined && isArray(nodes) ? { ...object, nodes: [...nodes, null] } : object
}

function partial(body: JsonObject, field: string | undefined): JsonObject {
  const { data } = body
  const name = field ?? (isObject(data) ? Object.keys(data)[0] : undefined) ?? ""
  const refusal = new Refusal({
    message: "Internal server error",
    code: "INTERNAL_SERVER_ERROR",
    type: "internal error"
  })
  const hole = (it: JsonObject): JsonObject => (name in it ? { ...it, [name]: null } : it)
  return {
    ...changed(body, hole),
    errors: [{ message: refusal.message, path: [name], extensions: refusal.extensions }]
  }
}
