// Pieces of shell for the agents of these tests, which leave their traces in the project and wait for the test to let them go on.

import type { Orchestrator, Project } from "../Harness.ts"
import { isAlive } from "../Processes.ts"

/** One turn: the prompt is read to its end, `$project` is the project, `$issue` the issue. */
export const turn = (...lines: ReadonlyArray<string>): string =>
  [
    "set -u",
    "project=${OPENSYMPHONY_WORKFLOW%/*}",
    "issue=$OPENSYMPHONY_ISSUE_IDENTIFIER",
    'prompt="$(cat)"',
    'echo "$$ $issue" >>"$project/agents"',
    ...lines,
    ""
  ].join("\n")

/** Adds a line to a file of the project. */
export const note = (file: string, line: string): string => `echo "${line}" >>"$project/${file}"`

/** Goes on as soon as the file is in the project. */
export const waitFor = (file: string): string => `until [ -e "$project/${file}" ]; do sleep 0.02; done`

/** A line by which the agent reports something. */
export const report = (fields: object): string => `printf '%s\\n' '${JSON.stringify({ opensymphony: fields })}'`

/** The issues whose agents are there now; agents are those of {@link turn}. */
export const atWork = (project: Project): ReadonlyArray<string> =>
  project.lines("agents").flatMap((line) => {
    const [pid = "", ...issue] = line.split(" ")
    return isAlive(Number(pid)) ? [issue.join(" ")] : []
  })

/** Waits until a poll has seen the board as it is now: a file that is no issue gets reported. */
export const seen = async (project: Project, orchestrator: Orchestrator): Promise<void> => {
  const name = `bystander-${project.list("issues").length}.md`
  project.write(`issues/${name}`, "no front matter")
  await orchestrator.logs(new RegExp(`${name}:1: `))
}
