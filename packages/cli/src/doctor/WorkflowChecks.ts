/** What can be told from a WORKFLOW.md alone: its keys, its template, its shell texts. */
import { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type { ParsedWorkflow } from "@opensymphony/core/workflow/ParseWorkflow"
import * as Problem from "@opensymphony/core/workflow/Problem"
import * as PromptTemplate from "@opensymphony/core/workflow/PromptTemplate"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { execFile } from "node:child_process"
import * as Check from "./Check.ts"

export const problems = (path: string, { problems: found, workflow }: ParsedWorkflow): ReadonlyArray<Check.Check> =>
  found.length === 0 && workflow !== null
    ? [Check.pass("workflow", `${path} has no problems`)]
    : found.map((problem) => (Problem.isError(problem) ? Check.fail : Check.warn)("workflow", Problem.render(problem)))

const bare = Issue.make({
  id: IssueId("1"),
  identifier: "ABC-1",
  title: "An issue with nothing but a title",
  state: "Todo"
})

const full = Issue.make({
  ...bare,
  description: "What is to be done.",
  priority: 2,
  stateType: "unstarted",
  branchName: "abc-1-an-issue",
  url: "https://tracker.invalid/ABC-1",
  assigneeId: "somebody",
  labels: ["backend"],
  parentId: IssueId("2"),
  blockedBy: [{ id: IssueId("3"), identifier: "ABC-3", state: "Done", note: null }],
  subIssues: [{ id: IssueId("4"), identifier: "ABC-4", state: null, note: null }],
  nativeRef: "native",
  createdAtMs: 0,
  updatedAtMs: 0
})

/** Renders the template for an issue with every field and for one with none, on a first and on a later run. */
export const template = ({ prompt }: Workflow): Check.Check => {
  const facts = [bare, full].flatMap((issue) => [null, 1].map((attempt) => ({ issue, attempt })))
  const rendered = facts.map((fact) => PromptTemplate.render(prompt, fact))
  const failure = rendered.find(Result.isFailure)
  if (failure !== undefined) return Check.fail("template", failure.failure.message)
  const empty = rendered.some((result) => Result.isSuccess(result) && result.success.trim() === "")
  return empty
    ? Check.fail("template", "the prompt comes out empty for some issues; give every issue something to do")
    : Check.pass("template", "renders for issues with every field and with none")
}

/** What the shell says about a text that it does not run; null when nothing is wrong with it. */
const syntaxError = (text: string): Effect.Effect<string | null> =>
  Effect.promise(
    () =>
      new Promise((resolve) => {
        execFile("sh", ["-n", "-c", text], { timeout: 10_000 }, (error, _stdout, stderr) =>
          resolve(error === null ? null : stderr.trim() || error.message)
        )
      })
  )

/** The shell texts of a workflow by their key. */
const shellTexts = ({ command, hooks }: Workflow): ReadonlyArray<readonly [string, string]> =>
  Object.entries({
    "hooks.after_create": hooks.afterCreate,
    "hooks.before_run": hooks.beforeRun,
    "hooks.after_run": hooks.afterRun,
    "hooks.before_remove": hooks.beforeRemove,
    "command.run": command?.run ?? null
  }).flatMap(([key, text]) => (text === null ? [] : [[key, text] as const]))

/** Whether `sh` can read the hooks and the command. Nothing is run. */
export const shell = Effect.fnUntraced(function* (workflow: Workflow) {
  const texts = shellTexts(workflow)
  if (texts.length === 0) return Check.skip("shell", "the workflow has neither hooks nor a command")
  for (const [key, text] of texts) {
    const error = yield* syntaxError(text)
    if (error !== null) return Check.fail("shell", `${key} is no valid shell text: ${error}`)
  }
  return Check.pass("shell", `sh can read ${texts.map(([key]) => key).join(", ")}`)
})
