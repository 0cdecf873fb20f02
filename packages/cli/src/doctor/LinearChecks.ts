/** What a workflow says about Linear against what Linear says: key, project, states, labels, budget. Only reads. */
import * as LinearApi from "@opensymphony/adapters-linear/LinearApi"
import * as LinearLabels from "@opensymphony/adapters-linear/LinearLabels"
import * as LinearProject from "@opensymphony/adapters-linear/LinearProject"
import type { LinearTrackerSettings } from "@opensymphony/core/workflow/Workflow"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Check from "./Check.ts"

const subject = "linear"

const tightShare = 0.2

const allowance = (what: string, left: LinearApi.Allowance | null): Check.Check => {
  if (left === null) return Check.skip(subject, `Linear said nothing about the budget of ${what}`)
  const { limit, remaining, resetAtMs } = left
  const reset = resetAtMs === null ? "" : `, full again by ${DateTime.formatIso(DateTime.makeUnsafe(resetAtMs))}`
  const message = `${remaining} of ${limit} ${what} an hour are left${reset}`
  if (remaining >= tightShare * limit) return Check.pass(subject, message)
  return Check.warn(subject, `${message}; everything that uses this key shares them: find out what else does`)
}

const labels = (api: LinearApi.LinearApiService, { requiredLabels }: LinearTrackerSettings) =>
  Effect.map(LinearLabels.missing(api, requiredLabels), (missing) => {
    if (requiredLabels.length === 0) return [Check.skip(subject, "the workflow requires no label")]
    return missing.length === 0
      ? [Check.pass(subject, `the required labels exist: ${requiredLabels.join(", ")}`)]
      : [Check.warn(subject, `no label is called ${missing.join(", ")}; make it, or correct tracker.required_labels`)]
  })

/** The names of these states, each once: teams share most of them. */
const namesOf = ({ teams }: LinearProject.LinearProject, ids: ReadonlyArray<string>): string => {
  const names = teams.flatMap(({ states }) => states.filter(({ id }) => ids.includes(id)).map(({ name }) => name))
  return [...new Set(names)].join(", ")
}

const project = (found: LinearProject.LinearProject) => {
  const { activeStateIds, assignee, name, teams, terminalStateIds, url, viewer, warnings } = found
  const keys = teams.map(({ key }) => key).join(", ")
  const whose = assignee === null ? "anybody" : assignee.name
  return [
    Check.pass(subject, `the key is ${viewer.name}'s`),
    Check.pass(subject, `project ${JSON.stringify(name)} (${url}) of ${keys}, issues of ${whose}`),
    Check.pass(
      subject,
      `works on issues in ${namesOf(found, activeStateIds)}; finished are ${namesOf(found, terminalStateIds)}`
    ),
    ...warnings.map((warning) => Check.warn(subject, warning))
  ]
}

/** Asks Linear; whatever it refuses is a failed check. */
export const all = (settings: LinearTrackerSettings): Effect.Effect<ReadonlyArray<Check.Check>> =>
  Effect.gen(function* () {
    const api = yield* LinearApi.make(settings)
    const found = yield* LinearProject.resolve(api, settings)
    const aboutLabels = yield* labels(api, settings)
    const { complexity, requests } = yield* api.budget
    return [
      ...project(found),
      ...aboutLabels,
      allowance("requests", requests),
      allowance("complexity points", complexity)
    ]
  }).pipe(Effect.catch(({ message }) => Effect.succeed([Check.fail(subject, message)])))
