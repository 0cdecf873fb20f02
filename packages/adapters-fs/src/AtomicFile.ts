/**
 * Replaces files so that a reader, also one after a crash, sees the old content or the new one and nothing in between.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"

export interface AtomicWriteOptions {
  /** Permission bits of the file; without it those of the file that is replaced, or the system's default. */
  readonly mode?: number
}

/** A name for a file beside `target` that no other writer uses: hidden, and with an ending that nobody reads. */
export const temporaryName = (target: string): Effect.Effect<string, never, Path.Path> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const random = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
    return path.join(path.dirname(target), `.${path.basename(target)}.${random.toString(36)}.tmp`)
  })

/** Whether a file name is one that a crash in the middle of {@link write} may leave behind. */
export const isTemporaryName = (name: string): boolean => name.startsWith(".") && name.endsWith(".tmp")

/** Makes names in a directory durable. Some filesystems cannot; the content is safe without it. */
const syncDirectory = (directory: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const handle = yield* fs.open(directory)
    yield* handle.sync
  }).pipe(Effect.scoped, Effect.ignore)

/** A new file that only this call writes; fails when something, also a dangling link, has that name. */
const writeNew = Effect.fnUntraced(function* (target: string, content: string, mode: number | undefined) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fs.open(target, { flag: "wx", mode })
  yield* file.writeAll(new TextEncoder().encode(content))
  yield* file.sync
  // The mask of the process may have taken bits away.
  if (mode !== undefined) yield* fs.chmod(target, mode)
}, Effect.scoped)

/** Makes a file that must not exist: of several callers one succeeds, the others fail with `AlreadyExists`. */
export const create = (
  target: string,
  content: string,
  options: AtomicWriteOptions = {}
): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const temporary = yield* temporaryName(target)
    yield* writeNew(temporary, content, options.mode).pipe(
      Effect.andThen(fs.link(temporary, target)),
      Effect.catchIf(
        (error) => error.reason._tag !== "AlreadyExists" && error.reason.method === "link",
        // A filesystem without hard links: exclusive all the same, though a crash may leave it incomplete.
        () => writeNew(target, content, options.mode)
      ),
      Effect.ensuring(Effect.ignore(fs.remove(temporary, { force: true })))
    )
    yield* syncDirectory(path.dirname(target))
  }).pipe(Effect.uninterruptible)

/** Replaces the file `target`, or makes it. A link at `target` is replaced itself, not what it points to. */
export const write = (
  target: string,
  content: string,
  options: AtomicWriteOptions = {}
): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const mode =
      options.mode ??
      Option.getOrUndefined(Option.map(yield* Effect.option(fs.stat(target)), (info) => info.mode & 0o777))
    const temporary = yield* temporaryName(target)
    yield* writeNew(temporary, content, mode).pipe(
      Effect.andThen(fs.rename(temporary, target)),
      Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
    )
    yield* syncDirectory(path.dirname(target))
  }).pipe(Effect.uninterruptible)
