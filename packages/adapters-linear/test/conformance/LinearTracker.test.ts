import { describe, it } from "@effect/vitest"
import { IssueId } from "@opensymphony/core/domain/Ids"
import { type IssueDraft, type TrackerScene, trackerSuite, type TrackerSubject } from "@opensymphony/core/testing"
import { Effect, Redacted } from "effect"
import * as LinearApi from "../../src/LinearApi.ts"
import * as LinearTracker from "../../src/LinearTracker.ts"
import { FakeLinear } from "../../src/testing/index.ts"

const team = "ENG"

const subject: TrackerSubject = {
  announces: false,
  make: Effect.fnUntraced(function* (states) {
    const linear = yield* FakeLinear.make()
    const api = yield* LinearApi.make({ endpoint: linear.url, apiKey: Redacted.make(linear.apiKey) })
    const settings = { ...states, projectSlug: linear.project.slugId, assignee: null }
    const ids = new Map<string, string>()
    const idOf = (identifier: string) => ids.get(identifier) ?? identifier

    const ensureState = (name: string) => {
      if (!linear.entities("WorkflowState").some((state) => state.name === name)) {
        linear.createState(team, { name, type: "unstarted" })
      }
    }
    for (const name of [...states.activeStates, ...states.terminalStates]) ensureState(name)

    const put = ({ blockedBy = [], description, identifier, labels = [], priority, state, title }: IssueDraft) => {
      ensureState(state)
      const fields = { title, state, labels, description: description ?? null, priority: priority ?? 0 }
      const known = ids.get(identifier)
      const { id } =
        known === undefined
          ? linear.createIssue({ ...fields, project: linear.project.slugId })
          : linear.editIssue(known, fields)
      ids.set(identifier, id)
      linear.setBlockedBy(id, blockedBy.map(idOf))
      // Linear numbers issues itself; the suite wants them to have names of its own.
      linear.corrupt(id, { identifier })
      return IssueId(id)
    }

    const scene: TrackerScene = {
      tracker: LinearTracker.make(api, settings),
      put: (draft) => Effect.sync(() => put(draft)),
      move: (identifier, state) =>
        Effect.sync(() => {
          linear.moveIssue(idOf(identifier), state)
        }),
      remove: (identifier) => Effect.sync(() => linear.deleteIssue(idOf(identifier))),
      malform: (identifier) => Effect.sync(() => linear.corrupt(idOf(identifier), { identifier, title: null })),
      breakDown: Effect.sync(() => {
        linear.addFault({ fault: { kind: "unauthorized" } })
      }),
      mend: Effect.sync(linear.clearFaults)
    }
    return scene
  })
}

describe("LinearTracker", () => {
  for (const { effect, name } of trackerSuite(subject)) it.live(name, () => effect)
})
