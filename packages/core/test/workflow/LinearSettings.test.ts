import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import type { LinearTrackerSettings } from "../../src/workflow/Workflow.ts"
import { accept, read, rendered } from "./ReadWorkflow.ts"

const surrounding = { knownTrackerKinds: ["linear"] as const, environment: { HOOK: "whsec_1" } }

const text = (settings: string): string =>
  `---\ntracker:\n  kind: linear\n  api_key: abc\n  project_slug: p-1\n${settings}command: {run: a}\n---\n`

const linear = (settings: string): LinearTrackerSettings => {
  const { tracker } = accept(text(settings), surrounding)
  if (tracker.kind !== "linear") throw new Error("not linear")
  return tracker
}

const problems = (settings: string) => rendered(read(text(settings), surrounding))

describe("settings of the Linear tracker", () => {
  it("has no webhook, the usual workpads and no raw queries unless it says so", () => {
    const { rawQueries, webhook, workpadMarkers } = linear("")
    assert.deepStrictEqual(
      { rawQueries, webhook, workpadMarkers },
      { rawQueries: false, webhook: null, workpadMarkers: ["## Agent Harness Workpad", "## Codex Workpad"] }
    )
  })

  it("reads a webhook: its secret from the environment, loopback and a path by default", () => {
    const { webhook } = linear("  webhook: {secret: $HOOK, bind: 8787}\n")
    if (webhook === null) throw new Error("no webhook")
    const { secret, ...rest } = webhook
    assert.strictEqual(Redacted.value(secret), "whsec_1")
    assert.deepStrictEqual(rest, { host: "127.0.0.1", port: 8787, path: "/linear" })
  })

  it.each([
    ["0.0.0.0:80", "0.0.0.0", 80],
    ["hooks.example.org:9000", "hooks.example.org", 9000],
    ["[::1]:9000", "::1", 9000]
  ])("listens where it is told: %s", (bind, host, port) => {
    const { webhook } = linear(`  provider: {webhook: {secret: a, bind: "${bind}", path: /hooks}}\n`)
    assert.deepStrictEqual([webhook?.host, webhook?.port, webhook?.path], [host, port, "/hooks"])
  })

  it.each([
    ["bind: 0", "but is 0;"],
    ["bind: 65536", "but is 65536"],
    ["bind: 'a b:1'", 'but is the text "a b:1"'],
    ["bind: []", "but is a list"]
  ])("refuses a place that nothing can listen on: %s", (bind, what) => {
    const [problem] = problems(`  webhook: {secret: a, ${bind}}\n`)
    assert.include(problem, "tracker.webhook.bind: must be a port (1 to 65535) or host:port, ")
    assert.include(problem, what)
  })

  it("says what a webhook lacks", () => {
    assert.deepStrictEqual(problems("  webhook: {path: linear}\n"), [
      "error /project/WORKFLOW.md:6:12: tracker.webhook.secret: is missing; add `secret: $NAME` with the signing secret of the webhook",
      "error /project/WORKFLOW.md:6:12: tracker.webhook.bind: is missing; add `bind:` with the port to listen on, such as 8787",
      "error /project/WORKFLOW.md:6:19: tracker.webhook.path: must begin with / and have no blank, ? or #; write for example /linear"
    ])
  })

  it("refuses a webhook that is no section", () => {
    assert.deepStrictEqual(problems("  webhook: true\n"), [
      "error /project/WORKFLOW.md:6:12: tracker.webhook: must be a section with `secret:` and `bind:`; write them below it"
    ])
  })

  it("reads own markers and raw queries", () => {
    const { rawQueries, workpadMarkers } = linear("  workpad_markers: ['## Notes']\n  raw_queries: true\n")
    assert.deepStrictEqual([rawQueries, workpadMarkers], [true, ["## Notes"]])
  })

  it("refuses raw queries that are neither on nor off", () => {
    assert.lengthOf(problems("  raw_queries: some\n"), 1)
  })
})
