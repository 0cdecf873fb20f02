/**
 * Asks git about repositories that somebody else controls: read-only, with a deadline, without network, hooks, helpers
 * or anything from this process' environment that could change its answer.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import * as AtomicFile from "../AtomicFile.ts"
import { lookAt, ownDirectory } from "./WorkspaceRoot.ts"

/** git gave no answer: not there, ended by a signal, or too slow. Its own output is not repeated, it may hold anything. */
export class GitUnavailable extends Data.TaggedError("GitUnavailable")<{ readonly message: string }> {}

export interface GitAnswer {
  readonly exitCode: number
  /** At most {@link maxOutputBytes} of standard output. */
  readonly stdout: Uint8Array
  readonly truncated: boolean
}

/** How and where git is called. */
export interface GitContext {
  /** Where from PATH and HOME are taken; nothing else is. */
  readonly environment: { readonly [name: string]: string }
  /** git never looks for a repository in this directory or above it. */
  readonly ceiling: string
  readonly timeoutMs: number
}

/** More output than this is dropped. */
export const maxOutputBytes = 32 * 1024 * 1024
/** Time for one answer. */
export const defaultTimeoutMs = 60_000

const passed = ["PATH", "HOME", "USER", "LOGNAME", "TMPDIR"]

const environmentOf = ({ ceiling, environment }: GitContext): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(environment).filter(([name]) => passed.includes(name))),
  LC_ALL: "C",
  GIT_CEILING_DIRECTORIES: ceiling,
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  GIT_NO_LAZY_FETCH: "1"
})

const settings = ["core.fsmonitor=false", "core.hooksPath=/dev/null", "protocol.allow=never", "gc.auto=0"].flatMap(
  (setting) => ["-c", setting]
)

/** Runs git in a directory. Any exit status is an answer. */
export const run = (
  directory: string,
  args: ReadonlyArray<string>,
  context: GitContext
): Effect.Effect<GitAnswer, GitUnavailable, ChildProcessSpawner> => {
  const what = `git ${args.find((word) => !word.startsWith("-")) ?? ""} in ${directory}`
  return Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner
    const handle = yield* spawner.spawn(
      ChildProcess.make("git", [...settings, ...args], {
        cwd: directory,
        env: environmentOf(context),
        extendEnv: false,
        stdin: "ignore",
        stderr: "ignore",
        forceKillAfter: 1_000
      })
    )
    const pieces: Array<Uint8Array> = []
    let length = 0
    let truncated = false
    yield* Stream.runForEach(handle.stdout, (bytes) =>
      Effect.sync(() => {
        const piece = bytes.subarray(0, maxOutputBytes - length)
        truncated ||= piece.length < bytes.length
        length += piece.length
        if (piece.length > 0) pieces.push(piece)
      })
    )
    const exitCode: number = yield* handle.exitCode
    const stdout = new Uint8Array(length)
    let offset = 0
    for (const piece of pieces) {
      stdout.set(piece, offset)
      offset += piece.length
    }
    return { exitCode, stdout, truncated }
  }).pipe(
    Effect.scoped,
    Effect.mapError(() => new GitUnavailable({ message: `${what} could not be started or was ended by a signal` })),
    Effect.timeoutOrElse({
      duration: context.timeoutMs,
      orElse: () => new GitUnavailable({ message: `${what} took longer than ${context.timeoutMs} ms` })
    })
  )
}

/** The standard output of a command as text, or null when its exit status is not 0. */
export const ask = (directory: string, args: ReadonlyArray<string>, context: GitContext) =>
  Effect.map(run(directory, args, context), ({ exitCode, stdout }) =>
    exitCode === 0 ? new TextDecoder().decode(stdout) : null
  )

/** Whether something that git would take for a repository begins in this directory. */
export const isRepository = Effect.fnUntraced(function* (directory: string) {
  const path = yield* Path.Path
  return (yield* lookAt(path.join(directory, ".git"))) !== null
})

/** Whether git agrees that the work tree of the repository that begins here is this directory. */
export const ownsWorkTree = Effect.fnUntraced(function* (directory: string, context: GitContext) {
  const fs = yield* FileSystem.FileSystem
  const top = yield* ask(directory, ["rev-parse", "--show-toplevel"], context)
  if (top === null) return false
  const [wanted, found] = yield* Effect.all([fs.realPath(directory), fs.realPath(top.replace(/\n$/, ""))])
  return wanted === found
})

const excludeLine = `${ownDirectory}/`

/** The common case, a plain clone that was seen before, without asking git. */
const hasLine = (excludeFile: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if ((yield* lookAt(excludeFile))?.type !== "File") return false
    return (yield* fs.readFileString(excludeFile)).split(/\r?\n/).includes(excludeLine)
  }).pipe(Effect.orElseSucceed(() => false))

/**
 * Keeps the orchestrator's directory out of the commits of the repository in a workspace, if there is one. What goes
 * wrong is logged: the directory also ignores itself.
 */
export const exclude = (workspacePath: string, context: GitContext) =>
  Effect.gen(function* () {
    if (!(yield* isRepository(workspacePath))) return
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (yield* hasLine(path.join(workspacePath, ".git", "info", "exclude"))) return
    if (!(yield* ownsWorkTree(workspacePath, context))) return
    const answer = yield* ask(workspacePath, ["rev-parse", "--git-path", "info/exclude"], context)
    if (answer === null) return
    const target = path.resolve(workspacePath, answer.replace(/\n$/, ""))
    const info = yield* lookAt(target)
    if (info !== null && info.type !== "File") return
    const before = info === null ? "" : yield* fs.readFileString(target)
    if (before.split(/\r?\n/).includes(excludeLine)) return
    yield* fs.makeDirectory(path.dirname(target), { recursive: true })
    yield* AtomicFile.write(target, `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}${excludeLine}\n`)
  }).pipe(
    Effect.catch((error) =>
      Effect.logWarning(`${ownDirectory}/ could not be added to the exclude file of ${workspacePath}: ${error.message}`)
    )
  )
