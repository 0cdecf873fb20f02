/** Reads a workflow text in a fixed surrounding, for the tests in this folder. */
import * as Problem from "../../src/workflow/Problem.ts"
import { parse, type ParsedWorkflow, type WorkflowSource } from "../../src/workflow/ParseWorkflow.ts"
import type { Workflow } from "../../src/workflow/Workflow.ts"

export const read = (text: string, surrounding: Partial<WorkflowSource> = {}): ParsedWorkflow =>
  parse({
    path: "/project/WORKFLOW.md",
    text,
    environment: {},
    homeDirectory: "/home/ada",
    systemTempDirectory: "/tmp",
    knownRuntimeKinds: ["command"],
    knownTrackerKinds: ["files"],
    ...surrounding
  })

/** Severity and line as users see it. */
export const rendered = (parsed: ParsedWorkflow): ReadonlyArray<string> =>
  parsed.problems.map((problem) => `${problem.severity} ${Problem.render(problem)}`)

/** The workflow of a text that must have no problem at all. */
export const accept = (text: string, surrounding: Partial<WorkflowSource> = {}): Workflow => {
  const parsed = read(text, surrounding)
  if (parsed.workflow === null || parsed.problems.length > 0) throw new Error(rendered(parsed).join("\n"))
  return parsed.workflow
}

/** A front matter that runs with the files tracker and a command, and what is added to it. */
export const minimal = (more = "", prompt = ""): string =>
  `---\ntracker:\n  kind: files\ncommand:\n  run: ./agent.sh\n${more}---\n${prompt}`
