/** The tracker whose issues are Markdown files in one directory. It reads; writing is `IssueBoard`'s business. */
import type { IssueId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type { IssueBatch, TrackerBackendService, TrackerError } from "@opensymphony/core/ports/TrackerBackend"
import { TrackerBackend } from "@opensymphony/core/ports/TrackerBackend"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import * as FolderChanges from "./FolderChanges.ts"
import type { FolderEntry } from "./IssueFolder.ts"
import * as IssueFolder from "./IssueFolder.ts"
import * as IssueGraph from "./IssueGraph.ts"

/** What the tracker section of a workflow says. */
export interface FilesTrackerSettings {
  /** The directory of the issues; relative to the working directory of this process unless absolute. */
  readonly directory: string
  /** Names as people write them; they compare trimmed and lower-cased. */
  readonly activeStates: ReadonlyArray<string>
  /** A state in both lists is terminal. */
  readonly terminalStates: ReadonlyArray<string>
}

/** Whether a state is one of `names`. */
export const stateIn = (names: ReadonlyArray<string>): ((state: string) => boolean) => {
  const keys = new Set(names.map(Issue.stateKey))
  return (state) => keys.has(Issue.stateKey(state))
}

/** Everything on the board, put together again only when a file changed. */
const reader = (
  folder: IssueFolder.IssueFolder,
  isTerminal: (state: string) => boolean
): Effect.Effect<IssueBatch, TrackerError> => {
  let entries: ReadonlyArray<FolderEntry> | null = null
  let board: IssueBatch = { issues: [], malformed: [] }
  return Effect.map(folder.read, (current) => {
    if (current !== entries) {
      board = IssueGraph.assemble(current, isTerminal, new Map(board.issues.map((issue) => [issue.id, issue])))
      entries = current
    }
    return board
  })
}

/** The tracker on a directory; nothing is read before it is asked. */
export const make = Effect.fnUntraced(function* (
  settings: FilesTrackerSettings
): Effect.fn.Return<TrackerBackendService, never, FileSystem.FileSystem | Path.Path> {
  const services = Context.pick(
    FileSystem.FileSystem,
    Path.Path
  )(yield* Effect.context<FileSystem.FileSystem | Path.Path>())
  const folder = yield* IssueFolder.make(settings.directory)
  const isActive = stateIn(settings.activeStates)
  const isTerminal = stateIn(settings.terminalStates)
  const board = reader(folder, isTerminal)
  const issuesIn = (isWanted: (state: string) => boolean) =>
    Effect.map(board, ({ issues, malformed }) => ({
      issues: issues.filter(({ state }) => isWanted(state)),
      malformed
    }))
  return {
    candidateIssues: issuesIn((state) => isActive(state) && !isTerminal(state)),
    terminalIssues: issuesIn(isTerminal),
    issuesByIds: (ids) => {
      const wanted: ReadonlySet<IssueId | null> = new Set(ids)
      return Effect.map(board, ({ issues, malformed }) => ({
        issues: issues.filter(({ id }) => wanted.has(id)),
        malformed: malformed.filter(({ id }) => wanted.has(id))
      }))
    },
    changes: FolderChanges.watch(folder.directory).pipe(Stream.provideContext(services))
  }
})

/**
 * The files tracker as the core's port. Fails with a configuration error while the directory does not exist, with a
 * transport error while it cannot be read; a file that cannot be read costs only itself.
 */
export const layer = (
  settings: FilesTrackerSettings
): Layer.Layer<TrackerBackend, never, FileSystem.FileSystem | Path.Path> => Layer.effect(TrackerBackend, make(settings))
