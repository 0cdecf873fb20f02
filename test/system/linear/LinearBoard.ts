// A project whose board is a fake Linear in the process of the test; the orchestrator and its agents are real processes.
import type { FakeLinear } from "@opensymphony/adapters-linear/testing"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Ended, type Orchestrator, Project, type Settings } from "../Harness.ts"

export const closingWords = "All done, see the notes."
export const workpadMarker = "## Agent Harness Workpad"

/** What every agent does with its tools: notes, a closing comment unless there is one, the last move. */
export const steps = [
  "opensymphony tool write_workpad text='- [x] looked at it' || exit 1",
  `opensymphony tool get_issue | grep -q '${closingWords}' || opensymphony tool add_comment body='${closingWords}' || exit 1`,
  "opensymphony tool move_issue state=done || exit 1"
] as const

export interface LinearBoardOptions {
  readonly linear: Pick<FakeLinear.FakeLinear, "url" | "apiKey" | "projectUrl">
  readonly agent: string
  readonly settings?: Settings
}

/** A workflow on this Linear, in a directory of its own. */
export const make = ({ agent, linear, settings = {} }: LinearBoardOptions): Project =>
  Project.make({
    issues: {},
    agent,
    settings: {
      ...settings,
      tracker: {
        kind: "linear",
        path: undefined,
        endpoint: linear.url,
        api_key: "$LINEAR_API_KEY",
        project_slug: linear.projectUrl
      }
    }
  })

export const start = (
  project: Project,
  { apiKey }: Pick<FakeLinear.FakeLinear, "apiKey">,
  args: ReadonlyArray<string> = ["run", "--until-idle"]
): Orchestrator => project.start(args, { env: { LINEAR_API_KEY: apiKey } })

/** Puts issues with these titles on the board; gives their ids by title. */
export const fill = (
  linear: FakeLinear.FakeLinear,
  titles: ReadonlyArray<string>
): { readonly [title: string]: string } =>
  Object.fromEntries(
    titles.map((title) => [title, linear.createIssue({ title, state: "Todo", project: linear.project.id }).id])
  )

/** The comments on an issue, workpads by their heading only. */
export const commentsOn = (linear: FakeLinear.FakeLinear, id: string): ReadonlyArray<string> =>
  linear
    .entities("Comment")
    .filter(({ issueId }) => issueId === id)
    .map(({ body }) => (body.startsWith(workpadMarker) ? workpadMarker : body))
    .sort()

/** How often an agent moved the issue to Done. */
export const movesToDone = (linear: FakeLinear.FakeLinear, id: string): number => {
  const done = linear.entities("WorkflowState").flatMap(({ id, name }) => (name === "Done" ? [id] : []))
  return linear.requests().filter(({ operation, status, variables }) => {
    const input: unknown = variables["input"]
    const stateId = typeof input === "object" && input !== null && "stateId" in input ? String(input.stateId) : ""
    return operation === "ToolMove" && status === 200 && variables["id"] === id && done.includes(stateId)
  }).length
}

/** Where a text stands: in a file of the project, or in what was said. */
export const placesOf = (text: string, project: Project, said: ReadonlyArray<Ended>): ReadonlyArray<string> => [
  ...said.flatMap(({ stderr, stdout }) => (`${stdout}${stderr}`.includes(text) ? ["a log"] : [])),
  ...Fs.readdirSync(project.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => Path.join(parentPath, name))
    .filter((path) => Fs.readFileSync(path, "latin1").includes(text))
]
