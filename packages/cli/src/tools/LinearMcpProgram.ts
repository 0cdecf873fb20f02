/**
 * `opensymphony linear-mcp`: the Linear tools on standard input and output, for a run's agent or for any MCP client of a
 * person. Standard output belongs to the protocol; whatever else there is to say goes to standard error.
 */
import * as LinearApi from "@opensymphony/adapters-linear/LinearApi"
import * as LinearProject from "@opensymphony/adapters-linear/LinearProject"
import * as Bridge from "@opensymphony/adapters-linear/tools/Bridge"
import * as StandaloneTools from "@opensymphony/adapters-linear/tools/StandaloneTools"
import * as StdioServer from "@opensymphony/adapters-linear/tools/StdioServer"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Path from "effect/Path"
import type { Stdio } from "effect/Stdio"
import * as Logging from "../Logging.ts"
import { redactor } from "../Secrets.ts"
import * as WorkflowFile from "../WorkflowFile.ts"

export interface LinearMcpOptions {
  /** Path of the workflow as given; not read when there is a workspace. */
  readonly workflow: string
  /** Null: each call names its issue. */
  readonly issue: string | null
  /** Null: the tools are served by this process itself. */
  readonly workspace: string | null
}

type Services = FileSystem.FileSystem | Path.Path | Stdio

const failed = 1

/** The tools on the workflow's project, with its credential. Files are taken from the working directory. */
const standalone = Effect.fnUntraced(function* (options: LinearMcpOptions, environment: Environment) {
  const path = yield* Path.Path
  const file = path.resolve(options.workflow)
  const { warnings, workflow } = yield* WorkflowFile.load(file, { environment, strict: false })
  for (const warning of warnings) yield* Console.error(warning)
  const { tracker } = workflow
  if (tracker.kind !== "linear") {
    const message = `${file}: the tracker of this workflow is ${tracker.kind}; linear-mcp needs one with \`tracker.kind: linear\``
    return yield* new WorkflowFile.UnusableWorkflow({ message })
  }
  const api = yield* LinearApi.make(tracker)
  const project = yield* LinearProject.resolve(api, tracker)
  const host = yield* StandaloneTools.make({
    project,
    issue: options.issue,
    directory: path.resolve("."),
    workpadMarkers: tracker.workpadMarkers,
    rawQueries: tracker.rawQueries
  }).pipe(Effect.provideService(LinearApi.LinearApi, api))
  const subject = options.issue ?? "all issues"
  yield* Effect.logInfo(`serving the tools for ${subject} of project ${JSON.stringify(project.name)}`)
  return yield* StdioServer.serve(host)
})

/** Serves until standard input ends; the status is what the process should exit with. */
export const serve = (options: LinearMcpOptions, environment: Environment): Effect.Effect<number, never, Services> => {
  const redact = redactor(environment)
  const logging = Logging.layer({
    format: process.stderr.isTTY ? "pretty" : "logfmt",
    colors: process.stderr.isTTY && environment["NO_COLOR"] === undefined,
    redact,
    write: (line) => process.stderr.write(`${line}\n`)
  })
  const serving = Effect.gen(function* () {
    if (options.workspace === null) return yield* standalone(options, environment)
    const path = yield* Path.Path
    return yield* StdioServer.serve(yield* Bridge.make(path.resolve(options.workspace)))
  })
  return serving.pipe(
    Effect.as(0),
    Effect.catch(({ message }) => Effect.as(Console.error(`opensymphony: ${redact(message)}`), failed)),
    Effect.provide([FetchHttpClient.layer, logging])
  )
}
