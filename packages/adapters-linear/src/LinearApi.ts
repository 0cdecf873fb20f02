/**
 * The one way to Linear for everything in this process: reading, tools, checks. Every call passes the governor of its
 * credential, has a time limit and a signal of its own, and fails with a {@link LinearError} only.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Answer from "./api/Answer.ts"
import type { Budget } from "./api/Budget.ts"
import * as Credential from "./api/Credential.ts"
import { type Governor, shownInstant } from "./api/Governor.ts"
import { Governors } from "./api/Governors.ts"
import { hiddenTexts } from "./api/HiddenTexts.ts"
import type { LinearOperation, Purpose } from "./api/Operation.ts"
import * as RateHeaders from "./api/RateHeaders.ts"
import * as Retry from "./api/Retry.ts"
import { safeText } from "./api/SafeText.ts"
import * as Transport from "./api/Transport.ts"
import { LinearBadResponse, type LinearConfigurationError, type LinearError, LinearRateLimited } from "./LinearError.ts"

export type { Allowance, Budget, Spent } from "./api/Budget.ts"
export { type LinearOperation, type Purpose, purposes } from "./api/Operation.ts"

/** Linear's own answer, also when it is an error. */
export interface RawAnswer {
  readonly status: number
  readonly body: unknown
}

export interface LinearApiService {
  /**
   * Sends an operation and decodes its answer. What may be repeated is tried again up to three times, all within 30 s;
   * what is refused for the budget's sake waits as long at most, and then fails with the instant to try again.
   */
  readonly call: <A>(operation: LinearOperation<A>) => Effect.Effect<A, LinearError>
  /** Sends a document once and gives back what Linear answered, errors included; only what is no answer fails. */
  readonly raw: (
    document: string,
    variables: Readonly<Record<string, unknown>>,
    purpose: Purpose
  ) => Effect.Effect<RawAnswer, LinearError>
  readonly budget: Effect.Effect<Budget>
}

export interface LinearApiOptions {
  /** https, or http on loopback. */
  readonly endpoint: string
  readonly apiKey: Redacted.Redacted
  /** Of one request with its answer; 20 s unless given. */
  readonly requestTimeoutMs?: number
}

const defaultRequestTimeoutMs = 20_000

export class LinearApi extends Context.Service<LinearApi, LinearApiService>()(
  "@opensymphony/adapters-linear/LinearApi"
) {}

interface Parts {
  readonly transport: Transport.Transport
  readonly governor: Governor
  readonly apiKey: string
}

interface Request {
  readonly name: string
  readonly document: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly purpose: Purpose
}

/** An answer, and what it means. */
interface Judged {
  readonly answer: Answer.Answer
  readonly verdict: Result.Result<unknown, LinearError>
}

/** Waits until the governor lets a request of this purpose pass, as long as that is before `latestMs`. */
const admitted = Effect.fnUntraced(function* (governor: Governor, purpose: Purpose, latestMs: number) {
  while (true) {
    const nowMs = yield* Clock.currentTimeMillis
    const admission = governor.admit(purpose, nowMs)
    if (admission._tag === "Go") return governor.sent(purpose)
    const { reason, untilMs } = admission
    if (purpose === "cosmetics" || untilMs > latestMs) {
      return yield* new LinearRateLimited({ message: reason, retryAtMs: untilMs })
    }
    yield* Effect.sleep(yield* Retry.jittered(untilMs - nowMs))
  }
})

/** Sends one request and lets the governor learn from its answer. */
const send = Effect.fnUntraced(function* (
  { apiKey, governor, transport }: Parts,
  { document, name, purpose, variables }: Request,
  latestMs: number
): Effect.fn.Return<Judged, LinearError> {
  yield* admitted(governor, purpose, latestMs)
  const answer = yield* transport(name, document, variables, purpose).pipe(
    Effect.onError(() => Effect.sync(governor.lost))
  )
  const nowMs = yield* Clock.currentTimeMillis
  const verdict = Answer.judge(answer, { name, hidden: [apiKey, ...hiddenTexts(variables)], nowMs })
  const error = Result.isFailure(verdict) ? verdict.failure : null
  const limited = error?._tag === "LinearRateLimited" ? error : null
  const wasOpen = governor.budget(nowMs).closedUntilMs === null
  const closedUntilMs = governor.settled(purpose, RateHeaders.read(answer.header, nowMs), limited !== null, nowMs)
  if (closedUntilMs !== null && wasOpen) {
    const why = limited?.message ?? "the last request of Linear's budget was used"
    yield* Effect.logWarning(`${why}; nothing is asked of Linear before ${shownInstant(closedUntilMs)}`)
  }
  if (limited === null) return { answer, verdict }
  const retryAtMs = closedUntilMs ?? limited.retryAtMs
  return { answer, verdict: Result.fail(new LinearRateLimited({ message: limited.message, retryAtMs })) }
})

const call = Effect.fnUntraced(function* <A>(
  parts: Parts,
  operation: LinearOperation<A>
): Effect.fn.Return<A, LinearError> {
  const latestMs = (yield* Clock.currentTimeMillis) + Retry.patienceMs
  const decode = Schema.decodeUnknownEffect(operation.result)
  const once = send(parts, operation, latestMs).pipe(
    Effect.flatMap(({ verdict }) => Effect.fromResult(verdict)),
    Effect.flatMap((data) =>
      Effect.mapError(decode(data), ({ message }) => {
        const what = `the answer to ${operation.name} is not as expected: ${safeText(message)}`
        return new LinearBadResponse({ message: what })
      })
    )
  )
  for (let retries = 0; ; retries++) {
    const result = yield* Effect.result(once)
    if (Result.isSuccess(result)) return result.success
    const error = result.failure
    const nowMs = yield* Clock.currentTimeMillis
    const delayMs = yield* Retry.delayMs(error, retries, operation.repeatable, nowMs)
    if (delayMs === null || nowMs + delayMs > latestMs) return yield* Effect.fail(error)
    yield* Effect.logDebug(`${error.message}; it is tried again in ${Math.round(delayMs)} ms`)
    yield* Effect.sleep(delayMs)
  }
})

const raw = Effect.fnUntraced(function* (parts: Parts, request: Request): Effect.fn.Return<RawAnswer, LinearError> {
  const latestMs = (yield* Clock.currentTimeMillis) + Retry.patienceMs
  const { answer, verdict } = yield* send(parts, request, latestMs)
  if (Result.isFailure(verdict) && !Answer.isGraphQL(answer)) return yield* Effect.fail(verdict.failure)
  return { status: answer.status, body: answer.body }
})

/** The API with this key at this endpoint. All that have the same share one governor, in the whole process. */
export const make = Effect.fnUntraced(function* (
  options: LinearApiOptions
): Effect.fn.Return<LinearApiService, LinearConfigurationError> {
  const credential = yield* Credential.make(options)
  const transport = yield* Transport.make(credential, options.requestTimeoutMs ?? defaultRequestTimeoutMs)
  const governor = (yield* Governors).of(credential)
  const parts: Parts = { transport, governor, apiKey: Redacted.value(credential.apiKey) }
  return {
    call: (operation) => call(parts, operation),
    raw: (document, variables, purpose) => raw(parts, { name: "the query", document, variables, purpose }),
    budget: Effect.map(Clock.currentTimeMillis, governor.budget)
  }
})

/** Fails when the endpoint or the key cannot work; whether Linear accepts the key shows at the first call. */
export const layer = (options: LinearApiOptions): Layer.Layer<LinearApi, LinearConfigurationError> =>
  Layer.effect(LinearApi, make(options))
