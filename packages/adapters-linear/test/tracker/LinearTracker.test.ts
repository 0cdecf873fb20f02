import { assert, describe, it } from "@effect/vitest"
import { TrackerBackend } from "@opensymphony/core/ports/TrackerBackend"
import type { LinearTrackerSettings } from "@opensymphony/core/workflow/Workflow"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import * as LinearTracker from "../../src/LinearTracker.ts"
import * as Scene from "./Scene.ts"

const settings = (over: Partial<LinearTrackerSettings>): LinearTrackerSettings => ({
  kind: "linear",
  endpoint: "https://api.linear.app/graphql",
  apiKey: Redacted.make("lin_api_key"),
  projectSlug: "symphony",
  assignee: null,
  activeStates: ["Todo"],
  terminalStates: ["Done"],
  requiredLabels: [],
  webhook: null,
  workpadMarkers: [],
  rawQueries: false,
  ...over
})

const build = (over: Partial<LinearTrackerSettings>, options?: LinearTracker.LinearTrackerOptions) =>
  Effect.map(Layer.build(LinearTracker.layer(settings(over), options)), Context.get(TrackerBackend))

describe("the layer of the Linear tracker", () => {
  it.live("asks nothing when it is built, and reads when it is asked", () =>
    Effect.gen(function* () {
      const { linear } = yield* Scene.make()
      Scene.issues(linear, 2)
      const tracker = yield* build({
        endpoint: linear.url,
        apiKey: Redacted.make(linear.apiKey),
        projectSlug: linear.projectUrl
      })
      assert.lengthOf(linear.requests(), 0)
      assert.lengthOf((yield* tracker.candidateIssues).issues, 2)
    }).pipe(Scene.quietly)
  )

  it.live.each<[what: string, over: Partial<LinearTrackerSettings>]>([
    ["a key with a line break", { apiKey: Redacted.make("lin_api\nkey") }],
    ["an endpoint that others can listen to", { endpoint: "http://linear.example.org/graphql" }]
  ])("cannot be built with %s", ([, over]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(build(over))
      assert.strictEqual(error._tag, "LinearConfigurationError")
      assert.notInclude(error.message, "lin_api")
    })
  )

  it.live("is woken by what it is given", () =>
    Effect.gen(function* () {
      const tracker = yield* build({}, { changes: Stream.make(undefined, undefined) })
      assert.lengthOf(yield* Stream.runCollect(tracker.changes), 2)
      assert.lengthOf(yield* Stream.runCollect((yield* build({})).changes), 0)
    })
  )
})
