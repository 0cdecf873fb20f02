/**
 * What people and agents do with a board of issue files: look, add, move, comment. Every write is one file, atomic, and
 * leaves alone what it is not about.
 */
import type { Issue } from "@opensymphony/core/domain/Issue"
import type {
  IssueBatch,
  MalformedRecord,
  TrackerConfigurationError,
  TrackerTransportError
} from "@opensymphony/core/ports/TrackerBackend"
import { nearestName } from "@opensymphony/core/workflow/NearestName"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as CommentSection from "./CommentSection.ts"
import type { FileBusy } from "./FileEdit.ts"
import * as FileEdit from "./FileEdit.ts"
import { stateIn, type FilesTrackerSettings } from "./FilesTracker.ts"
import * as FrontMatter from "./FrontMatter.ts"
import * as IssueFile from "./IssueFile.ts"
import * as IssueFolder from "./IssueFolder.ts"
import * as IssueGraph from "./IssueGraph.ts"
import * as NewIssue from "./NewIssue.ts"
import * as StateEdit from "./StateEdit.ts"

interface Fields {
  /** What happened to what, and what to do. */
  readonly message: string
}

/** No issue has that identifier, or several have it when upper and lower case are the same. */
export class IssueNotFound extends Data.TaggedError("IssueNotFound")<Fields> {}
/** The file of the issue is malformed; the message says where and how. */
export class IssueUnreadable extends Data.TaggedError("IssueUnreadable")<Fields> {}
/** The board already has an issue, or the folder a file, of that name. */
export class IssueKeyTaken extends Data.TaggedError("IssueKeyTaken")<Fields> {}
/** What was asked for cannot be written into an issue file. */
export class IssueInputRefused extends Data.TaggedError("IssueInputRefused")<Fields> {}
/** The file could not be written, or others would not let go of it. */
export class IssueWriteFailed extends Data.TaggedError("IssueWriteFailed")<Fields> {}

type ReadError = TrackerConfigurationError | TrackerTransportError
type FindError = ReadError | IssueNotFound | IssueUnreadable
type WriteError = IssueInputRefused | IssueWriteFailed

export interface NewIssueInput extends NewIssue.NewIssue {
  /** Identifier and name of the file; null for the next free one. */
  readonly key: string | null
}

export interface Moved {
  readonly identifier: string
  readonly from: string
  readonly to: string
  /** False when it was in that state already. */
  readonly changed: boolean
  /** Whether the state is active, terminal, or that of another issue. */
  readonly isKnownState: boolean
  /** For a state that nobody knows, the known one that was probably meant. */
  readonly nearestState: string | null
}

export interface IssueBoard {
  /** Absolute path of the directory. */
  readonly directory: string
  /** Every issue, whatever its state, and beside them what could not be read. */
  readonly list: Effect.Effect<IssueBatch, ReadError>
  /** The issue with that identifier, exactly or, when there is only one such, in other case. */
  readonly show: (key: string) => Effect.Effect<Issue, FindError>
  readonly create: (input: NewIssueInput) => Effect.Effect<Issue, FindError | WriteError | IssueKeyTaken>
  readonly move: (key: string, state: string) => Effect.Effect<Moved, FindError | WriteError>
  /** Appends to the section `## Comments`; returns the identifier. */
  readonly comment: (key: string, text: string, author: string) => Effect.Effect<string, FindError | WriteError>
}

const maxCreateAttempts = 50
const maxNearMatches = 3
const maxAuthorLength = 100

const oneLine = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, " ").trim()

const nearMatches = (key: string, identifiers: ReadonlyArray<string>): ReadonlyArray<string> => {
  const wanted = key.toLowerCase()
  const near = identifiers.filter((identifier) => identifier.toLowerCase().includes(wanted)).slice(0, maxNearMatches)
  while (near.length < maxNearMatches) {
    const next = nearestName(
      key,
      identifiers.filter((identifier) => !near.includes(identifier))
    )
    if (next === null) break
    near.push(next)
  }
  return near
}

const malformedMessage = ({ message, source }: MalformedRecord): string => `${source}: ${message}`

/** The issue that people mean by `key`. */
const find = (
  { issues, malformed }: IssueBatch,
  key: string,
  directory: string
): Result.Result<Issue, IssueNotFound | IssueUnreadable> => {
  const exact = issues.find(({ identifier }) => identifier === key)
  if (exact !== undefined) return Result.succeed(exact)
  const broken = malformed.find(({ identifier }) => identifier === key)
  if (broken !== undefined) return Result.fail(new IssueUnreadable({ message: malformedMessage(broken) }))
  const similar = issues.filter(({ identifier }) => identifier.toLowerCase() === key.toLowerCase())
  const [only] = similar
  if (only !== undefined && similar.length === 1) return Result.succeed(only)
  const near =
    similar.length > 0
      ? similar.map(({ identifier }) => identifier)
      : nearMatches(
          key,
          issues.map(({ identifier }) => identifier)
        )
  const hint =
    near.length > 0 ? `did you mean ${near.join(" or ")}?` : '"opensymphony issue list" shows the issues that there are'
  return Result.fail(
    new IssueNotFound({ message: `there is no issue ${JSON.stringify(key)} in ${directory}; ${hint}` })
  )
}

/** The board in `settings.directory`; every operation reads it anew. */
export const make = Effect.fnUntraced(function* (
  settings: FilesTrackerSettings
): Effect.fn.Return<IssueBoard, never, FileSystem.FileSystem | Path.Path> {
  const services = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const path = yield* Path.Path
  const folder = yield* IssueFolder.make(settings.directory)
  const isTerminal = stateIn(settings.terminalStates)
  const list = Effect.map(folder.read, (entries) => IssueGraph.assemble(entries, isTerminal, new Map()))
  const show = (key: string) => Effect.flatMap(list, (board) => Effect.fromResult(find(board, key, folder.directory)))

  const writeFailed = (file: string, error: PlatformError | FileBusy): IssueWriteFailed =>
    new IssueWriteFailed({
      message: error._tag === "FileBusy" ? error.message : `${file} cannot be written: ${error.message}`
    })

  /** Changes the file of `issue`, as it is when its turn comes. */
  const editIssue = <A>(
    issue: Issue,
    change: (
      text: string,
      stem: string
    ) => Result.Result<{ readonly text: string; readonly value: A }, FrontMatter.FileProblem>
  ): Effect.Effect<A, IssueUnreadable | IssueInputRefused | IssueWriteFailed> => {
    const file = issue.nativeRef ?? ""
    const unreadable = ({ line, message }: FrontMatter.FileProblem) =>
      new IssueUnreadable({ message: `${file}:${line}: ${message}` })
    return FileEdit.edit(file, (bytes) =>
      Effect.gen(function* () {
        const text = IssueFolder.decodeText(bytes)
        if (text === null) return yield* unreadable({ line: 1, message: "is not UTF-8 text; save it as UTF-8" })
        const changed = yield* Effect.mapError(
          Effect.fromResult(change(text, IssueFolder.stemOf(path.basename(file)))),
          unreadable
        )
        if (new TextEncoder().encode(changed.text).length > IssueFile.maxBytes) {
          const message = `${file} would grow beyond ${IssueFile.maxBytes} bytes; write less, or shorten the file first`
          return yield* new IssueInputRefused({ message })
        }
        return { text: changed.text === text ? null : changed.text, value: changed.value }
      })
    ).pipe(
      Effect.catchTag(["PlatformError", "FileBusy"], (error) => Effect.fail(writeFailed(file, error))),
      Effect.provideContext(services)
    )
  }

  const move: IssueBoard["move"] = Effect.fnUntraced(function* (key, state) {
    const to = oneLine(state)
    if (to === "") return yield* new IssueInputRefused({ message: "the state is empty; name one, such as Done" })
    const board = yield* list
    const issue = yield* Effect.fromResult(find(board, key, folder.directory))
    const from = yield* editIssue(issue, (text, stem) =>
      Result.map(StateEdit.setState(stem, text, to), (edited) => ({ text: edited.text, value: edited.before }))
    )
    const others = board.issues.filter(({ id }) => id !== issue.id).map((other) => other.state)
    const known = [...settings.activeStates, ...settings.terminalStates, ...others]
    const isKnownState = stateIn(known)(to)
    return {
      identifier: issue.identifier,
      from,
      to,
      changed: from !== to,
      isKnownState,
      nearestState: isKnownState ? null : nearestName(to, known)
    }
  })

  const comment: IssueBoard["comment"] = Effect.fnUntraced(function* (key, text, author) {
    if (text.trim() === "") return yield* new IssueInputRefused({ message: "the comment is empty; write something" })
    const issue = yield* show(key)
    const addition = {
      text,
      author: oneLine(author).slice(0, maxAuthorLength) || "unknown",
      time: DateTime.formatIso(yield* DateTime.now)
    }
    return yield* editIssue(issue, (before) =>
      Result.map(FrontMatter.parse(before), ({ bodyStart }) => ({
        text: CommentSection.append(before, bodyStart, addition),
        value: issue.identifier
      }))
    )
  })

  const create: IssueBoard["create"] = Effect.fnUntraced(function* (input) {
    const problem = input.key === null ? null : NewIssue.keyProblem(input.key)
    if (problem !== null) return yield* new IssueInputRefused({ message: problem })
    const text = NewIssue.render(
      { ...input, title: oneLine(input.title), state: oneLine(input.state) },
      DateTime.formatIso(yield* DateTime.now)
    )
    const parsed = IssueFile.parse("key", text)
    if (Result.isFailure(parsed)) return yield* new IssueInputRefused({ message: parsed.failure.message })
    if (new TextEncoder().encode(text).length > IssueFile.maxBytes) {
      const message = `the issue would be larger than ${IssueFile.maxBytes} bytes; shorten the description`
      return yield* new IssueInputRefused({ message })
    }
    for (let attempt = 0; attempt < maxCreateAttempts; attempt++) {
      const entries = yield* folder.read
      const { issues, malformed } = IssueGraph.assemble(entries, isTerminal, new Map())
      const used = [...issues, ...malformed].flatMap(({ identifier }) => identifier ?? [])
      const key = input.key ?? NewIssue.nextKey([...used, ...entries.map(({ stem }) => stem)])
      const file = path.join(folder.directory, `${key}.md`)
      const taken = new IssueKeyTaken({
        message: `there is already an issue ${JSON.stringify(key)}; choose another key`
      })
      if (used.includes(key)) return yield* taken
      const isCreated = yield* FileEdit.create(file, text).pipe(
        Effect.mapError((error) => writeFailed(file, error)),
        Effect.provideContext(services)
      )
      if (isCreated) return yield* show(key)
      if (input.key !== null) return yield* taken
    }
    const message = `no free name was found in ${folder.directory}; give one with --key`
    return yield* new IssueWriteFailed({ message })
  })

  return { directory: folder.directory, list, show, create, move, comment }
})
