/**
 * `opensymphony demo linear`: the quickstart's issues in a Linear that runs in this process, worked off by the quickstart's
 * agent. Needs neither an account nor a key.
 */
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import type { Issue } from "@opensymphony/core/domain/Issue"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Effect from "effect/Effect"
import * as RunProgram from "../run/RunProgram.ts"
import * as Scene from "./Scene.ts"

const team = "GARDEN"
const keyVariable = "OPENSYMPHONY_DEMO_KEY"

/** The issues get the numbers that they have in the quickstart: they are made in that order. */
const fill = (linear: FakeLinear.FakeLinear, issues: ReadonlyArray<Issue>): void => {
  for (const { createdAtMs, description, labels, priority, state, title } of issues) {
    linear.createIssue({
      team,
      project: linear.project.id,
      title,
      description,
      priority: priority ?? 0,
      state,
      labels,
      ...(createdAtMs === null ? {} : { createdAt: createdAtMs })
    })
  }
  for (const { blockedBy, identifier, parentId } of issues) {
    const blockers = blockedBy.map((blocker) => blocker.identifier)
    if (blockers.length > 0) linear.setBlockedBy(identifier, blockers)
    const parent = issues.find(({ id }) => id === parentId)
    if (parent !== undefined) linear.setParent(identifier, parent.identifier)
  }
}

const trackerSection = (linear: FakeLinear.FakeLinear) => ({
  kind: "linear",
  endpoint: linear.url,
  project_slug: linear.projectUrl,
  api_key: `$${keyVariable}`
})

const comments = (linear: FakeLinear.FakeLinear) => linear.entities("Comment").length

/** Runs the demonstration; the status is what the process should exit with. `say` tells people what they see. */
export const run = Effect.fnUntraced(function* (environment: Environment, say: (line: string) => void) {
  const own = yield* Scene.environmentOfAgents(environment)
  const linear = yield* FakeLinear.make({
    teams: [{ key: team, name: "Garden" }],
    project: { name: "Garden handbook" }
  })
  const scene = yield* Scene.make("linear", { tracker: trackerSection(linear) })
  fill(linear, scene.issues)
  say(`A Linear of this demonstration's own listens on ${linear.origin}, with ${scene.issues.length} issues in it.`)
  say(`The workflow is ${scene.workflow}: compare its tracker section with the quickstart's.`)
  say("The agents move their issues with `opensymphony tool move_issue`; the key stays in this process.")
  say("")
  const status = yield* RunProgram.run(
    { workflow: scene.workflow, untilIdle: true, logFormat: null, strict: false },
    { ...own, [keyVariable]: linear.apiKey }
  )
  const { requests } = linear.counters()
  say("")
  say(`That took ${requests} requests to Linear, and left ${comments(linear)} comments.`)
  say(`The workspaces are in ${scene.directory}/workspaces. Delete ${scene.directory} when you have seen enough.`)
  return status
}, Effect.scoped)
