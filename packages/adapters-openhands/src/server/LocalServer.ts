/**
 * {@link AgentServer} on a server that this program starts: one process group per workspace root, started anew when it
 * ends or goes silent, taken over from an orchestrator that died, and gone with the layer's scope.
 */
import { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { AgentServer, type AgentServerService } from "./AgentServer.ts"
import * as Inheritance from "./Inheritance.ts"
import { type LocalServerOptions, type Patience, usualPatience } from "./LocalServerOptions.ts"
import * as PortChoice from "./PortChoice.ts"
import * as ServerCommand from "./ServerCommand.ts"
import * as ServerProcess from "./ServerProcess.ts"
import { baseUrlOf, endpointOf, type ServerRecord } from "./ServerRecord.ts"
import * as ServerState from "./ServerState.ts"
import * as StateDirectory from "./StateDirectory.ts"
import * as Watch from "./Watch.ts"

export type { LocalServerOptions } from "./LocalServerOptions.ts"

export type LocalServerServices = FileSystem.FileSystem | Path.Path | ChildProcessSpawner | ProcessProbe

/** Between two looks at a process that is not our child. */
const processLookMs = 1_000

const hostOf = ({ settings }: LocalServerOptions): string => {
  const { hostname } = new URL(settings.transport.baseUrl)
  return hostname === "localhost" ? "127.0.0.1" : hostname
}

/** Waits between restarts: doubled while servers fail early, short again after one that worked. */
const restartDelay = ({ firstRestartMs, longestRestartMs, steadyMs }: Patience) => {
  let next = firstRestartMs
  return (upForMs: number): number => {
    const delay = upForMs >= steadyMs ? firstRestartMs : next
    next = Math.min(delay * 2, longestRestartMs)
    return delay
  }
}

const inTheWay = ({ isSame, record }: Extract<Inheritance.Inherited, { _tag: "InTheWay" }>) => {
  const what = isSame
    ? `the OpenHands agent-server of another opensymphony, process ${record.pid}, does not answer yet; it is used once it does`
    : `an OpenHands agent-server with other settings, process ${record.pid}, is still in use here; ` +
      "a new one is started when it ends"
  return new RuntimeError({ message: what, unavailable: true })
}

/**
 * Starts the supervisor. Fails at once where the user has to do something first: nothing is installed, the port is
 * somebody else's, the directory cannot be used. Everything later shows as health.
 */
export const make = Effect.fnUntraced(function* (
  options: LocalServerOptions
): Effect.fn.Return<AgentServerService, RuntimeError, LocalServerServices | Scope.Scope> {
  const services = Context.pick(
    FileSystem.FileSystem,
    Path.Path,
    ChildProcessSpawner,
    ProcessProbe
  )(yield* Effect.context<LocalServerServices>())
  const probe = yield* ProcessProbe
  const patience: Patience = { ...usualPatience, ...options.patience }
  const { startupTimeoutMs } = options.settings.localServer
  const host = hostOf(options)
  const { port: namedPort } = options.settings.transport

  const directory = yield* StateDirectory.open(options.stateDirectory)
  const command = yield* ServerCommand.resolve(options, directory)
  const seeker = { fingerprint: command.fingerprint, supervisor: yield* StateDirectory.randomHex(8), patience }
  const redact = ServerProcess.redactor(options, command, directory)

  const known = yield* StateDirectory.readRecord(directory.path)
  const isOurs = known !== null && (yield* Inheritance.isRunning(known))
  if (namedPort !== null && !isOurs) yield* PortChoice.requireFree(host, namedPort)

  const state = yield* ServerState.make("the OpenHands agent-server is starting", startupTimeoutMs + patience.graceMs)
  const wake = yield* Queue.sliding<void>(1)

  const watch = (record: ServerRecord) =>
    Effect.gen(function* () {
      const endpoint = endpointOf(record)
      yield* Queue.clear(wake)
      yield* state.up(endpoint)
      const tend = Effect.provideContext(StateDirectory.boundLog(directory), services)
      return yield* Watch.untilUnresponsive({ endpoint, state, patience, wake, tend })
    })

  /** For a process that is not our child, so that nobody tells us when it ends. */
  const untilGone = (record: ServerRecord) =>
    Inheritance.isRunning(record).pipe(
      Effect.delay(processLookMs),
      Effect.repeat({ while: (running) => running }),
      Effect.as("ended")
    )

  const watchInherited = (record: ServerRecord) => Effect.raceFirst(watch(record), untilGone(record))

  /** Kept from one server to the next, so that clients of the old one find the new one. */
  let access = { port: namedPort, sessionKey: yield* StateDirectory.randomHex(32) }

  const adopt = (record: ServerRecord) =>
    Effect.acquireUseRelease(
      StateDirectory.writeRecord(directory.path, {
        ...record,
        owner: probe.self,
        supervisor: seeker.supervisor
      }),
      () =>
        Effect.suspend(() => {
          access = { port: record.port, sessionKey: record.sessionKey }
          return Effect.logInfo(
            `took over the OpenHands agent-server at ${baseUrlOf(record.host, record.port)}, process ${record.pid}`
          )
        }).pipe(Effect.andThen(watchInherited(record))),
      () => Inheritance.end(directory.path, record, patience)
    )

  const start = Effect.gen(function* () {
    if (namedPort !== null) yield* PortChoice.requireFree(host, namedPort)
    const port = namedPort ?? (yield* PortChoice.free(host, access.port))
    access = { ...access, port }
    return yield* ServerProcess.run({
      options,
      command,
      directory,
      patience,
      host,
      ...access,
      port,
      supervisor: seeker.supervisor,
      redact,
      whileReady: watch
    })
  })

  /** One server, from its start or discovery to its end; the text says how it ended. */
  const one: Effect.Effect<string, RuntimeError, LocalServerServices> = Effect.gen(function* () {
    const inherited = yield* Inheritance.look(directory.path, seeker)
    switch (inherited._tag) {
      case "None":
        return yield* start
      case "Orphan":
        return yield* adopt(inherited.record)
      case "Shared":
        return yield* watchInherited(inherited.record)
      case "InTheWay":
        return yield* inTheWay(inherited)
    }
  })

  const delay = restartDelay(patience)
  const supervise = Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const ending = yield* Effect.match(one, {
      onSuccess: (how) => `the OpenHands agent-server ${how}; it is started anew`,
      onFailure: ({ message }) => message
    })
    const pauseMs = delay((yield* Clock.currentTimeMillis) - startedAt)
    yield* state.down(redact(ending))
    yield* Effect.logWarning(`${redact(ending)}; next try in ${Math.ceil(pauseMs / 1000)} s`)
    yield* Effect.sleep(pauseMs)
  })
  yield* Effect.forever(supervise).pipe(
    Effect.tapCause((cause) =>
      state
        .down("the supervisor of the OpenHands agent-server failed; restart opensymphony")
        .pipe(Effect.andThen(Effect.logError("the supervisor of the OpenHands agent-server failed", cause)))
    ),
    Effect.provideContext(services),
    Effect.forkScoped
  )
  return {
    endpoint: state.endpoint,
    health: state.health,
    reportUnreachable: Effect.asVoid(Queue.offer(wake, undefined))
  }
})

/** The server of `options.settings`, which must be a managed one. */
export const layer = (options: LocalServerOptions): Layer.Layer<AgentServer, RuntimeError, LocalServerServices> =>
  Layer.effect(AgentServer, make(options))
