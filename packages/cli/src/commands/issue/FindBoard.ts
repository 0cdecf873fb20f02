/**
 * Which board an `issue` command means. Only the tracker section of the workflow is read, so that a mistake elsewhere in
 * it does not keep people from their issues.
 */
import * as IssueBoard from "@opensymphony/adapters-fs/tracker/IssueBoard"
import { emptyMap, entryOf } from "@opensymphony/core/workflow/ConfigNode"
import * as EnvironmentReference from "@opensymphony/core/workflow/EnvironmentReference"
import * as FrontMatter from "@opensymphony/core/workflow/FrontMatter"
import * as Problem from "@opensymphony/core/workflow/Problem"
import * as Section from "@opensymphony/core/workflow/Section"
import * as SourcePosition from "@opensymphony/core/workflow/SourcePosition"
import * as TrackerChoice from "@opensymphony/core/workflow/TrackerChoice"
import { trackerKinds, type FilesTrackerSettings } from "@opensymphony/core/workflow/Workflow"
import * as YamlTree from "@opensymphony/core/workflow/YamlTree"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import { IssueCommandError } from "./IssueCommandError.ts"
import { ProcessEnvironment } from "./ProcessEnvironment.ts"

/** A board, and what its workflow says about states. */
export interface FoundBoard {
  readonly board: IssueBoard.IssueBoard
  /** Names as the workflow spells them; never empty. */
  readonly activeStates: ReadonlyArray<string>
}

/** Settings that have a default which does for these commands. */
const dispensable: ReadonlyArray<string> = [
  "tracker.active_states",
  "tracker.terminal_states",
  "tracker.required_labels"
]

/** The settings of the files tracker in the text of the workflow at `path`; a failure is a message for people. */
const trackerSettings = (
  path: string,
  text: string,
  environment: EnvironmentReference.Environment
): Result.Result<FilesTrackerSettings, string> => {
  const problems = Problem.collector(path)
  const parts = FrontMatter.split(text)
  if (parts === null) return Result.fail(`${path}:1:1: the front matter is not closed; end it with a line "---"`)
  const map = parts.frontMatter === null ? emptyMap(SourcePosition.start) : YamlTree.read(parts.frontMatter, problems)
  if (map !== null) {
    const root = Section.rootSection(map)
    const context = {
      problems,
      environment,
      homeDirectory: EnvironmentReference.lookUp(environment, "HOME"),
      directory: EnvironmentReference.resolvePath(path, "..")
    }
    const tracker = entryOf(map, "tracker")?.value
    const kind = tracker?._tag === "Map" ? entryOf(tracker, "kind")?.value : undefined
    if (kind?._tag === "Scalar" && String(kind.value).trim().toLowerCase() === "linear") {
      const message = '"opensymphony issue" works on the files tracker only; work on these issues in Linear itself'
      return Result.fail(`${path}: the tracker of this workflow is linear; ${message}`)
    }
    const settings = TrackerChoice.read(root, trackerKinds, context)
    const blocking = problems.all().find((problem) => Problem.isError(problem) && !dispensable.includes(problem.key))
    if (settings?.kind === "files" && blocking === undefined) return Result.succeed(settings)
  }
  const error = problems.all().find(Problem.isError)
  return Result.fail(error === undefined ? `${path} has no tracker of kind files` : Problem.render(error))
}

/** The board of the workflow at `--workflow`, else `$OPENSYMPHONY_WORKFLOW`, else `./WORKFLOW.md`. */
export const findBoard = Effect.fnUntraced(function* (
  option: Option.Option<string>
): Effect.fn.Return<FoundBoard, IssueCommandError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const environment = yield* ProcessEnvironment
  const variable = EnvironmentReference.lookUp(environment, "OPENSYMPHONY_WORKFLOW")
  const [source, given] = Option.isSome(option)
    ? ["--workflow", option.value]
    : variable === null
      ? ["the default", "WORKFLOW.md"]
      : ["$OPENSYMPHONY_WORKFLOW", variable]
  const file = path.resolve(given)
  const text = yield* Effect.mapError(fs.readFileString(file), (error) => {
    const cause = error.reason._tag === "NotFound" ? "does not exist" : `cannot be read (${error.reason._tag})`
    const mend = "name the workflow with --workflow PATH or $OPENSYMPHONY_WORKFLOW"
    return new IssueCommandError({ message: `the workflow ${file} (${source}) ${cause}; ${mend}` })
  })
  const settings = yield* Effect.mapError(
    Effect.fromResult(trackerSettings(file, text, environment)),
    (message) => new IssueCommandError({ message })
  )
  const { activeStates, path: directory, terminalStates } = settings
  return { board: yield* IssueBoard.make({ directory, activeStates, terminalStates }), activeStates }
})
