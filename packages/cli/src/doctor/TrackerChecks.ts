/** Whether the tracker answers, and what it says: asked once, as a poll would. */
import type { IssueBatch, TrackerBackendService, TrackerError } from "@opensymphony/core/ports/TrackerBackend"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Effect from "effect/Effect"
import * as Check from "./Check.ts"

/** Records that are told one by one. */
const toldOneByOne = 5

const found = ({ tracker }: Workflow, { issues, malformed }: IssueBatch): ReadonlyArray<Check.Check> => {
  const states = tracker.activeStates.join(", ")
  const blocked = issues.filter(({ dispatchable }) => !dispatchable)
  const first = blocked[0]
  const told = malformed.slice(0, toldOneByOne).map(({ message, source }) => `${source}: ${message}`)
  const more = malformed.length > toldOneByOne ? [`and ${malformed.length - toldOneByOne} more like these`] : []
  return [
    issues.length === 0
      ? Check.warn("tracker", `answers, but no issue is in ${states}; nothing would start`)
      : Check.pass("tracker", `answers with ${issues.length} issues in ${states}`),
    ...(first === undefined
      ? []
      : [
          Check.warn(
            "tracker",
            `${blocked.length} of them would not start, as ${first.identifier}: ${first.notDispatchableReason ?? ""}`
          )
        ]),
    ...[...told, ...more].map((message) => Check.warn("tracker", message))
  ]
}

/** One look at the candidates. */
export const candidates = <R>(
  workflow: Workflow,
  tracker: Effect.Effect<TrackerBackendService, { readonly message: string }, R>
): Effect.Effect<ReadonlyArray<Check.Check>, never, R> =>
  tracker.pipe(
    Effect.flatMap(({ candidateIssues }): Effect.Effect<IssueBatch, TrackerError> => candidateIssues),
    Effect.map((batch) => found(workflow, batch)),
    Effect.catch(({ message }) => Effect.succeed([Check.fail("tracker", message)]))
  )
