/**
 * Runs a shell script in a process group of its own and leaves nothing of that group behind: not after success, failure,
 * deadline or interruption. Used for hooks and for command agents.
 *
 * A process that leaves the group (`setsid`, a daemon that detaches itself) cannot be followed with POSIX means alone
 * and survives. If it took the pipes along, `run` still ends at its deadline, but the pipes stay open as long as that
 * process lives, and a program that only ends when its event loop is empty waits for them: it has to exit explicitly.
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as ChildProcess from "effect/process/ChildProcess"
import { type ChildProcessHandle, ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as LineSplitter from "./LineSplitter.ts"
import * as OutputTail from "./OutputTail.ts"
import { ProcessProbe } from "./ProcessProbe.ts"

export type OutputStream = "stdout" | "stderr"

export interface ShellRequest {
  /** Given to `sh -c`; no login shell. */
  readonly script: string
  readonly cwd: string
  /** The whole environment: nothing is inherited. */
  readonly environment: { readonly [name: string]: string }
  /** Written to standard input, which is then closed; without it, standard input is empty. */
  readonly stdin?: string
  /** One deadline for the process and whoever holds its pipes; null = none. */
  readonly timeoutMs: number | null
  /** TERM comes at once, KILL this much later. */
  readonly killAfterMs: number
  /**
   * Runs before the script does anything: so much time there is to write the process down. If this program dies
   * meanwhile, the script never runs. The pid is also the id of the process group.
   */
  readonly onStart?: (pid: number) => Effect.Effect<void>
  /** Called with the lines that were read at once, one call at a time; output is read no faster than this returns. */
  readonly onLines?: (stream: OutputStream, lines: ReadonlyArray<string>) => Effect.Effect<void>
}

export interface ShellResult {
  /** Null when a signal ended it, or it is still there. */
  readonly exitCode: number | null
  /** The signal that ended it, where the platform says which; else null. */
  readonly signal: string | null
  /** The process, or something that held its pipes, was still there at the deadline. */
  readonly timedOut: boolean
  /** The end of both streams as they came, newest last, at most {@link maxTailLength} characters. */
  readonly outputTail: string
  /** False when a member of the group survived KILL. */
  readonly groupGone: boolean
}

/** The shell did not start. */
export class ShellStartError extends Data.TaggedError("ShellStartError")<{
  readonly message: string
  /** What stands in the way: the working directory, the system (no `sh`, no memory or handle left), or the request. */
  readonly problem: "directory" | "system" | "request"
}> {}

/** Longest line that is handed on, in UTF-16 units; the rest of a longer one is dropped. */
export const maxLineLength = 64 * 1024
/** Length of {@link ShellResult.outputTail}, in UTF-16 units. */
export const maxTailLength = 8 * 1024

/** How long pipes may stay open after the process exited when there is no deadline. */
const pipeGraceMs = 2_000
/** How long a group may take to disappear after KILL. */
const killWaitMs = 5_000
/** How long output that is left when the group is gone may take to be handled. */
const settleMs = 500
/** How long pipes are read empty after that, so that they get closed. */
const readAwayMs = 250

/**
 * Runs `sh -c script` to its end. After the shell exited, output is read until the pipes are closed or the deadline
 * comes (without a deadline: two seconds); then whatever is left of the group is ended. Interruption ends the group
 * too and waits for it, at most `killAfterMs` and a few seconds.
 */
export const run = (
  request: ShellRequest
): Effect.Effect<ShellResult, ShellStartError, ChildProcessSpawner | ProcessProbe> =>
  Effect.scoped(Effect.uninterruptibleMask((restore) => supervise(request, restore)))

const supervise = Effect.fnUntraced(function* (
  request: ShellRequest,
  restore: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
) {
  const probe = yield* ProcessProbe
  const spawner = yield* ChildProcessSpawner
  const handle = yield* spawner.spawn(command(request)).pipe(
    Effect.mapError((error) => startError(request, error.reason)),
    // Some refusals of the system are thrown by the platform instead of reported.
    Effect.catchDefect((defect) => Effect.fail(startError(request, { cause: defect })))
  )
  const output = yield* readOutput(handle, request.onLines)
  const status = exitStatus(handle)

  const finish = Effect.gen(function* () {
    if (request.onStart !== undefined) yield* request.onStart(handle.pid)
    const text = standardInput(request)
    if (text !== undefined) yield* Effect.forkScoped(feed(handle, text))
    yield* Effect.raceFirst(status, Effect.andThen(output.handled, Effect.never))
    yield* request.timeoutMs === null ? Effect.timeoutOption(output.handled, pipeGraceMs) : output.handled
  })
  const finished = yield* Effect.exit(
    restore(request.timeoutMs === null ? Effect.asSome(finish) : Effect.timeoutOption(finish, request.timeoutMs))
  )

  const groupGone = yield* endOwnGroup(probe, handle, request.killAfterMs)
  // Nothing is left to do for the spawner when its scope closes. Unless told so, it would wait for zombies that nobody
  // collects, and without limit for a process that does not die.
  yield* Effect.ignore(handle.unref)
  yield* output.settle(Exit.isSuccess(finished) ? settleMs : 0)
  if (Exit.isFailure(finished)) return yield* Effect.failCause(finished.cause)

  const ended = yield* Effect.timeoutOption(status, groupGone ? settleMs : 0)
  return {
    ...Option.getOrElse(ended, () => ({ exitCode: null, signal: null })),
    timedOut: Option.isNone(finished.value),
    outputTail: output.tail(),
    groupGone
  } satisfies ShellResult
})

/**
 * With `onStart`, the shell first waits for a line on its standard input. POSIX has it read no byte beyond that line. All
 * on the line of the script's first command, so that the shell's line numbers stay right.
 */
const scriptOf = ({ onStart, script, stdin }: ShellRequest): string => {
  if (onStart === undefined) return script
  return `read -r _ || exit 1; ${stdin === undefined ? "exec </dev/null; " : ""}${script}`
}

const standardInput = ({ onStart, stdin }: ShellRequest): string | undefined =>
  onStart === undefined ? stdin : `\n${stdin ?? ""}`

const command = (request: ShellRequest): ChildProcess.Command =>
  ChildProcess.make("sh", ["-c", scriptOf(request)], {
    cwd: request.cwd,
    env: request.environment,
    extendEnv: false,
    detached: true,
    stdin: standardInput(request) === undefined ? "ignore" : "pipe",
    forceKillAfter: 0
  })

/** A child that does not read all of it, or closes it, is no error. */
const feed = (handle: ChildProcessHandle, text: string) =>
  Effect.ignore(Stream.run(Stream.make(new TextEncoder().encode(text)), handle.stdin))

/**
 * Once the leader has exited its number may belong to a stranger. Nobody can have it while the group has members, so a
 * living process with that pid means that the group is gone.
 */
const endOwnGroup = Effect.fnUntraced(function* (
  probe: ProcessProbe["Service"],
  handle: ChildProcessHandle,
  killAfterMs: number
) {
  const running = yield* Effect.orElseSucceed(handle.isRunning, () => false)
  if (!running && (yield* probe.startTime(handle.pid)) !== null) return true
  return yield* probe.endGroup(handle.pid, { killAfterMs, timeoutMs: killAfterMs + killWaitMs })
})

const exitStatus = (
  handle: ChildProcessHandle
): Effect.Effect<{ readonly exitCode: number | null; readonly signal: string | null }> =>
  Effect.match(handle.exitCode, {
    onSuccess: (exitCode) => ({ exitCode, signal: null }),
    // The platform reports a signal as an error whose cause names it in its text.
    onFailure: (error) => ({ exitCode: null, signal: /\bSIG[A-Z0-9]+\b/.exec(String(error.reason.cause))?.[0] ?? null })
  })

interface Batch {
  readonly stream: OutputStream
  readonly lines: ReadonlyArray<string>
}

/**
 * Reads both pipes to their end. Lines go through a queue of one batch to a single fiber that hands them on, so that a
 * slow handler slows the writer, and a handler that hangs can be given up while the pipes are still read.
 */
const readOutput = Effect.fnUntraced(function* (handle: ChildProcessHandle, onLines: ShellRequest["onLines"]) {
  const tail = OutputTail.make(maxTailLength)
  const batches = yield* Queue.bounded<Batch, Cause.Done>(1)

  const read = (stream: OutputStream) => {
    const decoder = new TextDecoder()
    const splitter = LineSplitter.make(maxLineLength)
    const offer = (lines: ReadonlyArray<string>) =>
      lines.length === 0 ? Effect.void : Queue.offer(batches, { stream, lines })
    const accept = (text: string) => {
      tail.append(text)
      return onLines === undefined ? Effect.void : offer(splitter.push(text))
    }
    return Stream.runForEach(handle[stream], (bytes) => accept(decoder.decode(bytes, { stream: true }))).pipe(
      Effect.ignore,
      Effect.andThen(Effect.suspend(() => accept(decoder.decode()))),
      Effect.andThen(Effect.suspend(() => offer(splitter.end())))
    )
  }
  const readers = yield* Effect.all([read("stdout"), read("stderr")], { concurrency: 2, discard: true }).pipe(
    Effect.ensuring(Queue.end(batches)),
    Effect.forkScoped
  )
  const handler = yield* Stream.fromQueue(batches).pipe(
    Stream.runForEach(({ stream, lines }) => (onLines === undefined ? Effect.void : onLines(stream, lines))),
    Effect.forkScoped
  )

  return {
    tail: tail.read,
    /** Ends when both pipes are closed and every line was handed on; dies with the handler. */
    handled: Fiber.join(handler),
    /** Gives what is left a moment, then stops handing on and reads the pipes empty, so that they get closed. */
    settle: (handleMs: number) =>
      Fiber.await(handler).pipe(
        Effect.timeoutOption(handleMs),
        Effect.andThen(Fiber.interrupt(handler)),
        Effect.andThen(Queue.shutdown(batches)),
        Effect.andThen(Effect.timeoutOption(Fiber.await(readers), readAwayMs))
      )
  }
})

const systemCodes = ["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"]

const startError = (
  request: ShellRequest,
  reason: PlatformError.PlatformError["reason"] | { readonly cause: unknown }
): ShellStartError => {
  const code = Predicate.hasProperty(reason.cause, "code") ? String(reason.cause.code) : "unknown reason"
  if ("_tag" in reason && reason._tag === "BadArgument") {
    return new ShellStartError({
      message: `sh -c could not be started in ${request.cwd}: ${reason.description ?? "no process can take such arguments"}`,
      problem: "request"
    })
  }
  if (code === "E2BIG") {
    return new ShellStartError({
      message: `sh -c could not be started in ${request.cwd}: its text or environment is longer than the system allows`,
      problem: "request"
    })
  }
  if (systemCodes.includes(code)) {
    return new ShellStartError({
      message: `the system starts no more processes (${code}); check its limits on processes, memory and open files`,
      problem: "system"
    })
  }
  if (code === "ENOENT" && "module" in reason && reason.module === "ChildProcess") {
    return new ShellStartError({ message: "sh was not found; PATH must lead to a POSIX shell", problem: "system" })
  }
  return new ShellStartError({
    message: `sh -c could not be started in ${request.cwd} (${code}); it must be a directory that can be entered`,
    problem: "directory"
  })
}
