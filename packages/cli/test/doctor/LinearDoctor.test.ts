import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import { FakeLinear } from "@opensymphony/adapters-linear/testing"
import { Effect, FileSystem, Layer } from "effect"
import { TestConsole } from "effect/testing"
import { examine } from "../../src/doctor/DoctorProgram.ts"

const platform = Layer.mergeAll(NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer)), TestConsole.layer)

interface Scene {
  readonly project?: string
  /** Added to the tracker section. */
  readonly tracker?: string
  readonly key?: string
}

/** What the doctor says of a workflow on a Linear with one issue. */
const look = Effect.fnUntraced(function* (scene: Scene) {
  const fs = yield* FileSystem.FileSystem
  const linear = yield* FakeLinear.make()
  linear.createIssue({ title: "A task", state: "Todo", project: linear.project.id, labels: ["backend"] })
  const directory = yield* fs.makeTempDirectoryScoped()
  const workflow = `${directory}/WORKFLOW.md`
  const slug = scene.project ?? linear.projectUrl
  yield* fs.writeFileString(
    workflow,
    `---\ntracker:\n  kind: linear\n  endpoint: ${linear.url}\n  project_slug: "${slug}"\n${scene.tracker ?? ""}workspace: {root: ws}\ncommand: {run: "true"}\n---\nDo {{ issue.title }}.\n`
  )
  const status = yield* examine({ workflow }, { LINEAR_API_KEY: scene.key ?? linear.apiKey })
  const lines = (yield* TestConsole.logLines).map(String)
  assert.notInclude(lines.join("\n"), linear.apiKey)
  return { status, lines }
})

const finds = (name: string, scene: Scene, expected: RegExp, expectedStatus: number) =>
  it.live(name, () =>
    Effect.gen(function* () {
      const { lines, status } = yield* look(scene)
      assert.isTrue(
        lines.some((line) => expected.test(line)),
        lines.join("\n")
      )
      assert.strictEqual(status, expectedStatus)
    }).pipe(Effect.scoped, Effect.provide(platform))
  )

describe("opensymphony doctor with Linear", () => {
  finds(
    "names project, team and whose key it is",
    {},
    /^PASS {2}linear .*project "Symphony" .* of ENG, issues of anybody/,
    0
  )
  finds("shows the budget", {}, /^PASS {2}linear .*\d+ of \d+ requests an hour are left/, 0)
  finds("counts the candidates", {}, /^PASS {2}tracker .*answers with 1 issues in Todo, In Progress/, 0)
  finds("tells a key that Linear refuses", { key: "lin_api_wrong" }, /^FAIL {2}linear .*key/i, 1)
  finds("lists the projects that there are", { project: "no-such-0123456789ab" }, /^FAIL {2}linear .*Symphony/, 1)
  finds(
    "lists the states that there are",
    { tracker: "  active_states: [Ready]\n" },
    /^FAIL {2}linear .*Ready.*"Todo"/,
    1
  )
  finds(
    "finds a required label that nobody can have",
    { tracker: "  required_labels: [agnet]\n" },
    /^WARN {2}linear .*no label is called agnet/,
    0
  )
  finds(
    "knows labels whatever their case",
    { tracker: "  required_labels: [Backend]\n" },
    /^PASS {2}linear .*the required labels exist/,
    0
  )
})
