/**
 * The files of a local server, in a directory of the user's own: its record, its secrets, its log and its data. Whoever
 * can read them can use the server; the directory is 0700 and the files are 0600.
 */
import * as AtomicFile from "@opensymphony/adapters-fs/AtomicFile"
import { explain, isNotFound } from "@opensymphony/adapters-fs/workspace/IoError"
import * as RecordFile from "@opensymphony/adapters-fs/workspace/RecordFile"
import * as Sha256 from "@opensymphony/adapters-fs/workspace/Sha256"
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as ByteSize from "effect/ByteSize"
import { randomBytesUnsafe } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as ServerRecord from "./ServerRecord.ts"

type Files = FileSystem.FileSystem | Path.Path

export interface StateDirectory {
  readonly path: string
  /** The configuration file that the server reads; the way its secrets come to it. */
  readonly configPath: string
  readonly logPath: string
  /** Where the server keeps its data, by what it is. */
  readonly data: {
    readonly conversations: string
    readonly bashEvents: string
    readonly persistence: string
    readonly project: string
    readonly worktrees: string
    /** For the sockets of terminals; elsewhere, see {@link socketDirectory}. */
    readonly tmux: string
  }
  /** Encrypts secrets in the server's data; the same for ever. */
  readonly secretKey: Redacted.Redacted
}

/** A log larger than this is set aside when somebody looks, and the one before it is gone. */
const longestLog = 8 * 1024 * 1024
/** What is read of the end of a log for a message. */
const tailBytes = 8 * 1024

export const randomHex = (bytes: number): Effect.Effect<string> =>
  Effect.sync(() => Array.from(randomBytesUnsafe(bytes), (byte) => byte.toString(16).padStart(2, "0")).join(""))

const unusable = (doing: string, path: string) => (error: PlatformError) =>
  new RuntimeError({
    message: `cannot ${doing} ${path} for the OpenHands agent-server: ${explain(error)}`,
    unavailable: true
  })

const orUnusable =
  (doing: string, path: string) =>
  <A, R>(effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, RuntimeError, R> =>
    Effect.mapError(effect, unusable(doing, path))

const makePrivate = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 }).pipe(orUnusable("create", directory))
  const { type } = yield* fs.lstat(directory).pipe(orUnusable("look at", directory))
  if (type !== "Directory") {
    const message = `${directory} must be a directory of opensymphony's own; move what is there away`
    return yield* new RuntimeError({ message, unavailable: true })
  }
  yield* fs.chmod(directory, 0o700).pipe(orUnusable("set the mode of", directory))
})

/** Read, or made once. A bad one is not replaced: the secrets of conversations are readable with the old one only. */
const secretKeyIn = Effect.fnUntraced(function* (target: string) {
  const fs = yield* FileSystem.FileSystem
  const fresh = yield* randomHex(32)
  yield* AtomicFile.create(target, `${fresh}\n`, { mode: 0o600 }).pipe(
    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
    orUnusable("create", target)
  )
  const text = yield* fs.readFileString(target).pipe(orUnusable("read", target))
  if (/^[0-9a-f]{64}\s*$/.test(text)) return Redacted.make(text.trim(), { label: "OH_SECRET_KEY" })
  const message =
    `${target} does not hold the key that it should; put it back from a copy, or remove it: ` +
    "then secrets kept in existing conversations are lost"
  return yield* new RuntimeError({ message, unavailable: true })
})

/**
 * Where tmux has its sockets. Their path may have about 100 bytes, of which 60 are names of tmux and of the server, so it
 * cannot be below a workspace root. The same for every server here, so that the next one finds terminals of the last;
 * named by the key, so that nobody else can be there first.
 */
const socketDirectory = (secretKey: Redacted.Redacted): Effect.Effect<string> =>
  Effect.map(Sha256.hex(`tmux ${Redacted.value(secretKey)}`), (digest) => `/tmp/opensymphony-${digest.slice(0, 16)}`)

/** Makes the directory and what must be in it before a server starts. */
export const open = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<StateDirectory, RuntimeError, Files> {
  const path = yield* Path.Path
  const inside = (name: string) => path.join(directory, name)
  yield* makePrivate(directory)
  const secretKey = yield* secretKeyIn(inside("secret-key"))
  const data = {
    conversations: inside("conversations"),
    bashEvents: inside("bash-events"),
    persistence: inside("persistence"),
    project: inside("project"),
    worktrees: inside("worktrees"),
    tmux: yield* socketDirectory(secretKey)
  }
  for (const [what, each] of Object.entries(data)) if (what !== "tmux") yield* makePrivate(each)
  return {
    path: directory,
    configPath: inside("server-config.json"),
    logPath: inside("server.log"),
    data,
    secretKey
  }
})

/** Makes the one place outside of the directory, which goes with each server: for the sockets of its terminals. */
export const makeSockets = ({ data }: StateDirectory) => makePrivate(data.tmux)

const removeSockets = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const place = yield* socketDirectory(yield* secretKeyIn(path.join(directory, "secret-key")))
  yield* fs.remove(place, { recursive: true, force: true }).pipe(orUnusable("remove", place))
})

const recordPath = (directory: string) => Effect.map(Path.Path, (path) => path.join(directory, "server.json"))

/** What is written about the server in this directory; null when nothing is, or nothing readable. */
export const readRecord = Effect.fnUntraced(function* (
  directory: string
): Effect.fn.Return<ServerRecord.ServerRecord | null, RuntimeError, Files> {
  const target = yield* recordPath(directory)
  const decoded = yield* RecordFile.decodeFile(target, ServerRecord.ServerRecord).pipe(orUnusable("read", target))
  if (decoded._tag === "Unreadable") {
    yield* Effect.logWarning(`${target} could not be read (${decoded.reason}) and is written anew`)
  }
  return decoded._tag === "Read" ? decoded.value : null
})

export const writeRecord = Effect.fnUntraced(function* (directory: string, record: ServerRecord.ServerRecord) {
  const target = yield* recordPath(directory)
  const text = yield* RecordFile.encode(ServerRecord.ServerRecord, record)
  yield* AtomicFile.write(target, text, { mode: 0o600 }).pipe(orUnusable("write", target))
})

/** Removes the record and the sockets, unless they are another server's by now. */
export const forgetServer = Effect.fnUntraced(function* (directory: string, marker: string) {
  const fs = yield* FileSystem.FileSystem
  const target = yield* recordPath(directory)
  const current = yield* readRecord(directory)
  if (current?.marker !== marker) return
  yield* fs.remove(target, { force: true }).pipe(orUnusable("remove", target))
  yield* removeSockets(directory)
})

/** Hands the secrets to the next server: in a file, because its environment becomes that of the agents. */
export const writeConfig = (state: StateDirectory, sessionKey: Redacted.Redacted) => {
  const config = { session_api_keys: [Redacted.value(sessionKey)], secret_key: Redacted.value(state.secretKey) }
  return AtomicFile.write(state.configPath, `${JSON.stringify(config)}\n`, { mode: 0o600 }).pipe(
    orUnusable("write", state.configPath)
  )
}

const sizeOf = Effect.fnUntraced(function* (target: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.stat(target).pipe(
    Effect.map(({ size }) => Number(ByteSize.toBigInt(size))),
    Effect.catchIf(isNotFound, () => Effect.succeed(0))
  )
})

/** Keeps the log bounded. The server appends, so it goes on at the new end. */
export const boundLog = ({ logPath }: StateDirectory): Effect.Effect<void, never, Files> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if ((yield* sizeOf(logPath)) <= longestLog) return
    yield* fs.copyFile(logPath, `${logPath}.1`)
    yield* fs.truncate(logPath, 0)
  }).pipe(Effect.ignore)

/** Makes the log file, which nobody else may read: the server writes what agents do into it. */
export const prepareLog = Effect.fnUntraced(function* (state: StateDirectory) {
  const fs = yield* FileSystem.FileSystem
  yield* boundLog(state)
  yield* Effect.scoped(fs.open(state.logPath, { flag: "a", mode: 0o600 })).pipe(orUnusable("open", state.logPath))
  yield* fs.chmod(state.logPath, 0o600).pipe(orUnusable("set the mode of", state.logPath))
  return yield* sizeOf(state.logPath).pipe(orUnusable("look at", state.logPath))
})

/** The end of what was logged after the first `from` bytes; empty when it cannot be read. */
export const logTail = ({ logPath }: StateDirectory, from: number): Effect.Effect<string, never, Files> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const size = yield* sizeOf(logPath)
    const start = Math.max(size < from ? 0 : from, size - tailBytes)
    const file = yield* fs.open(logPath)
    yield* file.seek(BigInt(start), "start")
    const bytes = yield* file.readAlloc(tailBytes)
    return bytes._tag === "Some" ? new TextDecoder().decode(bytes.value) : ""
  }).pipe(
    Effect.scoped,
    Effect.orElseSucceed(() => "")
  )
