/** One server process from its start to its end: written down before it does anything, and gone when this is over. */
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as ShellProcess from "@opensymphony/adapters-fs/process/ShellProcess"
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import { lookUp } from "@opensymphony/core/workflow/EnvironmentReference"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Inheritance from "./Inheritance.ts"
import type { LocalServerOptions, Patience } from "./LocalServerOptions.ts"
import * as Quieting from "./Quieting.ts"
import * as ServerCommand from "./ServerCommand.ts"
import * as ServerProbe from "./ServerProbe.ts"
import { baseUrlOf, endpointOf, type ServerRecord } from "./ServerRecord.ts"
import * as StateDirectory from "./StateDirectory.ts"

export interface ServerProcessOptions {
  readonly options: LocalServerOptions
  readonly command: ServerCommand.ServerCommand
  readonly directory: StateDirectory.StateDirectory
  readonly patience: Patience
  readonly host: string
  readonly port: number
  readonly sessionKey: string
  readonly supervisor: string
  readonly redact: (text: string) => string
  /** Runs while the server works; the process is ended when this returns. */
  readonly whileReady: (record: ServerRecord) => Effect.Effect<string>
}

type Services = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe

/** Between two looks at a server that is not ready yet. */
const readyLookMs = 200
/** How much of the log goes into a message. */
const shownLines = 12
const shownLength = 1_500

/** Takes out what this program gave to the server, beside what the caller knows to be secret. */
export const redactor = (
  { environment, redact, settings }: LocalServerOptions,
  { named }: ServerCommand.ServerCommand,
  { secretKey }: StateDirectory.StateDirectory
): ((text: string) => string) => {
  const fromVariables = Object.entries(settings.localServer.env).flatMap(([name, value]) =>
    value.kind === "variable" ? [named[name] ?? "", lookUp(environment, value.name) ?? ""] : []
  )
  const secrets = [Redacted.value(secretKey), ...fromVariables].filter((secret) => secret.trim().length >= 4)
  return (text) => redact(secrets.reduce((shown, secret) => shown.replaceAll(secret, "***"), text))
}

const LogLine = Schema.fromJsonString(
  Schema.Struct({ message: Schema.String, exc_info: Schema.optionalKey(Schema.NullOr(Schema.String)) })
)
const decodeLogLine = Schema.decodeUnknownOption(LogLine)

/** What a line says: the server logs objects, Python itself and other programs plain text. */
const saidIn = (line: string): string =>
  Option.match(decodeLogLine(line), {
    onNone: () => line,
    onSome: ({ exc_info, message }) => [message, exc_info?.split("\n").at(-1) ?? ""].join(" ")
  })

const lastLines = (text: string): string => {
  const lines = text
    .split("\n")
    .map(saidIn)
    .map((line) => line.replaceAll(/[\p{Cc}\s]+/gu, " ").trim())
    .filter((line) => line !== "")
  const shown = lines.slice(-shownLines).join(" | ")
  return shown.length > shownLength ? `...${shown.slice(-shownLength).toWellFormed()}` : shown
}

const describeExit = ({ exitCode, signal }: ShellProcess.ShellResult): string => {
  if (exitCode !== null) return `ended with status ${exitCode}`
  return signal === null ? "ended" : `was ended by ${signal}`
}

/**
 * Runs a server on a port. Succeeds with how it ended after it was ready; fails when it never was. On interruption the
 * server gets the time to save its conversations first.
 */
export const run = Effect.fnUntraced(function* (
  given: ServerProcessOptions
): Effect.fn.Return<string, RuntimeError, Services> {
  const { command, directory, host, options, patience, port, sessionKey } = given
  const probe = yield* ProcessProbe
  const services = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const marker = yield* StateDirectory.randomHex(16)
  yield* StateDirectory.writeConfig(directory, Redacted.make(sessionKey))
  yield* StateDirectory.makeSockets(directory)
  const logStart = yield* StateDirectory.prepareLog(directory)
  const recorded = yield* Deferred.make<ServerRecord, RuntimeError>()
  const failure = (problem: string) =>
    Effect.gen(function* () {
      const lines = lastLines(yield* StateDirectory.logTail(directory, logStart))
      const said = lines === "" ? "it said nothing" : `it said: ${lines.replaceAll(sessionKey, "***")}`
      const message = `the OpenHands agent-server ${problem}; ${said} (all of it in ${directory.logPath})`
      return new RuntimeError({ message: given.redact(message), unavailable: true })
    })

  const writeDown = (pid: number) =>
    Effect.gen(function* () {
      const startTime = yield* probe.startTime(pid)
      const record: ServerRecord = {
        version: 1,
        pid,
        startTime: startTime ?? "",
        host,
        port,
        sessionKey,
        marker,
        fingerprint: command.fingerprint,
        owner: probe.self,
        supervisor: given.supervisor,
        since: DateTime.formatIso(yield* DateTime.now)
      }
      yield* StateDirectory.writeRecord(directory.path, record)
      return record
    }).pipe(
      Effect.provideContext(services),
      Effect.onExit((exit) => Deferred.done(recorded, exit)),
      // Without a record a crash would leave the server behind, so it does not get to run.
      Effect.catch(() => Effect.never)
    )

  let wasReady = false
  const life = ShellProcess.run({
    script: ServerCommand.script(command.words, host, port, directory.logPath),
    cwd: directory.path,
    environment: ServerCommand.environmentOf(options.environment, command, directory, marker),
    timeoutMs: null,
    killAfterMs: patience.killAfterMs,
    onStart: (pid) => Effect.asVoid(writeDown(pid))
  }).pipe(
    Effect.mapError(({ message }) => new RuntimeError({ message: given.redact(message), unavailable: true })),
    Effect.flatMap((result) =>
      wasReady
        ? Effect.succeed(describeExit(result))
        : Effect.flatMap(failure(`${describeExit(result)} before it was ready`), Effect.fail)
    )
  )

  const serve = Effect.gen(function* () {
    const record = yield* Deferred.await(recorded)
    const { startupTimeoutMs } = options.settings.localServer
    const ready = yield* Effect.timeoutOption(untilReady(given, record), startupTimeoutMs)
    if (ready._tag === "None") {
      const remedy = "raise openhands.local_server.startup_timeout_ms if it needs longer"
      return yield* Effect.flatMap(failure(`was not ready within ${startupTimeoutMs} ms; ${remedy}`), Effect.fail)
    }
    wasReady = true
    yield* Effect.logInfo(`the OpenHands agent-server at ${baseUrlOf(host, port)} is ready, process ${record.pid}`)
    return yield* given.whileReady(record)
  })

  const clear = Effect.gen(function* () {
    const record = yield* Deferred.poll(recorded)
    if (Option.isSome(record)) yield* Effect.flatMap(record.value, (known) => Inheritance.settle(directory.path, known))
  }).pipe(Effect.ignore)

  const quiet = Effect.gen(function* () {
    const record = wasReady ? yield* Deferred.poll(recorded) : Option.none()
    if (Option.isSome(record)) yield* Effect.flatMap(record.value, (known) => Quieting.quiet(endpointOf(known)))
  }).pipe(Effect.ignore)

  // The process is ended by us, and only after what runs on it was interrupted; hence a fiber that no interruption reaches.
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const living = yield* Effect.forkDetach(life)
      const exit = yield* Effect.exit(restore(Effect.raceFirst(Fiber.join(living), serve)))
      if (living.pollUnsafe() === undefined) yield* quiet
      yield* Fiber.interrupt(living)
      yield* clear
      return yield* exit
    })
  )
})

/** Ready is who says so and knows the key that only this server was told. */
const untilReady = ({ host, options, patience, port }: ServerProcessOptions, record: ServerRecord) =>
  Effect.gen(function* () {
    const url = `${baseUrlOf(host, port)}${options.settings.localServer.readinessProbePath}`
    const answer = yield* ServerProbe.ask({ url, key: null, timeoutMs: patience.answerMs })
    if (answer._tag !== "Answered" || answer.status < 200 || answer.status > 299) return false
    const works = yield* ServerProbe.askForConversations(endpointOf(record), patience.answerMs)
    return ServerProbe.problemOf(works) === null
  }).pipe(
    Effect.tap((isReady) => (isReady ? Effect.void : Effect.sleep(readyLookMs))),
    Effect.repeat({ until: (isReady) => isReady })
  )
