import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import { IssueId } from "../../src/domain/Ids.ts"
import * as Issue from "../../src/domain/Issue.ts"
import * as PromptTemplate from "../../src/workflow/PromptTemplate.ts"
import * as TemplateContext from "../../src/workflow/TemplateContext.ts"

const text = Schema.NullOr(Schema.String)
const reference = Schema.Struct({ id: Schema.String, identifier: Schema.String, state: text, note: text })

const inputs = Schema.Struct({
  id: Schema.String,
  identifier: Schema.String,
  title: Schema.String,
  state: Schema.String,
  description: text,
  priority: Schema.NullOr(Schema.Literals([1, 2, 3, 4])),
  stateType: text,
  branchName: text,
  url: text,
  assigneeId: text,
  labels: Schema.Array(Schema.String),
  parentId: text,
  blockedBy: Schema.Array(reference),
  subIssues: Schema.Array(reference),
  nativeRef: text,
  dispatchable: Schema.Boolean,
  createdAtMs: Schema.NullOr(Schema.Number),
  updatedAtMs: Schema.NullOr(Schema.Number)
})

const named = (references: ReadonlyArray<typeof reference.Type>) =>
  references.map((one) => ({ ...one, id: IssueId(one.id) }))

const issues = Arbitrary.schema(inputs).pipe(
  Arbitrary.map(({ blockedBy, id, parentId, subIssues, ...rest }) =>
    Issue.make({
      ...rest,
      id: IssueId(id),
      parentId: parentId === null ? null : IssueId(parentId),
      blockedBy: named(blockedBy),
      subIssues: named(subIssues)
    })
  )
)
const attempts = Schema.NullOr(Schema.Int)

const fields = [
  "id identifier title description priority state state_type branch_name url assignee_id labels parent_id blocked_by",
  "sub_issues native_ref dispatchable created_at updated_at"
].flatMap((names) => names.split(" "))
const bare = Issue.make({ id: IssueId("1"), identifier: "A-1", title: "", state: "" })

const isComplete = (value: unknown): boolean =>
  value !== undefined && (typeof value !== "object" || value === null || Object.values(value).every(isComplete))

const compiled = (template: string): PromptTemplate.PromptTemplate =>
  Result.getOrThrow(
    PromptTemplate.compile({ text: template, path: "/project/WORKFLOW.md", position: { line: 1, column: 1 } })
  )

const everything = compiled(
  [
    ...fields.map((name) => `{{ issue.${name} }}`),
    "{{ attempt }}",
    "{% for one in issue.blocked_by %}{{ one.id }}{{ one.identifier }}{{ one.state }}{% endfor %}",
    "{% for one in issue.sub_issues %}{{ one.id }}{{ one.identifier }}{{ one.state }}{% endfor %}",
    '{% if issue.description contains "x" %}{{ issue.labels | join: ", " | upcase }}{% endif %}'
  ].join("\n")
)

describe("the context of a prompt", () => {
  it("has every documented field, also of an issue of which little is known", () => {
    const { attempt, issue } = TemplateContext.make({ issue: bare, attempt: null })
    assert.isNull(attempt)
    assert.sameMembers(Object.keys(issue as object), fields)
  })

  it.prop("leaves nothing undefined, whatever the issue", { issue: issues, attempt: attempts }, (facts) => {
    const context = TemplateContext.make(facts)
    assert.isTrue(isComplete(context))
    assert.sameMembers(Object.keys(context["issue"] as object), fields)
  })

  it.prop(
    "renders a prompt that names all of it, whatever the issue",
    { issue: issues, attempt: attempts },
    (facts) => {
      const prompt = Result.getOrThrow(PromptTemplate.render(everything, facts))
      assert.include(prompt, facts.issue.title)
    }
  )

  it.prop("renders the default prompt, whatever the issue", { issue: issues, attempt: attempts }, (facts) => {
    assert.include(Result.getOrThrow(PromptTemplate.render(compiled(""), facts)), facts.issue.identifier)
  })
})
