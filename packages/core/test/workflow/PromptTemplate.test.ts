import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { IssueId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import * as Problem from "../../src/workflow/Problem.ts"
import * as PromptTemplate from "../../src/workflow/PromptTemplate.ts"
import { minimal, read, rendered } from "./ReadWorkflow.ts"

const bare = Issue.make({ id: IssueId("id-1"), identifier: "ABC-1", title: "Mend it", state: "Todo" })

const full = Issue.make({
  ...bare,
  description: "It is broken.",
  priority: 2,
  stateType: "started",
  branchName: "abc-1",
  url: "https://example.test/1",
  assigneeId: "ada",
  labels: ["Bug", "ui"],
  parentId: IssueId("id-0"),
  blockedBy: [{ id: IssueId("id-2"), identifier: "ABC-2", state: "Done", note: null }],
  subIssues: [{ id: IssueId("id-3"), identifier: "ABC-3", state: null, note: "not on the board" }],
  nativeRef: "issues/abc-1.md",
  createdAtMs: 0,
  updatedAtMs: 86_400_000
})

const compile = (text: string) =>
  PromptTemplate.compile({ text, path: "WORKFLOW.md", position: { line: 10, column: 1 } })

/** The prompt, or the message of what went wrong. */
const render = (text: string, issue = full, attempt: number | null = null): string => {
  const template = compile(text)
  if (Result.isFailure(template)) throw new Error(template.failure.map(Problem.render).join("\n"))
  const prompt = PromptTemplate.render(template.success, { issue, attempt })
  return Result.isSuccess(prompt) ? prompt.success : prompt.failure.message
}

const problems = (text: string): ReadonlyArray<string> => {
  const template = compile(text)
  return Result.isFailure(template) ? template.failure.map(Problem.render) : []
}

const fields = [
  "id identifier title description priority state state_type branch_name url assignee_id parent_id native_ref",
  "dispatchable created_at updated_at"
].flatMap((names) => names.split(" "))

describe("a prompt", () => {
  it("knows every field of the issue", () => {
    const text = fields.map((name) => `${name}={{ issue.${name} }}`).join("\n")
    assert.deepStrictEqual(render(text).split("\n"), [
      "id=id-1",
      "identifier=ABC-1",
      "title=Mend it",
      "description=It is broken.",
      "priority=2",
      "state=Todo",
      "state_type=started",
      "branch_name=abc-1",
      "url=https://example.test/1",
      "assignee_id=ada",
      "parent_id=id-0",
      "native_ref=issues/abc-1.md",
      "dispatchable=true",
      "created_at=1970-01-01T00:00:00.000Z",
      "updated_at=1970-01-02T00:00:00.000Z"
    ])
  })

  it("knows labels, blockers and sub-issues as lists", () => {
    assert.strictEqual(
      render(
        "{{ issue.labels | join: '+' }} {% for b in issue.blocked_by %}{{ b.id }} {{ b.identifier }} {{ b.state }}{% endfor %} {{ issue.sub_issues.first.identifier }}[{{ issue.sub_issues[0].state }}] {{ issue.labels.size }}"
      ),
      "bug+ui id-2 ABC-2 Done ABC-3[] 2"
    )
  })

  it("finds unknown values empty, not missing", () => {
    const text = fields.map((name) => `{{ issue.${name} }}`).join("|")
    assert.strictEqual(render(text, bare), "id-1|ABC-1|Mend it|||Todo|||||||true||")
    assert.strictEqual(render("{{ issue.labels }}{{ issue.blocked_by }}{{ issue.sub_issues }}{{ attempt }}", bare), "")
  })

  it("knows the attempt", () => {
    assert.strictEqual(render("{% if attempt %}again {{ attempt }}{% else %}first{% endif %}", bare, 3), "again 3")
    assert.strictEqual(render("{% if attempt %}again {{ attempt }}{% else %}first{% endif %}", bare, null), "first")
  })

  it("does not take the issue's text for a template", () => {
    assert.strictEqual(
      render("{{ issue.title }}", { ...bare, title: "{{ issue.id }} {% if %}" }),
      "{{ issue.id }} {% if %}"
    )
  })

  it("formats times in UTC, wherever it runs", () => {
    assert.strictEqual(render("{{ issue.created_at | date: '%Y-%m-%d %H:%M %z' }}"), "1970-01-01 00:00 +0000")
  })

  it("is the same each time it is rendered", () => {
    const text = "{% increment n %}{% increment n %}{% assign a = 1 %}{{ a }}"
    const template = Result.getOrThrow(compile(text))
    const once = () => Result.getOrThrow(PromptTemplate.render(template, { issue: full, attempt: null }))
    assert.deepStrictEqual([once(), once()], ["011", "011"])
  })

  it("has what it assigns, captures, counts and loops over", () => {
    assert.strictEqual(
      render(
        "{% assign a = issue.title | upcase %}{% capture c %}<{{ a }}>{% endcapture %}{{ c }}{% increment n %}{% for l in issue.labels %}{{ forloop.index }}{{ l }}{% if forloop.last %}!{% endif %}{% endfor %}"
      ),
      "<MEND IT>01bug2ui!"
    )
  })

  it("has in later rounds of a loop what earlier ones assigned", () => {
    const text =
      "{% for l in issue.labels %}{% unless forloop.first %}{{ last }}{% endunless %}{% assign last = l %}{% endfor %}"
    assert.strictEqual(render(text), "bug")
  })

  it("may be any text without Liquid", () => {
    assert.strictEqual(render("100 % { done } }} %}"), "100 % { done } }} %}")
  })
})

describe("the default prompt", () => {
  it("stands in for a blank one and names identifier, title and description", () => {
    const prompt = render(" \n", full)
    assert.match(prompt, /^You are working on issue ABC-1: Mend it\n\nIt is broken\.\n\nYour working directory/)
    assert.notInclude(prompt, "attempt")
  })

  it("copes without a description and says when it is not the first run", () => {
    const prompt = render("", bare, 2)
    assert.include(prompt, "\n\nThe issue has no description; its title is all there is to go by.\n\n")
    assert.match(prompt, /\n\nThis is not the first run on this issue \(attempt 2\)\. [^\n]+$/)
  })
})

/** Templates, and what is said about them before anything runs. */
const refused: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["{{ isue.title }}", ["10:4: unknown variable isue; did you mean issue?"]],
  ["{{ title }}", ["10:4: unknown variable title; did you mean issue.title?"]],
  ["{{ whatever }}", ["10:4: unknown variable whatever; a prompt knows issue, attempt, and what it assigns itself"]],
  ["{{ issue.titel }}", ["10:4: unknown variable issue.titel; did you mean issue.title?"]],
  ["{{ issue['titel'] }}", ["10:4: unknown variable issue.titel; did you mean issue.title?"]],
  ["{{ issue.state.name }}", ["10:4: unknown variable issue.state.name; issue.state has size"]],
  ["{{ issue.constructor }}", ["10:4: unknown variable issue.constructor; issue has "]],
  [
    "{{ issue.blocked_by.first.titel }}",
    ["10:4: unknown variable issue.blocked_by.first.titel; issue.blocked_by.first has id, identifier, state"]
  ],
  [
    "{% if false %}\n  {{ issue.titel }}\n{% endif %}",
    ["11:6: unknown variable issue.titel; did you mean issue.title?"]
  ],
  ["{% if attempt %}{% elsif nope == 1 %}{% endif %}", ["10:26: unknown variable nope; a prompt "]],
  ["{% case attempt %}{% when nope %}{% endcase %}", ["10:27: unknown variable nope; a prompt "]],
  [
    "{% for b in issue.blocked_by %}{{ b.identifer }}{% endfor %}",
    ["10:35: unknown variable b.identifer; did you mean b.identifier?"]
  ],
  ["{% for b in issue.labels %}{% endfor %}{{ b }}", ["10:43: unknown variable b; a prompt "]],
  ["{{ a }}{% assign a = 1 %}", ["10:4: unknown variable a; a prompt "]],
  ["{{ issue.title | append: nope }}", ["10:26: unknown variable nope; a prompt "]],
  ["{{ issue[nope] }}", ["10:10: unknown variable nope; a prompt "]],
  ["{% assign i = issue %}{{ i.titel }}", ["10:26: unknown variable i.titel; did you mean i.title?"]],
  ["{{ now }}", ["10:4: unknown variable now; a prompt "]],
  ["{% if attempt %}{{ issue.title | upcas }}{% endif %}", ["10:34: unknown filter upcas; did you mean upcase?"]],
  ["{% cycle 'a' | foo, 'b' %}", ["10:16: unknown filter foo; "]],
  [
    "{{ 'now' | date: '%Y' }}",
    ["10:4: a prompt may not read the clock; use a time of the issue, such as issue.created_at"]
  ],
  ["{% if attempt %}{% esle %}{% endif %}", ["10:17: unknown tag esle; "]],
  [
    "{% fro l in issue.labels %}{{ nope }}{% endfro %}",
    ["10:1: unknown tag fro; did you mean for?", "10:31: unknown variable nope; a prompt "]
  ],
  ["{% render 'x' %}", ["10:1: unknown tag render; "]],
  [
    "a\n{% include 'x' %}{% layout 'x' %}{% block a %}{% endblock %}",
    ["11:1: unknown tag include; ", "11:18: unknown tag layout; ", "11:34: unknown tag block; "]
  ],
  ["{% endif %}", ["10:1: the tag endif stands outside of what it belongs to; "]],
  ["{% if attempt %}", ["10:1: tag {% if attempt %} not closed; mend the Liquid syntax here"]],
  ["x\n\n{{ issue.title", ['12:1: output "{{ issue.title" not closed; mend the Liquid syntax here']],
  ["{% if %}{% endif %}", ['10:6: invalid value expression: ""; mend the Liquid syntax here']],
  ["{{ issue.labels | where_exp: 'a', 'nope' }}", ["10:19: unknown filter where_exp; "]],
  ["{% liquid\n  assign x = issue.title\n  echo x | upcas\n%}", ["12:12: unknown filter upcas; did you mean upcase?"]]
]

describe("a template that can never work", () => {
  for (const [text, expected] of refused) {
    it(`is refused: ${JSON.stringify(text)}`, () => {
      const found = problems(text)
      assert.strictEqual(found.length, expected.length, found.join("\n"))
      for (const [index, start] of expected.entries()) {
        const [position = "", ...message] = start.split(": ")
        assert.include(found[index], `WORKFLOW.md:${position}: prompt: ${message.join(": ")}`)
      }
    })
  }

  it("is not what a comment or raw text says", () => {
    assert.strictEqual(
      render("{% comment %}{% foo %}{{ nope }}{% endcomment %}{% raw %}{{ nope }}{% endraw %}"),
      "{{ nope }}"
    )
  })

  it("is not a name that differs by the way through the template", () => {
    const text = "{% assign x = issue %}{% if attempt %}{% assign x = issue.title %}{% else %}{{ x.id }}{% endif %}"
    assert.strictEqual(render(text), "id-1")
  })

  it("is placed in the file, behind the front matter, also with CRLF", () => {
    const text = minimal("", "\n\n  {{ issue.titel }}\n\n{{ nope }}").replaceAll("\n", "\r\n")
    assert.deepStrictEqual(
      read(text).problems.map(({ column, line }) => [line, column]),
      [
        [9, 6],
        [11, 4]
      ]
    )
    assert.deepStrictEqual(rendered(read(minimal("", "{{ issue.id }}"))), [])
  })
})

describe("what only shows when a prompt is rendered", () => {
  it("fails with the place", () => {
    assert.strictEqual(
      render("a\n  {{ issue.blocked_by[4].id }}"),
      "WORKFLOW.md:11:6: prompt: undefined variable: issue.blocked_by.4; mend this place, or guard it with {% if %}"
    )
  })

  it("fails when a computed value asks for the clock", () => {
    assert.strictEqual(
      render("{% assign n = 'no' | append: 'w' %}{{ n | date: '%Y' }}"),
      "WORKFLOW.md:10:36: prompt: a prompt may not read the clock; use a time of the issue, such as issue.created_at"
    )
    assert.include(render("{{ issue.title | date_to_rfc822 }}", { ...bare, title: "today" }), "may not read the clock")
  })

  it("ends a prompt that grows without end", () => {
    const doubling = "{% capture a %}{{ a }}{{ a }}{% endcapture %}"
    assert.include(
      render(`{% assign a = 'xx' %}${doubling.repeat(30)}{{ a | size }}`),
      "grows beyond 1000000 characters"
    )
    assert.include(
      render("{{ issue.title }}", { ...bare, title: "x".repeat(1_000_001) }),
      "grows beyond 1000000 characters"
    )
    assert.include(render("{% for i in (1..99999999999) %}{% endfor %}"), "memory alloc limit exceeded")
  })

  it("ends a template that runs without end", () => {
    const loops = "{% for i in (1..3000) %}".repeat(3) + "{% endfor %}".repeat(3)
    assert.match(render(loops), /more than 1000000 steps|memory alloc limit exceeded/)
  })
})
