/**
 * Wake-ups when something in a board's directory changes. They may be late or one too many; the poll stays the truth.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { isIssueFileName } from "./IssueFolder.ts"

/** Saving a file makes several events; they wake the poll once. */
const settling = "75 millis"

/** Between the end of one watch and the next, so that a directory that keeps changing hands costs little. */
const pause = "100 millis"

/** How long a directory that is not there, or cannot be watched, is left alone before the next try. */
const retry = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")])

/**
 * Emits when the watch stands, whenever an issue file may have changed, and when the watch stands again after the
 * directory was away. Never fails, never ends.
 */
export const watch = (directory: string): Stream.Stream<void, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const wakes = yield* Queue.sliding<void>(1)
    const wake = () => Queue.offerUnsafe(wakes, undefined)
    // Without a trailing separator: a watched directory reports what happens to itself under its own last name.
    const root = path.resolve(directory)
    const ownName = path.basename(root)

    // A directory that is removed or renamed takes its watch along, and no event ever follows.
    yield* fs.watch(root, { onReady: wake }).pipe(
      Stream.takeUntil((event) => event._tag !== "Update" && event.path === ownName),
      Stream.runForEach((event) => Effect.sync(() => isIssueFileName(event.path) && wake())),
      Effect.retry(retry),
      Effect.tap(() => Effect.sync(wake)),
      Effect.andThen(Effect.sleep(pause)),
      Effect.forever,
      Effect.forkScoped
    )
    return Stream.fromEffectRepeat(
      Queue.take(wakes).pipe(Effect.andThen(Effect.sleep(settling)), Effect.andThen(Queue.clear(wakes)), Effect.asVoid)
    )
  }).pipe(Stream.unwrap)
