/**
 * A place for a demonstration: a temporary directory with the quickstart's agent, its issues, and its workflow with
 * another tracker or runtime in it.
 */
import * as CodePointOrder from "@opensymphony/core/domain/CodePointOrder"
import type { Issue } from "@opensymphony/core/domain/Issue"
import { TrackerBackend } from "@opensymphony/core/ports/TrackerBackend"
import type { Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import * as FilesTracker from "@opensymphony/adapters-fs/tracker/FilesTracker"
import * as CliError from "effect/cli/CliError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { parseDocument } from "yaml"
import { exposeOwnCommand, findsOwnCommand } from "../OwnCommand.ts"

/** The demonstration cannot begin. The message is all there is to say. */
export class SceneError extends Data.TaggedError("SceneError")<{ readonly message: string }> {
  override get [CliError.userMessage](): string {
    return this.message
  }
}

export interface Scene {
  /** Absolute path of the directory; it is left behind for people to look at. */
  readonly directory: string
  /** Absolute path of the WORKFLOW.md. */
  readonly workflow: string
  /** The issues of the quickstart, ordered by identifier. */
  readonly issues: ReadonlyArray<Issue>
}

/** In the built package beside the program, in a checkout among the examples. */
const quickstartPlaces = ["../quickstart", "quickstart", "../../../../examples/quickstart"]

const findQuickstart = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const place of quickstartPlaces) {
    const directory = path.resolve(import.meta.dirname, place)
    if (yield* Effect.orElseSucceed(fs.exists(path.join(directory, "agent.sh")), () => false)) return directory
  }
  return yield* new SceneError({
    message: "the files of the quickstart are missing from this installation; install @opensymphony/cli again"
  })
})

/** The environment of the agents, which move their issues with the command, wherever it comes from. */
export const environmentOfAgents = (environment: Environment): Effect.Effect<Environment, SceneError> => {
  const own = exposeOwnCommand(environment, process.argv[1])
  const message = "agents would not find opensymphony; run it as `npx opensymphony demo ...`, or put it on PATH"
  return findsOwnCommand(own) ? Effect.succeed(own) : Effect.fail(new SceneError({ message }))
}

const readIssues = (directory: string) =>
  Layer.build(FilesTracker.layer({ directory, activeStates: ["Todo", "In Progress"], terminalStates: ["Done"] })).pipe(
    Effect.flatMap((services) => TrackerBackend.pipe(Effect.provideContext(services))),
    Effect.flatMap(({ candidateIssues }) => candidateIssues),
    Effect.map(({ issues }) =>
      issues.toSorted((self, that) => CodePointOrder.compare(self.identifier, that.identifier))
    ),
    Effect.scoped
  )

const frontMatterEnd = "\n---\n"

/** The workflow with these sections instead of its own; comments and everything else stay. Null takes a section out. */
export const withSections = (text: string, sections: { readonly [name: string]: unknown }): string => {
  const end = text.indexOf(frontMatterEnd)
  const document = parseDocument(text.slice("---\n".length, end + 1))
  for (const [name, section] of Object.entries(sections)) {
    if (section === null) document.delete(name)
    else document.set(name, document.createNode(section))
  }
  return `---\n${String(document).trimEnd()}${text.slice(end)}`
}

/** Makes the directory `opensymphony-demo-NAME-*`; `sections` are the workflow's, from the address of a server, say. */
export const make = Effect.fnUntraced(function* (name: string, sections: { readonly [name: string]: unknown }) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const quickstart = yield* findQuickstart
  const directory = yield* fs.realPath(yield* fs.makeTempDirectory({ prefix: `opensymphony-demo-${name}-` }))
  for (const part of ["agent.sh", "issues"]) yield* fs.copy(path.join(quickstart, part), path.join(directory, part))
  const workflow = path.join(directory, "WORKFLOW.md")
  const text = yield* fs.readFileString(path.join(quickstart, "WORKFLOW.md"))
  yield* fs.writeFileString(workflow, withSections(text, sections))
  const issues = yield* readIssues(path.join(directory, "issues"))
  const scene: Scene = { directory, workflow, issues }
  return scene
})
