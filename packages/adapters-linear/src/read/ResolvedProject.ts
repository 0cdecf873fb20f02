/**
 * The project of a tracker, resolved when it is first needed: while Linear is away that is a failed poll, not the end of
 * the start. It is looked at again after an hour, because teams join projects and states are added.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { TrackerConfigurationError } from "@opensymphony/core/ports/TrackerBackend"
import type { LinearApiService } from "../LinearApi.ts"
import type { LinearError } from "../LinearError.ts"
import * as LinearProject from "../LinearProject.ts"

const lastsMs = 3_600_000

/** The project as of the last hour. Where it cannot be looked at again, what was known stays. */
export const make = (
  api: LinearApiService,
  settings: LinearProject.ProjectSettings
): Effect.Effect<LinearProject.LinearProject, LinearError | TrackerConfigurationError> => {
  let known: LinearProject.LinearProject | null = null
  let dueAtMs = 0
  const oneAtATime = Semaphore.makeUnsafe(1)

  const lookAgain = Effect.fnUntraced(function* (before: LinearProject.LinearProject | null) {
    const found = yield* LinearProject.resolve(api, settings)
    for (const warning of found.warnings) {
      if (!before?.warnings.includes(warning)) yield* Effect.logWarning(warning)
    }
    if (before === null) {
      const keys = found.teams.map(({ key }) => key).join(", ")
      yield* Effect.logInfo(`Linear: project ${JSON.stringify(found.name)}, teams ${keys}, as ${found.viewer.name}`)
    }
    return found
  })

  return oneAtATime.withPermits(1)(
    Effect.gen(function* () {
      const nowMs = yield* Clock.currentTimeMillis
      if (known !== null && nowMs < dueAtMs) return known
      const before = known
      const found: LinearProject.LinearProject = yield* lookAgain(before).pipe(
        Effect.catch((error) =>
          before === null || error._tag === "TrackerConfigurationError" || error._tag === "LinearAuthError"
            ? Effect.fail(error)
            : Effect.as(Effect.logWarning(`what is known of the project stays for now: ${error.message}`), before)
        )
      )
      known = found
      dueAtMs = nowMs + lastsMs
      return found
    })
  )
}
