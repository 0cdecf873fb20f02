/**
 * `opensymphony doctor`: looks at everything that a run on this workflow needs, and starts no run. Answers with the exit
 * status.
 */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Adapters from "../Adapters.ts"
import { namedVariables, redactor } from "../Secrets.ts"
import * as WorkflowFile from "../WorkflowFile.ts"
import * as Signals from "../Signals.ts"
import * as Check from "./Check.ts"
import type { OpenHandsCheckOptions } from "./OpenHandsChecks.ts"
import * as PlaceChecks from "./PlaceChecks.ts"
import * as TrackerChecks from "./TrackerChecks.ts"
import * as WorkflowChecks from "./WorkflowChecks.ts"

export interface DoctorOptions {
  /** Path of the workflow as given; relative to the working directory. */
  readonly workflow: string
  /** Whether a turn of the agent is tried where that costs tokens; unless told otherwise, it is. */
  readonly probe?: boolean
}

const failed = 1

const linearChecks = ({ tracker }: Workflow): Effect.Effect<ReadonlyArray<Check.Check>> =>
  tracker.kind === "linear"
    ? Effect.flatMap(
        Effect.promise(() => import("./LinearChecks.ts")),
        ({ all }) => all(tracker)
      )
    : Effect.succeed([])

const openHandsChecks = (
  workflow: Workflow,
  options: OpenHandsCheckOptions
): Effect.Effect<void, never, Adapters.Platform> => {
  const { openhands } = workflow
  if (openhands === null) return Effect.void
  return Effect.flatMap(
    Effect.promise(() => import("./OpenHandsChecks.ts")),
    ({ all }) => all(workflow, openhands, options)
  )
}

/** The checks of a workflow that can be used, in the order in which a run would meet what they look at. */
const checksOf = (workflow: Workflow) => [
  Effect.sync(() => [WorkflowChecks.template(workflow)]),
  Effect.map(WorkflowChecks.shell(workflow), (check) => [check]),
  Effect.map(PlaceChecks.workspaceRoot(workflow), (check) => [check]),
  Effect.map(PlaceChecks.git, (check) => [check]),
  linearChecks(workflow),
  Effect.scoped(TrackerChecks.candidates(workflow, Adapters.openTracker(workflow)))
]

const look = Effect.fnUntraced(function* (options: DoctorOptions, environment: Environment) {
  const path = yield* Path.Path
  const file = path.resolve(options.workflow)
  const text = yield* WorkflowFile.readText(
    file,
    "name the workflow on the command line, or run where a WORKFLOW.md is"
  )
  const parsed = WorkflowFile.parseText(file, text, environment)
  const { workflow } = parsed
  const redact = redactor(environment, workflow === null ? [] : namedVariables(workflow))
  const all: Array<Check.Check> = []
  const tell = (checks: ReadonlyArray<Check.Check>) =>
    Effect.forEach(
      checks,
      (check) => {
        all.push(check)
        return Console.log(redact(Check.render(check)))
      },
      { discard: true }
    )
  yield* tell(WorkflowChecks.problems(file, parsed))
  if (workflow === null) yield* tell([Check.skip("the rest", "needs a workflow without errors")])
  else {
    for (const checks of checksOf(workflow)) yield* Effect.flatMap(checks, tell)
    const { probe = true } = options
    yield* openHandsChecks(workflow, { environment, redact, probe, tell })
  }
  yield* Console.log(Check.summary(all))
  return Check.isBad(all) ? failed : 0
})

/** Looks until it is done or a signal comes: what was started for a look ends in either case. */
export const examine = (options: DoctorOptions, environment: Environment) =>
  Effect.gen(function* () {
    const signal = yield* Signals.first
    const stopped = Effect.map(Deferred.await(signal), (name) => Signals.exitStatus[name])
    return yield* Effect.raceFirst(look(options, environment), stopped)
  }).pipe(Effect.scoped)
