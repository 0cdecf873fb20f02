import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { IssueId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import * as PromptTemplate from "../../src/workflow/PromptTemplate.ts"
import { minimal, read, rendered } from "./ReadWorkflow.ts"

const rich = minimal(
  `hooks:
  after_create: |
    git clone "$REPO" .
  env: [REPO, &name TOKEN]
agent: {max_turns: 3, max_concurrent_agents_by_state: {Todo: 1}}
workspace: {root: "~/\${TEAM}/x", remove: never}
openhands: {a: [*name, {b: null}]}
runtime: {kind: command}
`,
  `{% if attempt %}{{ attempt }}{% else %}{{ issue.title | append: "x" }}{% endif %}
{% for b in issue.blocked_by %}{{ b.state }}{{ forloop.index }}{% endfor %}
{% assign x = issue.labels | join: ", " %}{% case x %}{% when "a" %}{{ x }}{% endcase %}{% raw %}{{{% endraw %}`
)

const environment = { TEAM: "team", REPO: "repo", SECRET: "s3cret" }
const issue = Issue.make({ id: IssueId("1"), identifier: "A-1", title: "T", state: "Todo" })

/** Reading must end in a verdict: a workflow that renders or fails in order, or at least one error. */
const verdict = (text: string): void => {
  const parsed = read(text, { environment, knownTrackerKinds: ["files", "linear"] })
  const lines = rendered(parsed)
  for (const line of lines)
    assert.match(line, /^(?:error|warning) \/project\/WORKFLOW\.md:\d+:\d+: [^\n\r]*: [^\n\r]*$/)
  if (parsed.workflow === null)
    assert.isTrue(
      parsed.problems.some(({ severity }) => severity === "error"),
      text
    )
  else Result.isSuccess(PromptTemplate.render(parsed.workflow.prompt, { issue, attempt: null }))
}

describe("any text", () => {
  it("is the good one to begin with", () => {
    assert.deepStrictEqual(rendered(read(rich, { environment })), [])
  })

  it("gets a verdict when it is cut off anywhere", () => {
    for (let end = 0; end <= rich.length; end++) verdict(rich.slice(0, end))
  })

  it("gets a verdict when any character is missing, doubled or replaced", () => {
    const replacements = ["", "\n", "\t", "'", '"', "{", "}", "%", "*", "&", "|", ":", "\0", "\u{FEFF}", "\u{D800}"]
    for (let at = 0; at < rich.length; at++) {
      const replacement = replacements[at % replacements.length] ?? ""
      verdict(rich.slice(0, at) + replacement + rich.slice(at + 1))
      verdict(rich.slice(0, at) + rich.slice(at, at + 1) + rich.slice(at))
    }
  })

  const words = [
    "---\n~\r\n~: ~- ~  ~tracker~kind~files~command~run~agent~max_turns~hooks~&a ~*a~[~]~{~}~,~'~\"~|~>~!!binary ~!x ",
    "%YAML 1.1\n~<<~#~?~$X~${X~1e999~-1~.inf~__proto__~{{~}}~{%~%}~{%-~issue~.title~| upcase~if ~endif~for x in ",
    "(1..9)~raw~0"
  ].flatMap((some) => some.split("~"))
  const text = Arbitrary.schema(Schema.Array(Schema.Literals(words))).pipe(Arbitrary.map((parts) => parts.join("")))

  it.prop("gets a verdict when it is put together at random", { text }, ({ text }) => {
    verdict(text)
    verdict(`---\n${text}\n---\n${text}`)
    verdict(minimal(`${text}\n`, text))
  })

  it("is refused when it is enormous", () => {
    const parsed = read(minimal("", "x".repeat(300_000)))
    assert.isNull(parsed.workflow)
    assert.include(rendered(parsed).join(), "the file is longer than 262144 characters; shorten it")
  })

  it("is refused when it is nested beyond any stack", () => {
    for (const [open, close] of [
      ["{% if issue %}", "{% endif %}"],
      ["{% for x in issue.labels %}", "{% endfor %}"]
    ] as const) {
      for (const depth of [1_000, 3_000, 6_000]) verdict(minimal("", open.repeat(depth) + close.repeat(depth)))
    }
    verdict(minimal("", `{{ ${"issue[".repeat(9_000)}`))
    verdict(minimal(`openhands: ${"{a: ".repeat(9_000)}`))
  })
})
