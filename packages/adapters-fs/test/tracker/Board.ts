/** A board in a temporary directory for the tests of the tracker. */
import type { IssueReference } from "@opensymphony/core/domain/Issue"
import { IssueId } from "@opensymphony/core/domain/Ids"
import type { IssueBatch } from "@opensymphony/core/ports/TrackerBackend"
import { Effect, FileSystem, Path } from "effect"
import * as FilesTracker from "../../src/tracker/FilesTracker.ts"

export const states = {
  activeStates: ["Todo", "In Progress"],
  terminalStates: ["Done", "Cancelled"]
}

export interface Board {
  readonly directory: string
  readonly pathOf: (name: string) => string
  readonly write: (name: string, text: string) => Effect.Effect<void>
  /** With its byte order mark. */
  readonly read: (name: string) => Effect.Effect<string>
  readonly remove: (name: string) => Effect.Effect<void>
}

/** An empty folder that goes with the scope of the test. */
export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = path.join(yield* fs.makeTempDirectoryScoped(), "issues")
  yield* fs.makeDirectory(directory)
  const pathOf = (name: string) => path.join(directory, name)
  const board: Board = {
    directory,
    pathOf,
    write: (name, text) => Effect.orDie(fs.writeFileString(pathOf(name), text)),
    read: (name) =>
      Effect.orDie(
        Effect.map(fs.readFile(pathOf(name)), (bytes) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes))
      ),
    remove: (name) => Effect.orDie(fs.remove(pathOf(name)))
  }
  return board
})

export const tracker = (board: Board) => FilesTracker.make({ directory: board.directory, ...states })

/** The text of an issue file with these lines in its front matter. */
export const issue = (...lines: ReadonlyArray<string>): string =>
  `---\ntitle: T\nstate: Todo\n${lines.join("\n")}\n---\n`

export const identifiers = (batch: IssueBatch): ReadonlyArray<string> =>
  batch.issues.map(({ identifier }) => identifier)

export const references = (
  batch: IssueBatch,
  identifier: string,
  kind: "blockedBy" | "subIssues"
): ReadonlyArray<Omit<IssueReference, "id">> =>
  batch.issues
    .filter((issue) => issue.identifier === identifier)
    .flatMap((issue) => issue[kind].map((one) => ({ identifier: one.identifier, state: one.state, note: one.note })))

export const ids = (...values: ReadonlyArray<string>) => values.map((value) => IssueId(value))
