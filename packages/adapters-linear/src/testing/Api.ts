/**
 * What happens to a request to `/graphql` between its body and its answer, in Linear's order: credential, budget of requests,
 * validation, cost of the query, execution; and where the faults come in.
 */
import type * as Board from "./Board.ts"
import { type ComplexityModel, limit as complexityLimit } from "./Complexity.ts"
import { type Credentials, viewerOf } from "./Credentials.ts"
import type { EndpointLimits } from "./EndpointLimits.ts"
import { type Answer, type GraphQLRequest, type Operation, prepare, run } from "./Execution.ts"
import { corrupted, instead, rateLimited, refused, type Reply, replyOf, spoiled } from "./FaultAnswers.ts"
import type { Fault, Faults } from "./Faults.ts"
import { isArray, isObject, type JsonObject, type JsonValue } from "./Json.ts"
import * as RateLimits from "./RateLimits.ts"
import { Refusal } from "./Refusal.ts"
import type { RequestLog } from "./RequestLog.ts"

export interface ApiState {
  readonly board: Board.Board
  readonly credentials: Credentials
  readonly faults: Faults
  readonly log: RequestLog
  /** By the id of the user. */
  readonly buckets: Map<string, RateLimits.Buckets>
  readonly endpointLimits: EndpointLimits
  readonly unimplemented: Array<string>
  readonly corruptions: Map<string, Readonly<Record<string, JsonValue>>>
  budgets: RateLimits.Budgets
  /** Which of the two models is enforced, charged and told. */
  complexityModel: ComplexityModel
}

export interface ApiRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly origin: string
}

/** The reply, and the number of the request in the log. */
export async function respond(
  state: ApiState,
  request: ApiRequest
): Promise<{ readonly id: number; readonly reply: Reply }> {
  const { board, faults, log } = state
  const { authorization, ...headers } = request.headers
  const graphql = graphqlOf(request.body)
  const id = log.begin({
    at: board.now(),
    query: graphql?.query ?? request.body.slice(0, 1_000),
    variables: graphql?.variables ?? {},
    headers
  })
  let endpoint: Readonly<Record<string, string>> = {}
  const finish = (reply: Reply, viewerId: string | null, points: number | null) => {
    const answered = reply.delivery === "whole" || reply.delivery === "hangInBody"
    log.amend(id, { status: answered ? reply.status : null, errors: codesOf(reply.body) })
    const budget = viewerId === null ? {} : RateLimits.headers(bucketsOf(state, viewerId), points)
    return { id, reply: { ...reply, headers: { ...budget, ...endpoint, ...reply.headers } } }
  }
  if (graphql === null) {
    const refusal = new Refusal({
      message: "POST body missing, invalid Content-Type, or JSON object has no query",
      code: "BAD_REQUEST",
      type: "invalid input",
      status: 400
    })
    return finish(replyOf(refused(refusal)), null, null)
  }
  const prepared = prepare(graphql)
  const operation = "document" in prepared ? prepared : null
  const name = operation?.name ?? /\b(?:query|mutation)\s+(\w+)/.exec(graphql.query)?.[1] ?? null
  const type = operation?.type ?? (/^\s*mutation\b/.test(graphql.query) ? "mutation" : "query")
  const fault = faults.next({ operation: name, type })
  log.amend(id, { operation: name, type, fault: fault?.kind ?? null, complexity: operation?.complexity ?? null })

  const early = fault === null ? null : instead(fault, board.now(), state.budgets.requests.limit)
  if (early !== null) return finish(early, knownViewer(state, authorization), null)

  let viewerId: string | null = null
  let points: number | null = null
  try {
    viewerId = viewerOf(authorization, state.credentials)
    charge(state, viewerId, "requests", 1)
    if (operation === null) return finish(replyOf(prepared as Answer), viewerId, null)
    const spent = state.endpointLimits.spend(viewerId, operation.fields, board.now())
    endpoint = spent.headers
    if (!spent.isAllowed) throw rateLimited(Number(endpoint["x-ratelimit-endpoint-requests-limit"]))
    points = operation.complexity[state.complexityModel]
    if (points > complexityLimit) throw tooComplex(points)
    charge(state, viewerId, "complexity", points)
    const answer = await execute(state, { graphql, operation, viewerId, fault, origin: request.origin, nonce: id })
    return finish(fault === null ? replyOf(answer) : spoiled(fault, answer), viewerId, points)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return finish(replyOf(refused(error)), viewerId, points)
  }
}

async function execute(
  state: ApiState,
  request: {
    readonly graphql: GraphQLRequest
    readonly operation: Operation
    readonly viewerId: string
    readonly fault: Fault | null
    readonly origin: string
    readonly nonce: number
  }
): Promise<Answer> {
  const { graphql, operation, ...rest } = request
  const rateLimitStatuses = () => {
    const buckets = bucketsOf(state, request.viewerId)
    return [RateLimits.status("requests", buckets.requests), RateLimits.status("complexity", buckets.complexity)]
  }
  const context = {
    board: state.board,
    viewerId: rest.viewerId,
    origin: rest.origin,
    nonce: rest.nonce,
    pageFault: pageFaultOf(rest.fault),
    rateLimits: rateLimitStatuses
  }
  const answer = await run(operation, graphql, context, (subject) => state.unimplemented.push(subject))
  return { ...answer, body: corrupted(answer.body, state.corruptions) }
}

function pageFaultOf(fault: Fault | null) {
  switch (fault?.kind) {
    case "missingCursor":
    case "repeatedCursor":
    case "endlessPages":
    case "duplicateAcrossPages":
      return fault
    default:
      return null
  }
}

/** The budgets of a user as they are now. */
export function bucketsOf(state: ApiState, viewerId: string): RateLimits.Buckets {
  const now = state.board.now()
  const buckets = state.buckets.get(viewerId) ?? RateLimits.full(state.budgets, now)
  return {
    requests: RateLimits.refilled(buckets.requests, now),
    complexity: RateLimits.refilled(buckets.complexity, now)
  }
}

function charge(state: ApiState, viewerId: string, name: RateLimits.BudgetName, amount: number): void {
  const buckets = bucketsOf(state, viewerId)
  const spent = RateLimits.spend(buckets[name], amount, state.board.now())
  if (spent === null) throw rateLimited(state.budgets[name].limit)
  state.buckets.set(viewerId, { ...buckets, [name]: spent })
}

function knownViewer(state: ApiState, authorization: string | undefined): string | null {
  try {
    return viewerOf(authorization, state.credentials)
  } catch {
    return null
  }
}

const tooComplex = (points: number) =>
  new Refusal({
    message: "Query too complex",
    code: "INPUT_ERROR",
    type: "invalid input",
    status: 400,
    userPresentableMessage: `The query is too complex. Complexity: ${points}. Maximum allowed complexity: ${complexityLimit}.`
  })

function graphqlOf(body: string): GraphQLRequest | null {
  const parsed = jsonOf(body)
  if (!isObject(parsed) || typeof parsed["query"] !== "string") return null
  const { operationName, query, variables } = parsed
  return {
    query,
    variables: isObject(variables) ? variables : {},
    operationName: typeof operationName === "string" ? operationName : null
  }
}

function jsonOf(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function codesOf(body: string): ReadonlyArray<string> {
  if (!body.includes('"errors"')) return []
  const parsed = jsonOf(body)
  const errors = isObject(parsed) ? parsed["errors"] : undefined
  if (errors === undefined || !isArray(errors)) return []
  return errors.flatMap((error) => (isObject(error) ? [codeOf(error)] : []))
}

const codeOf = ({ extensions }: JsonObject): string =>
  isObject(extensions) && typeof extensions["code"] === "string" ? extensions["code"] : "UNKNOWN"
