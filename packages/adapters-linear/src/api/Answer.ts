/**
 * What an answer of Linear means: its data, or one error. Judged by status and by the codes that Linear gives, not by
 * the SDK's classes: those file a rate limit without `type` under unknown, and any HTML 404 under authentication.
 */
import * as Result from "effect/Result"
import * as LinearError from "../LinearError.ts"
import * as RateHeaders from "./RateHeaders.ts"
import { safeText } from "./SafeText.ts"

/** An HTTP answer, whatever its status. */
export interface Answer {
  readonly status: number
  readonly header: RateHeaders.HeaderOf
  /** The parsed body; where it is no JSON, its text. */
  readonly body: unknown
}

/** What an answer is about, for its messages. */
export interface Question {
  /** The name of the operation. */
  readonly name: string
  /** Texts that no message may repeat: the key, and what people wrote. */
  readonly hidden: ReadonlyArray<string>
  /** When the answer came (epoch milliseconds). */
  readonly nowMs: number
}

interface GraphQLProblem {
  readonly code: string
  readonly type: string
  readonly isUserError: boolean
  readonly words: string
  readonly path: ReadonlyArray<string | number>
}

interface Fields {
  readonly [key: string]: unknown
}

const fieldsOf = (value: unknown): Fields | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const withoutHidden = (text: string, hidden: ReadonlyArray<string>): string =>
  hidden
    .reduce(
      (shown, secret) => shown.replaceAll(secret, "...").replaceAll(JSON.stringify(secret).slice(1, -1), "..."),
      text
    )
    .replace(/got invalid value [^;]*/g, "got an invalid value")

const problemOf = (error: unknown, hidden: ReadonlyArray<string>): GraphQLProblem => {
  const fields = fieldsOf(error)
  const extensions = fieldsOf(fields?.["extensions"])
  const message = textOf(fields?.["message"])
  const path = fields?.["path"]
  const presentable = textOf(extensions?.["userPresentableMessage"])
  const both = presentable === "" || message.includes(presentable) ? message : `${message}: ${presentable}`
  return {
    code: textOf(extensions?.["code"]).toUpperCase(),
    type: textOf(extensions?.["type"]).toLowerCase(),
    isUserError: extensions?.["userError"] === true || presentable !== "",
    words: safeText(withoutHidden(both, hidden)),
    path: Array.isArray(path) ? path.filter((step) => typeof step === "string" || typeof step === "number") : []
  }
}

const quoted = (problem: GraphQLProblem | undefined): string =>
  problem === undefined || problem.words === "" ? "" : `; Linear says: ${problem.words}`

const pointsIn = (words: string): number | null => {
  const match = /complexity:?\s*(\d+)/i.exec(words)
  return match === null ? null : Number(match[1])
}

const hasData = (data: unknown): boolean => Object.values(fieldsOf(data) ?? {}).some((value) => value !== null)

const driftCodes = new Set(["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"])
const forbiddenTypes = new Set(["forbidden", "feature not accessible", "usage limit exceeded"])
const ownFailureTypes = new Set(["internal error", "lock timeout", "network error", "bootstrap error"])
const ownFailureCodes = new Set(["INTERNAL_SERVER_ERROR", "LOCK_TIMEOUT"])

const isRateLimited = (status: number, problems: ReadonlyArray<GraphQLProblem>): boolean =>
  status === 429 || problems.some(({ code, type }) => code === "RATELIMITED" || type === "ratelimited")

/** The errors of a GraphQL answer; never called without one. */
const judgeProblems = (
  status: number,
  problems: readonly [GraphQLProblem, ...ReadonlyArray<GraphQLProblem>],
  data: unknown,
  name: string
): LinearError.LinearError => {
  const [first] = problems
  const { code, type, words } = first
  const said = quoted(first)
  if (status === 401 || code === "AUTHENTICATION_ERROR" || type === "authentication error") return authError(said)
  if (status === 400 && /bearer/i.test(words)) return authError(said)
  if (/too complex/i.test(words)) {
    const message = `the query ${name} asks for more than Linear allows at once${said}`
    return new LinearError.LinearTooComplex({ message, points: pointsIn(words) })
  }
  if (status === 403 || code === "FORBIDDEN" || forbiddenTypes.has(type)) return forbidden(name, said)
  if (hasData(data)) {
    const message = `Linear answered ${name} only in part${said}`
    return new LinearError.LinearPartialData({ message, data, paths: problems.map(({ path }) => path) })
  }
  if (driftCodes.has(code) || type === "graphql error") {
    const message = `Linear does not understand ${name}: its schema changed, so this version is too old or too new${said}`
    return new LinearError.LinearSchemaDrift({ message })
  }
  if (/entity not found/i.test(words)) {
    return new LinearError.LinearNotFound({ message: `${name} names something that this key cannot see${said}` })
  }
  if (status >= 500 || ownFailureTypes.has(type) || ownFailureCodes.has(code)) return ownFailure(name, status, said)
  if (/argument validation/i.test(words) || code === "BAD_USER_INPUT") return invalidArgument(name, said)
  if (first.isUserError || type === "user error") {
    return new LinearError.LinearRefused({ message: words === "" ? `Linear refuses ${name}` : words })
  }
  if (type === "invalid input" || code === "INVALID_INPUT" || code === "INPUT_ERROR") return invalidArgument(name, said)
  return new LinearError.LinearBadResponse({ message: `Linear answered ${name} with an unknown error${said}` })
}

const authError = (said: string) =>
  new LinearError.LinearAuthError({
    message: `Linear refuses the API key${said}; check tracker.api_key, or create a new key in Linear's settings`
  })

const forbidden = (name: string, said: string) =>
  new LinearError.LinearForbidden({
    message: `the key's user may not do ${name}${said}; use the key of a member of the project's teams`
  })

const ownFailure = (name: string, status: number, said: string) =>
  new LinearError.LinearTransportError({ message: `Linear failed at ${name} (HTTP ${status})${said}` })

const invalidArgument = (name: string, said: string) =>
  new LinearError.LinearInvalidArgument({ message: `Linear refuses a value of ${name}${said}` })

/** An answer that is no GraphQL: from something between here and Linear, or from a wrong address. */
const judgeForeign = (status: number, body: unknown, name: string): LinearError.LinearError => {
  if (status >= 500) return ownFailure(name, status, "")
  if (status === 401) return authError("")
  const what = typeof body !== "string" ? "JSON without data" : /^\s*</.test(body) ? "HTML" : "no JSON"
  const remedy = "check tracker.endpoint, and what stands between here and Linear"
  return new LinearError.LinearBadResponse({ message: `${name} was answered with ${what} (HTTP ${status}); ${remedy}` })
}

/** Whether the body is GraphQL's: an object with data or errors. */
export const isGraphQL = ({ body }: Answer): boolean => {
  const fields = fieldsOf(body)
  return fields !== null && (fieldsOf(fields["data"]) !== null || Array.isArray(fields["errors"]))
}

/** The data of an answer, or what it means instead. An empty list of errors is no error. */
export const judge = (answer: Answer, question: Question): Result.Result<unknown, LinearError.LinearError> => {
  const { body, status } = answer
  const { hidden, name, nowMs } = question
  const fields = fieldsOf(body)
  const errors = fields?.["errors"]
  const [first, ...rest] = Array.isArray(errors) ? errors.map((error) => problemOf(error, hidden)) : []
  if (isRateLimited(status, first === undefined ? [] : [first, ...rest])) {
    const retryAtMs = RateHeaders.retryAt(RateHeaders.read(answer.header, nowMs), nowMs)
    const message = `Linear's rate limit is reached${quoted(first)}`
    return Result.fail(new LinearError.LinearRateLimited({ message, retryAtMs }))
  }
  if (first !== undefined) return Result.fail(judgeProblems(status, [first, ...rest], fields?.["data"], name))
  const isOk = status >= 200 && status < 300
  const data = fieldsOf(fields?.["data"])
  if (isOk && data !== null) return Result.succeed(data)
  if (status === 403 && fields !== null) return Result.fail(forbidden(name, ""))
  return Result.fail(judgeForeign(status, body, name))
}
