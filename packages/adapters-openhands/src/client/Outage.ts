/** Tells a server that is down from one that has trouble with a single conversation, which must not stop the others. */
import type { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "./AgentServerApi.ts"
import { type ApiError, toRuntimeError } from "./ApiError.ts"

/** Whether the server is of no use to anybody now, as far as this failure and one more question can tell. */
const isOutage = (api: AgentServerApi, { problem }: ApiError): Effect.Effect<boolean> => {
  switch (problem) {
    case "unreachable":
    case "capacity":
      return Effect.succeed(true)
    case "missing":
    case "conflict":
    case "refused":
      return Effect.succeed(false)
    case "unauthorized":
    case "timeout":
    case "broken":
      return Effect.match(api.count, { onFailure: () => true, onSuccess: () => false })
  }
}

/** Fails with what the failed call means for the runtime. */
export const judge = (api: AgentServerApi, error: ApiError): Effect.Effect<never, RuntimeError> =>
  Effect.flatMap(isOutage(api, error), (unavailable) => Effect.fail(toRuntimeError(error, unavailable)))
