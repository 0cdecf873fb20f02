import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { accept, minimal, read, rendered } from "./ReadWorkflow.ts"

const rootOf = (root: string, environment = {}) =>
  accept(minimal(`workspace: {root: ${JSON.stringify(root)}}\n`), { environment }).workspace.root

const rootProblem = (root: string, surrounding = {}) =>
  rendered(read(minimal(`workspace: {root: ${JSON.stringify(root)}}\n`), surrounding)).map((line) =>
    line.replace("error /project/WORKFLOW.md:6:19: workspace.root: ", "")
  )

describe("a path", () => {
  const environment = { BASE: "/srv/base", NAME: "team", TILDE: "~/deep" }
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["work", "/project/work"],
    ["../tasks/./x//", "/tasks/x"],
    ["/a/../../b/", "/b"],
    ["~", "/home/ada"],
    ["~/work", "/home/ada/work"],
    ["a/~/b", "/project/a/~/b"],
    ["$BASE", "/srv/base"],
    ["${BASE}/x", "/srv/base/x"],
    ["/w/$NAME-${NAME}", "/w/team-team"],
    ["${TILDE}/x", "/home/ada/deep/x"],
    ["cost$5", "/project/cost$5"]
  ]
  for (const [written, meant] of cases) {
    it(`${written} is ${meant}`, () => assert.strictEqual(rootOf(written, environment), meant))
  }

  it("names the variable that is missing, or empty", () => {
    const message = "is not set, or empty; set it before starting, or change this value"
    assert.deepStrictEqual(rootProblem("/w/${NOPE}/x"), [`the environment variable NOPE ${message}`])
    assert.deepStrictEqual(rootProblem("$NOPE", { environment: { NOPE: " " } }), [
      `the environment variable NOPE ${message}`
    ])
  })

  it("must close its braces", () => {
    assert.deepStrictEqual(rootProblem("${BASE/x", { environment }), ["`${BASE/x` is no variable; write ${NAME}"])
  })

  it("may not mean another person's home, or a home that there is not", () => {
    assert.deepStrictEqual(rootProblem("~bob/x"), [
      "only `~` and `~/...` stand for a home directory; write the full path"
    ])
    assert.deepStrictEqual(rootProblem("~/x", { homeDirectory: null }), [
      "`~` needs a home directory and there is none; set HOME or write the full path"
    ])
  })
})

describe("a setting that takes $NAME", () => {
  const linear = (settings: string, environment: Record<string, string>) =>
    read(`---\ntracker: {kind: linear, ${settings}}\ncommand: {run: a}\n---\n`, {
      environment,
      knownTrackerKinds: ["linear"]
    })
  const trackerOf = (settings: string, environment: Record<string, string>) => {
    const tracker = linear(settings, environment).workflow?.tracker
    if (tracker?.kind !== "linear") throw new Error(rendered(linear(settings, environment)).join("\n"))
    return tracker
  }

  it("is read from the environment, in both spellings, trimmed", () => {
    const tracker = trackerOf("api_key: $KEY, project_slug: '${SLUG}', endpoint: $URL", {
      KEY: "k-1\n",
      SLUG: "proj",
      URL: "https://example.test/graphql"
    })
    assert.strictEqual(Redacted.value(tracker.apiKey), "k-1")
    assert.strictEqual(tracker.projectSlug, "proj")
    assert.strictEqual(tracker.endpoint, "https://example.test/graphql")
  })

  it("is not read from it when there is more text around", () => {
    assert.strictEqual(trackerOf("api_key: k, project_slug: x-$SLUG", { SLUG: "proj" }).projectSlug, "x-$SLUG")
  })

  it("falls back to LINEAR_API_KEY only when no key is given", () => {
    const environment = { LINEAR_API_KEY: "fallback" }
    assert.strictEqual(Redacted.value(trackerOf("project_slug: p", environment).apiKey), "fallback")
    assert.deepStrictEqual(rendered(linear("project_slug: p, api_key: $KEY", environment)), [
      "error /project/WORKFLOW.md:2:51: tracker.api_key: the environment variable KEY is not set, or empty; set it before starting, or change this value"
    ])
  })

  it("is asked for when it is missing", () => {
    assert.deepStrictEqual(rendered(linear("assignee: me", {})), [
      "error /project/WORKFLOW.md:2:1: tracker.api_key: is missing; set the environment variable LINEAR_API_KEY, or add `api_key: $NAME`",
      "error /project/WORKFLOW.md:2:1: tracker.project_slug: is missing; add `project_slug:` with the last part of the project's address"
    ])
  })

  it("shows its value in no problem and no dump", () => {
    const environment = { KEY: "s3cret", URL: "s3cret-url" }
    const parsed = linear("api_key: $KEY, endpoint: $URL, project_slug: [s3cret]", environment)
    assert.strictEqual(parsed.problems.length, 2)
    assert.notInclude(rendered(parsed).join("\n"), "s3cret")
    assert.notInclude(rendered(read("---\ntracker:\n  api_key: 's3cret' x: s3cret\n---\n")).join("\n"), "s3cret")
    assert.notInclude(JSON.stringify(trackerOf("api_key: $KEY, project_slug: p", environment)), "s3cret")
  })

  it("is left alone in all other settings", () => {
    assert.strictEqual(accept(minimal("hooks: {before_run: $SCRIPT}\n")).hooks.beforeRun, "$SCRIPT")
  })
})
