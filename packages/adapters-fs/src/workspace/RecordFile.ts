/**
 * Small JSON files of the orchestrator's own, decoded with Schema. Their content is never trusted and never in the way:
 * what cannot be read is moved aside under another name, reported, and written anew.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as ByteSize from "effect/ByteSize"
import type { WorkspaceIoError } from "@opensymphony/core/ports/WorkspaceBackend"
import * as AtomicFile from "../AtomicFile.ts"
import { errorCode, isNotFound, orIoError } from "./IoError.ts"
import { lookAt, ownDirectory } from "./WorkspaceRoot.ts"

/** A record larger than this is not one of ours. */
const maxBytes = 1024 * 1024
/** How many unreadable versions of one file are kept. */
const maxSetAside = 9

/** A kind of file: its name inside the orchestrator's directory, and what is in it. */
export interface RecordFile<A, I> {
  readonly name: string
  readonly schema: Schema.Codec<A, I>
}

export interface ReadResult<A> {
  /** Null when there is no such file, or none that can be read. */
  readonly value: A | null
  /** What was unreadable and where it is now, in one line; null when nothing was. */
  readonly problem: string | null
}

/** Where the orchestrator keeps its files of a workspace. */
export const directoryOf = (workspacePath: string): Effect.Effect<string, never, Path.Path> =>
  Effect.map(Path.Path, (path) => path.join(workspacePath, ownDirectory))

/** Decodes one file. Not only its text may be odd: an agent can have put a link, a pipe or a directory there. */
export const decodeFile = Effect.fnUntraced(function* <A, I>(target: string, schema: Schema.Codec<A, I>) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* fs.lstat(target).pipe(
    Effect.asSome,
    Effect.catchIf(isNotFound, () => Effect.succeed(Option.none()))
  )
  if (Option.isNone(info)) return { _tag: "Missing" } as const
  const unreadable = (reason: string) => ({ _tag: "Unreadable", reason }) as const
  if (info.value.type !== "File") return unreadable("it is not a regular file")
  if (ByteSize.toBigInt(info.value.size) > BigInt(maxBytes)) return unreadable(`it is larger than ${maxBytes} bytes`)
  const text = yield* fs.readFileString(target)
  return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text).pipe(
    Effect.match({
      onSuccess: (value) => ({ _tag: "Read", value }) as const,
      // The details of a schema error may quote the file, and what is in it is not ours.
      onFailure: () => unreadable("it is not what this version writes")
    })
  )
})

const setAsideName = Effect.fnUntraced(function* (target: string) {
  const fs = yield* FileSystem.FileSystem
  for (let number = 1; number < maxSetAside; number++) {
    const name = `${target}.unreadable-${number}`
    if (!(yield* fs.exists(name))) return name
  }
  const last = `${target}.unreadable-${maxSetAside}`
  yield* fs.remove(last, { recursive: true, force: true })
  return last
})

/** Moves what is at `target` out of the way and says so. */
const setAside = Effect.fnUntraced(function* (target: string, reason: string) {
  const fs = yield* FileSystem.FileSystem
  const aside = yield* setAsideName(target)
  yield* fs.rename(target, aside)
  return `${target} could not be read (${reason}); it was moved to ${aside} and is written anew`
})

/** Makes sure that the orchestrator's directory of a workspace is a real one. Null, or what was moved aside. */
const ensureDirectory = Effect.fnUntraced(function* (workspacePath: string, options: { readonly create: boolean }) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const directory = yield* directoryOf(workspacePath)
  const info = yield* lookAt(directory)
  let problem: string | null = null
  if (info !== null && info.type !== "Directory") {
    problem = yield* setAside(directory, "it is not a directory").pipe(orIoError("move aside", directory))
  }
  if (!options.create) return problem
  if (info?.type !== "Directory") {
    yield* fs.makeDirectory(directory, { mode: 0o700 }).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      orIoError("create", directory)
    )
    // Keeps the directory out of commits also where a repository appears later.
    yield* AtomicFile.write(path.join(directory, ".gitignore"), "*\n", { mode: 0o600 }).pipe(
      orIoError("write into", directory)
    )
  } else if ((info.mode & 0o077) !== 0) {
    yield* fs.chmod(directory, 0o700).pipe(orIoError("set the mode of", directory))
  }
  return problem
})

/** Reads a record of a workspace; moves it aside when it cannot be read. */
export const read = Effect.fnUntraced(function* <A, I>(
  workspacePath: string,
  file: RecordFile<A, I>
): Effect.fn.Return<ReadResult<A>, WorkspaceIoError, FileSystem.FileSystem | Path.Path> {
  const path = yield* Path.Path
  const odd = yield* ensureDirectory(workspacePath, { create: false })
  if (odd !== null) return { value: null, problem: odd }
  const target = path.join(yield* directoryOf(workspacePath), file.name)
  const decoded = yield* decodeFile(target, file.schema).pipe(
    Effect.catchTag("PlatformError", (error) =>
      Effect.succeed({ _tag: "Unreadable", reason: errorCode(error) } as const)
    )
  )
  switch (decoded._tag) {
    case "Missing":
      return { value: null, problem: null }
    case "Read":
      return { value: decoded.value, problem: null }
    case "Unreadable":
      return {
        value: null,
        problem: yield* setAside(target, decoded.reason).pipe(orIoError("move aside", target))
      }
  }
})

/** {@link read} where there is nobody to hand a problem to: it is logged. */
export const readLogged = <A, I>(workspacePath: string, file: RecordFile<A, I>) =>
  read(workspacePath, file).pipe(
    Effect.tap(({ problem }) => (problem === null ? Effect.void : Effect.logWarning(problem))),
    Effect.map(({ value }) => value)
  )

/** The text of a record. */
export const encode = <A, I>(schema: Schema.Codec<A, I>, value: A): Effect.Effect<string> =>
  Effect.map(Effect.orDie(Schema.encodeEffect(schema)(value)), (encoded) => `${JSON.stringify(encoded, null, 2)}\n`)

/** Replaces a record of a workspace that exists. */
export const write = Effect.fnUntraced(function* <A, I>(workspacePath: string, file: RecordFile<A, I>, value: A) {
  const path = yield* Path.Path
  const problem = yield* ensureDirectory(workspacePath, { create: true })
  if (problem !== null) yield* Effect.logWarning(problem)
  const target = path.join(yield* directoryOf(workspacePath), file.name)
  const text = yield* encode(file.schema, value)
  yield* AtomicFile.write(target, text, { mode: 0o600 }).pipe(orIoError("write", target))
})

/** Removes a record of a workspace; one that is not there is fine. */
export const remove = Effect.fnUntraced(function* (workspacePath: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  if ((yield* lookAt(yield* directoryOf(workspacePath)))?.type !== "Directory") return
  const target = path.join(yield* directoryOf(workspacePath), name)
  yield* fs.remove(target, { force: true }).pipe(orIoError("remove", target))
})
