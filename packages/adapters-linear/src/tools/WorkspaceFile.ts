/**
 * Reads a file of a workspace for an agent, and nothing else: this process may read more than the agent may, and the
 * agent writes what is in the workspace, links included.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { ToolFailure } from "./Tool.ts"

export interface WorkspaceFile {
  /** Without directories. */
  readonly name: string
  /** Relative to the workspace, links resolved. */
  readonly path: string
  readonly bytes: Uint8Array
}

/** What is no work of the agent, and may hold credentials. */
const privateDirectories: ReadonlyArray<string> = [".git", ".opensymphony"]

const pieceBytes = 256 * 1024
const readTimeoutMs = 20_000

const refuse = (given: string, reason: string) =>
  new ToolFailure({ message: `${JSON.stringify(given.slice(0, 300))} was not read: ${reason}` })

/** All of it, or null as soon as it turns out to be longer. */
const readAtMost = Effect.fnUntraced(function* (file: FileSystem.File, maxBytes: number) {
  const pieces: Array<Uint8Array> = []
  let length = 0
  while (true) {
    const piece = yield* file.readAlloc(pieceBytes)
    if (Option.isNone(piece)) break
    length += piece.value.length
    if (length > maxBytes) return null
    pieces.push(piece.value)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
})

/** The content of a regular file inside `directory`, which is not private and not empty, and at most so long. */
export const read = (
  directory: string,
  given: string,
  maxBytes: number
): Effect.Effect<WorkspaceFile, ToolFailure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (given.includes("\0")) return yield* refuse(given, "it is not a path")
    const root = yield* fs.realPath(directory)
    const real = yield* fs.realPath(path.resolve(root, given))
    const inside = path.relative(root, real)
    const [top = ""] = inside.split(path.sep)
    if (inside === "" || top === ".." || path.isAbsolute(inside)) {
      return yield* refuse(given, `it is not inside the workspace ${directory}; copy the file there first`)
    }
    if (privateDirectories.includes(top)) return yield* refuse(given, `${top} is not for uploading`)
    const isFile = (info: FileSystem.File.Info) => info.type === "File"
    if (!isFile(yield* fs.lstat(real))) return yield* refuse(given, "it is not a regular file")
    const file = yield* fs.open(real, { flag: "r" })
    const opened = yield* file.stat
    // A directory on the way may have become a link between the look and the opening.
    const now = yield* fs.lstat(yield* fs.realPath(real))
    const isSame = now.dev === opened.dev && Option.getOrNull(now.ino) === Option.getOrNull(opened.ino)
    if (!isFile(opened) || !isSame || (yield* fs.realPath(real)) !== real) {
      return yield* refuse(given, "it changed while it was opened; try again")
    }
    const tooLong = refuse(given, `it is longer than ${maxBytes} bytes; make it smaller`)
    if (ByteSize.toBigInt(opened.size) > BigInt(maxBytes)) return yield* tooLong
    const bytes = yield* readAtMost(file, maxBytes)
    if (bytes === null) return yield* tooLong
    if (bytes.length === 0) return yield* refuse(given, "it is empty")
    return { name: path.basename(real), path: inside, bytes }
  }).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: readTimeoutMs,
      orElse: () => Effect.fail(refuse(given, `it took longer than ${readTimeoutMs / 1000} s`))
    }),
    Effect.catchTag("PlatformError", ({ reason }) =>
      Effect.fail(refuse(given, reason._tag === "NotFound" ? "there is no such file" : `it failed (${reason._tag})`))
    )
  )
