import { assert, describe, it } from "@effect/vitest"
import { IssueId, RunId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import { issueVariables } from "../../src/workflow/IssueVariables.ts"
import { passedThrough, withheld } from "../../src/workflow/ShellEnvironment.ts"

describe("the environment of hooks and agents", () => {
  it("has the usual variables and those the workflow names, and nothing else", () => {
    const usual = Object.fromEntries(
      [
        "PATH HOME USER LOGNAME SHELL LANG LC_ALL LC_TIME TZ TERM TMPDIR SSH_AUTH_SOCK HTTP_PROXY HTTPS_PROXY NO_PROXY",
        "http_proxy https_proxy no_proxy SSL_CERT_FILE NODE_EXTRA_CA_CERTS"
      ].flatMap((names) => names.split(" ").map((name) => [name, `value of ${name}`]))
    )
    const secrets = { LINEAR_API_KEY: "a", AWS_SECRET_ACCESS_KEY: "b", path: "c", LCX: "d", NODE_OPTIONS: "e" }
    const environment = { ...usual, ...secrets, WANTED: "yes", EMPTY: "", GONE: undefined }
    assert.deepStrictEqual(passedThrough(environment, ["WANTED", "EMPTY", "GONE", "UNSET"]), {
      ...usual,
      WANTED: "yes",
      EMPTY: ""
    })
  })
})

describe("a variable that a script mentions and will not get", () => {
  const environment = { TOKEN: "t", OTHER: "o", PATH: "/bin", PWD: "/", EMPTY: "", OPENSYMPHONY_TURN: "1", LC_ALL: "C" }
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
    ["echo $TOKEN", ["TOKEN"]],
    ["echo ${TOKEN}", ["TOKEN"]],
    ["echo ${TOKEN:-none} ${#OTHER}", ["TOKEN", "OTHER"]],
    ["sh -c 'echo $TOKEN' \"$TOKEN\"", ["TOKEN"]],
    ["echo $TOKENS $UNSET $EMPTY TOKEN", []],
    ["echo $PATH $PWD $LC_ALL $OPENSYMPHONY_TURN", []],
    ["echo \\$TOKEN $$TOKEN", []],
    ["# needs $TOKEN\necho hi", []],
    ["echo '#'$TOKEN", ["TOKEN"]],
    ["TOKEN=1; echo $TOKEN", []],
    ["export TOKEN=1\necho $TOKEN", []],
    ["for TOKEN in a b; do echo $TOKEN; done", []],
    ["while read -r TOKEN OTHER; do echo $TOKEN $OTHER; done", []],
    ["A_TOKEN=1 echo $TOKEN", ["TOKEN"]]
  ]
  for (const [script, expected] of cases) {
    it(`${JSON.stringify(script)}: ${expected.join(", ") || "none"}`, () => {
      assert.deepStrictEqual(withheld(script, environment, []), expected)
    })
  }

  it("is none once the workflow names it", () => {
    assert.deepStrictEqual(withheld("echo $TOKEN $OTHER", environment, ["TOKEN"]), ["OTHER"])
  })
})

describe("the variables about the issue", () => {
  const issue = Issue.make({ id: IssueId("id-1"), identifier: "ABC-1", title: "Mend it", state: "In Progress" })
  const places = { workspacePath: "/srv/ABC-1", workflowPath: "/project/WORKFLOW.md" }

  it("are all there", () => {
    const facts = {
      issue: { ...issue, url: "https://x.test/1", branchName: "abc-1" },
      runId: RunId("run-7"),
      attempt: 2
    }
    assert.deepStrictEqual(issueVariables({ ...facts, ...places }), {
      OPENSYMPHONY_ISSUE_ID: "id-1",
      OPENSYMPHONY_ISSUE_IDENTIFIER: "ABC-1",
      OPENSYMPHONY_ISSUE_TITLE: "Mend it",
      OPENSYMPHONY_ISSUE_STATE: "In Progress",
      OPENSYMPHONY_ISSUE_URL: "https://x.test/1",
      OPENSYMPHONY_ISSUE_BRANCH: "abc-1",
      OPENSYMPHONY_RUN_ID: "run-7",
      OPENSYMPHONY_ATTEMPT: "2",
      OPENSYMPHONY_WORKSPACE: "/srv/ABC-1",
      OPENSYMPHONY_WORKFLOW: "/project/WORKFLOW.md"
    })
  })

  it("are empty for what is unknown, for a first run, and outside of a run", () => {
    const variables = issueVariables({ issue, runId: null, attempt: null, ...places })
    assert.deepStrictEqual(
      Object.entries(variables)
        .filter(([, value]) => value === "")
        .map(([name]) => name),
      ["OPENSYMPHONY_ISSUE_URL", "OPENSYMPHONY_ISSUE_BRANCH", "OPENSYMPHONY_RUN_ID", "OPENSYMPHONY_ATTEMPT"]
    )
  })

  it("hold what an operating system accepts, whatever the title", () => {
    const title = `a\0b${"😀".repeat(40_000)}`
    const value = issueVariables({ issue: { ...issue, title }, runId: null, attempt: null, ...places })[
      "OPENSYMPHONY_ISSUE_TITLE"
    ]
    assert.isTrue(value?.startsWith("ab😀"))
    assert.isBelow(new TextEncoder().encode(value).length, 131_072 - 64)
    assert.isTrue(value?.isWellFormed())
  })
})
