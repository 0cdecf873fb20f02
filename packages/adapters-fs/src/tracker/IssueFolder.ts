/**
 * The directory of a board, read again and again: which files it has, what each says, and who each was about when it
 * last could be read. A file that did not change is neither read nor parsed again.
 */
import { TrackerConfigurationError, TrackerTransportError } from "@opensymphony/core/ports/TrackerBackend"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as IssueFile from "./IssueFile.ts"

/** One issue file as last read. */
export interface FolderEntry {
  /** Name in the directory. */
  readonly name: string
  /** The name without `.md`. */
  readonly stem: string
  /** Absolute path. */
  readonly path: string
  readonly content: Result.Result<IssueFile.IssueFile, IssueFile.MalformedFile>
  /** Milliseconds since the Unix epoch. */
  readonly createdAtMs: number
  /** Milliseconds since the Unix epoch. */
  readonly modifiedAtMs: number
}

interface CachedEntry {
  readonly entry: FolderEntry
  /** What stays the same while the file does; null when it must be read again in any case. */
  readonly stamp: string | null
}

export interface IssueFolder {
  /** Absolute path. */
  readonly directory: string
  /** Every issue file, ordered by name. The same array as last time when nothing changed. */
  readonly read: Effect.Effect<ReadonlyArray<FolderEntry>, TrackerConfigurationError | TrackerTransportError>
}

/** Files that are read at the same time. */
const concurrency = 16

/** Filesystems may give two writes within this time one timestamp, so a file this young is read again. */
const timestampGranularityMs = 2_000

const extension = ".md"

/** Whether a name in the directory is that of an issue: not a hidden, temporary or backup file. */
export const isIssueFileName = (name: string): boolean => name.endsWith(extension) && !name.startsWith(".")

export const stemOf = (name: string): string => name.slice(0, -extension.length)

/** Text of a file, byte order mark included; null when it is not UTF-8. */
export const decodeText = (bytes: Uint8Array): string | null =>
  Result.getOrElse(
    Result.try(() => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)),
    () => null
  )

const isMissing = (error: PlatformError): boolean => error.reason._tag === "NotFound"

const malformed = (message: string): Result.Result<never, IssueFile.MalformedFile> =>
  Result.fail({ line: 1, message, identity: null })

/** A file that broke is still about whom it was about. */
const rememberIdentity = (
  content: FolderEntry["content"],
  before: FolderEntry["content"] | undefined
): FolderEntry["content"] => {
  if (Result.isSuccess(content) || before === undefined || content.failure.identity !== null) return content
  const identity = Result.isSuccess(before) ? before.success : before.failure.identity
  return Result.fail({ ...content.failure, identity })
}

const sizeProblem = (size: number | bigint): FolderEntry["content"] | null =>
  size > IssueFile.maxBytes
    ? malformed(`is larger than ${IssueFile.maxBytes} bytes; move what is not needed to other files`)
    : null

const parseBytes = (stem: string, bytes: Uint8Array): FolderEntry["content"] => {
  const tooLarge = sizeProblem(bytes.length)
  if (tooLarge !== null) return tooLarge
  const text = decodeText(bytes)
  return text === null ? malformed("is not UTF-8 text; save it as UTF-8") : IssueFile.parse(stem, text)
}

/** The folder at `directory`, with nothing read yet. */
export const make = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<IssueFolder, never, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = path.resolve(directory)
  const oneReader = Semaphore.makeUnsafe(1)
  let cache: ReadonlyMap<string, CachedEntry> = new Map()
  let entries: ReadonlyArray<FolderEntry> | null = null

  const readFile = Effect.fnUntraced(function* (name: string) {
    const file = path.join(root, name)
    const stem = stemOf(name)
    const info = yield* fs.stat(file)
    if (info.type !== "File") return null
    const modifiedAtMs = Option.match(info.mtime, { onNone: () => 0, onSome: (time) => time.getTime() })
    const stamp = [info.dev, Option.getOrElse(info.ino, () => 0n), info.size, modifiedAtMs].join(":")
    const before = cache.get(name)
    if (before?.stamp === stamp) return before
    const readAtMs = yield* Clock.currentTimeMillis
    const read: { readonly content: FolderEntry["content"]; readonly cacheable: boolean } = yield* Effect.suspend(
      () => {
        const tooLarge = sizeProblem(info.size)
        return tooLarge === null
          ? Effect.map(fs.readFile(file), (bytes) => ({ content: parseBytes(stem, bytes), cacheable: true }))
          : Effect.succeed({ content: tooLarge, cacheable: true })
      }
    ).pipe(
      Effect.catch((error) =>
        isMissing(error)
          ? Effect.fail(error)
          : Effect.succeed({
              content: malformed(`cannot be read (${error.reason._tag}); check the permissions of the file`),
              cacheable: false
            })
      )
    )
    const content = rememberIdentity(read.content, before?.entry.content)
    const isSameIssue =
      before !== undefined &&
      Result.isSuccess(before.entry.content) &&
      Result.isSuccess(content) &&
      before.entry.content.success.id === content.success.id
    const bornAtMs = Option.match(info.birthtime, { onNone: () => 0, onSome: (time) => time.getTime() })
    // An editor that saves by renaming gives the file a new time of birth; the issue is no younger for it.
    const createdAtMs = Math.min(
      bornAtMs > 0 ? bornAtMs : modifiedAtMs,
      modifiedAtMs,
      isSameIssue ? before.entry.createdAtMs : Number.POSITIVE_INFINITY
    )
    const settled = readAtMs - modifiedAtMs > timestampGranularityMs
    return {
      entry: { name, stem, path: file, content, createdAtMs, modifiedAtMs },
      stamp: read.cacheable && settled ? stamp : null
    }
  })

  const directoryError = (error: PlatformError): TrackerConfigurationError | TrackerTransportError => {
    const mend = "create it, or set tracker.path in the workflow to the folder that holds the issues"
    if (isMissing(error)) {
      return new TrackerConfigurationError({ message: `the issue folder ${root} does not exist; ${mend}` })
    }
    if (error.reason._tag === "BadResource") {
      return new TrackerConfigurationError({ message: `the issue folder ${root} is not a directory; ${mend}` })
    }
    const message = `the issue folder ${root} cannot be read (${error.reason._tag}); check its permissions`
    return new TrackerTransportError({ message })
  }

  const fileError = (name: string, error: PlatformError): CachedEntry | null => {
    // A file that vanished between the listing and the reading is simply not there.
    if (isMissing(error)) return null
    const content = malformed(`cannot be read (${error.reason._tag}); check the permissions of the file and its folder`)
    const before = cache.get(name)?.entry
    return {
      entry: {
        name,
        stem: stemOf(name),
        path: path.join(root, name),
        content: rememberIdentity(content, before?.content),
        createdAtMs: before?.createdAtMs ?? 0,
        modifiedAtMs: before?.modifiedAtMs ?? 0
      },
      stamp: null
    }
  }

  const read = Effect.gen(function* () {
    const names = (yield* Effect.mapError(fs.readDirectory(root), directoryError)).filter(isIssueFileName).sort()
    const found = yield* Effect.forEach(
      names,
      (name) => Effect.catch(readFile(name), (error) => Effect.sync(() => fileError(name, error))),
      { concurrency }
    )
    const present = found.filter((one) => one !== null)
    const unchanged =
      entries?.length === present.length && present.every(({ entry }, index) => entry === entries?.[index])
    cache = new Map(present.map((one) => [one.entry.name, one]))
    if (entries === null || !unchanged) entries = present.map(({ entry }) => entry)
    return entries
  })

  return { directory: root, read: Semaphore.withPermits(oneReader, 1)(read) }
})
