/** Whether the server is still the process that it was, by its own account of its uptime. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { AgentServerApi } from "./AgentServerApi.ts"

/** False also when the server does not say. */
export const restartedSince = (api: AgentServerApi, sinceMs: number): Effect.Effect<boolean> =>
  api.version.pipe(
    Effect.flatMap(({ uptimeSeconds }) =>
      Effect.map(
        Clock.currentTimeMillis,
        // Whole seconds, rounded down.
        (nowMs) => uptimeSeconds !== null && nowMs - (uptimeSeconds + 1) * 1_000 > sinceMs
      )
    ),
    Effect.orElseSucceed(() => false)
  )
