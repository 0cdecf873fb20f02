/** A WORKFLOW.md on disk: read, parsed against this process's environment, its problems ready to be shown. */
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import { type ParsedWorkflow, parse } from "@opensymphony/core/workflow/ParseWorkflow"
import * as Problem from "@opensymphony/core/workflow/Problem"
import type { RuntimeKind, TrackerKind, Workflow } from "@opensymphony/core/workflow/Workflow"
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { homedir, tmpdir } from "node:os"

/** The kinds that this build has adapters for. */
const runtimeKinds: ReadonlyArray<RuntimeKind> = ["command", "openhands"]
const trackerKinds: ReadonlyArray<TrackerKind> = ["files", "linear"]

/** The workflow cannot be used. The message is all there is to say, one problem a line. */
export class UnusableWorkflow extends Data.TaggedError("UnusableWorkflow")<{ readonly message: string }> {
  override get [CliError.userMessage](): string {
    return this.message
  }
}

/** Parses the text of the workflow at an absolute path. */
export const parseText = (path: string, text: string, environment: Environment): ParsedWorkflow =>
  parse({
    path,
    text,
    environment,
    homeDirectory: environment["HOME"] ?? homedir(),
    systemTempDirectory: tmpdir(),
    knownRuntimeKinds: runtimeKinds,
    knownTrackerKinds: trackerKinds
  })

/** The text of the file; `mend` is what the error says is to be done. */
export const readText = (path: string, mend: string): Effect.Effect<string, UnusableWorkflow, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path)).pipe(
    Effect.mapError((error) => {
      const cause = error.reason._tag === "NotFound" ? "does not exist" : `cannot be read (${error.reason._tag})`
      return new UnusableWorkflow({ message: `the workflow ${path} ${cause}; ${mend}` })
    })
  )

/** A usable workflow with its warnings; with `strict`, a warning makes it unusable. */
export const load = Effect.fnUntraced(function* (
  path: string,
  options: { readonly environment: Environment; readonly strict: boolean }
): Effect.fn.Return<
  { readonly workflow: Workflow; readonly text: string; readonly warnings: ReadonlyArray<string> },
  UnusableWorkflow,
  FileSystem.FileSystem
> {
  const text = yield* readText(path, "name the workflow on the command line, or run where a WORKFLOW.md is")
  const { workflow, problems } = parseText(path, text, options.environment)
  const lines = problems.map(Problem.render)
  if (workflow === null || (options.strict && problems.length > 0)) {
    return yield* new UnusableWorkflow({ message: lines.join("\n") })
  }
  return { workflow, text, warnings: lines }
})
