/** Answers of the fake's REST interface: a status and a body, in the agent-server's words. */
import { randomUUID } from "node:crypto"
import type { Problem } from "./CreateRequest.ts"

export interface Reply {
  readonly status: number
  readonly body: unknown
}

export const ok = (body: unknown): Reply => ({ status: 200, body })

export const success: Reply = ok({ success: true })

export const notFound = (detail = "Not Found"): Reply => ({ status: 404, body: { detail } })

/** Events, messages and confirmations name the conversation that is missing; the other paths do not. */
export const noConversation = (id: string): Reply => notFound(`Conversation not found: ${id}`)

export const badRequest = (detail = "Bad Request"): Reply => ({ status: 400, body: { detail } })

export const conflict = (detail: string): Reply => ({ status: 409, body: { detail } })

/** All slots for runs are taken. */
export const tooMany = (detail: string): Reply => ({ status: 429, body: { detail } })

export const invalid = (problems: ReadonlyArray<Problem>): Reply => ({ status: 422, body: { detail: problems } })

/** An exception inside the server; before 1.27 it had no id. */
export const internal = (exception: string, errorId: boolean): Reply => ({
  status: 500,
  body: {
    detail: "Internal Server Error",
    exception,
    ...(errorId ? { error_id: randomUUID().replaceAll("-", "") } : {})
  }
})

/** Checks a page limit: `undefined` is fine. */
export const limitProblem = (text: string | null, checked: boolean, errorId: boolean): Reply | undefined => {
  const limit = text === null ? 100 : Number(text)
  const problem = (type: string, msg: string) => invalid([{ type, loc: ["query", "limit"], msg }])
  if (!Number.isInteger(limit)) return problem("int_parsing", "Input should be a valid integer")
  if (limit <= 0) return problem("greater_than", "Input should be greater than 0")
  if (limit <= 100) return undefined
  return checked ? problem("less_than_equal", "Input should be less than or equal to 100") : internal("", errorId)
}
