/**
 * Changes a text file that others may be changing at the same time. Editors of this kind take turns by a lock file;
 * against everybody else the file is compared right before it is replaced. Nobody's change is lost silently.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as AtomicFile from "../AtomicFile.ts"

/** Others kept changing the file, or kept its lock. */
export class FileBusy extends Data.TaggedError("FileBusy")<{ readonly message: string }> {}

/** How often a change is made anew because somebody else was faster. */
const maxAttempts = 20

const lockPollMs = 20
/** A turn takes milliseconds: a lock that stays in one hand for this long belongs to a process that died. */
const staleLockMs = 5_000
const maxLockWaitMs = 30_000

/** Takes the lock at `lock`, a file that holds the token of who has it. */
const acquire = Effect.fnUntraced(function* (lock: string, token: string) {
  const fs = yield* FileSystem.FileSystem
  let holder = ""
  let heldMs = 0
  for (let waitedMs = 0; waitedMs < maxLockWaitMs; waitedMs += lockPollMs) {
    const taken = yield* fs.writeFileString(lock, token, { flag: "wx" }).pipe(
      Effect.as(true),
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false))
    )
    if (taken) return
    const current = yield* Effect.orElseSucceed(fs.readFileString(lock), () => "")
    heldMs = current === holder ? heldMs + lockPollMs : 0
    holder = current
    if (heldMs >= staleLockMs) yield* fs.remove(lock, { force: true })
    else yield* Effect.sleep(lockPollMs)
  }
  return yield* new FileBusy({ message: `${lock} is still there; remove it if nobody is editing the issue` })
})

const release = Effect.fnUntraced(
  function* (lock: string, token: string) {
    const fs = yield* FileSystem.FileSystem
    if ((yield* fs.readFileString(lock)) === token) yield* fs.remove(lock)
  },
  (self) => Effect.ignore(self)
)

/** Gives a new file the permissions and, where this process may, the owner of the one that it will replace. */
const inherit = Effect.fnUntraced(function* (from: FileSystem.File.Info, to: string) {
  const fs = yield* FileSystem.FileSystem
  const created = yield* fs.stat(to)
  const owner = (info: FileSystem.File.Info) => [Option.getOrNull(info.uid), Option.getOrNull(info.gid)] as const
  const [uid, gid] = owner(from)
  const [newUid, newGid] = owner(created)
  if (uid !== null && gid !== null && (uid !== newUid || gid !== newGid)) {
    yield* Effect.ignore(fs.chown(to, uid, gid))
  }
  yield* fs.chmod(to, from.mode & 0o777)
})

/** One attempt; false when the file was not the same any more when it was to be replaced. */
const replace = Effect.fnUntraced(function* (target: string, before: Uint8Array, text: string) {
  const fs = yield* FileSystem.FileSystem
  const temporary = yield* AtomicFile.temporaryName(target)
  return yield* Effect.gen(function* () {
    const info = yield* fs.stat(target)
    yield* AtomicFile.create(temporary, text, { mode: 0o600 })
    yield* inherit(info, temporary)
    const now = yield* fs.readFile(target)
    if (now.length !== before.length || now.some((byte, index) => byte !== before[index])) return false
    yield* fs.rename(temporary, target)
    return true
  }).pipe(Effect.ensuring(Effect.ignore(fs.remove(temporary, { force: true }))))
})

/**
 * Replaces a file by what `change` makes of its bytes; a null text leaves it alone. `change` runs again when somebody
 * else changed the file meanwhile. A link is followed, permissions and, where possible, the owner stay.
 */
export const edit = <A, E>(
  file: string,
  change: (bytes: Uint8Array) => Effect.Effect<{ readonly text: string | null; readonly value: A }, E>
): Effect.Effect<A, E | FileBusy | PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const target = yield* fs.realPath(file)
    const lock = path.join(path.dirname(target), `.${path.basename(target)}.lock`)
    const token = String(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER))
    const attempts = Effect.gen(function* () {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const before = yield* fs.readFile(target)
        const { text, value } = yield* change(before)
        if (text === null || (yield* replace(target, before, text))) return value
      }
      return yield* new FileBusy({ message: `${file} is being changed by somebody else all the time; try again later` })
    })
    // The wait for the lock may be given up; a lock that is left behind in that instant grows stale.
    const held = Effect.acquireRelease(acquire(lock, token), () => release(lock, token), { interruptible: true })
    return yield* Effect.scoped(Effect.andThen(held, attempts))
  })

const unlessTaken = <R>(creation: Effect.Effect<void, PlatformError, R>): Effect.Effect<boolean, PlatformError, R> =>
  creation.pipe(
    Effect.as(true),
    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false))
  )

/** Makes a new file that others see complete or not at all; false when something has that name already. */
export const create = (
  file: string,
  text: string
): Effect.Effect<boolean, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const temporary = yield* AtomicFile.temporaryName(file)
    return yield* AtomicFile.create(temporary, text).pipe(
      Effect.andThen(unlessTaken(fs.link(temporary, file))),
      // Not every filesystem has links; there a reader may see the file while it is being written.
      Effect.catch(() => unlessTaken(AtomicFile.create(file, text))),
      Effect.ensuring(Effect.ignore(fs.remove(temporary, { force: true })))
    )
  })
