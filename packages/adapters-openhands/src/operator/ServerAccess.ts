/**
 * How a command that is no orchestrator comes to the server of a workspace root: the configured one that somebody else
 * runs, the one that an orchestrator runs or left behind, or one that is started for the time of the command. Only the
 * last needs the root for itself; whoever changes something claims the root first, so that no run starts meanwhile.
 */
import type { ProcessProbe } from "@opensymphony/adapters-fs/process/ProcessProbe"
import * as RootLock from "@opensymphony/adapters-fs/RootLock"
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as AgentServerApi from "../client/AgentServerApi.ts"
import * as Connection from "../client/Connection.ts"
import type { AgentServerService, Endpoint } from "../server/AgentServer.ts"
import * as Inheritance from "../server/Inheritance.ts"
import * as LocalServer from "../server/LocalServer.ts"
import type { LocalServerOptions } from "../server/LocalServerOptions.ts"
import * as RemoteServer from "../server/RemoteServer.ts"
import * as ServerProbe from "../server/ServerProbe.ts"
import { endpointOf, type ServerRecord } from "../server/ServerRecord.ts"
import * as StateDirectory from "../server/StateDirectory.ts"
import { from, OperatorError } from "./OperatorError.ts"

export interface AccessOptions extends LocalServerOptions {
  /** Absolute path of the workspace root. */
  readonly root: string
  /** Absolute path of the WORKFLOW.md, for those who find the root claimed. */
  readonly workflowPath: string
}

export interface ServerAccess {
  /** `remote`: somebody else's. `running`: it was there. `started`: for the time of the scope. */
  readonly origin: "remote" | "running" | "started"
  readonly endpoint: Endpoint
  readonly connection: Connection.Connection
  readonly api: AgentServerApi.AgentServerApi
  /** Takes every known secret out of a text, the server's session key included. */
  readonly redact: (text: string) => string
}

export type AccessServices = LocalServer.LocalServerServices | HttpClient.HttpClient

type Files = FileSystem.FileSystem | Path.Path | ProcessProbe

/** For one answer of a server that is there. */
const answerMs = 10_000

/** Takes the root until the scope closes; `purpose` says what for, when an orchestrator has it. */
export const claim = (
  { root, workflowPath }: Pick<AccessOptions, "root" | "workflowPath">,
  purpose: string
): Effect.Effect<void, OperatorError, Files | Scope.Scope> =>
  RootLock.acquire({ root, workflowPath }).pipe(
    Effect.mapError((error) => {
      if (error._tag !== "RootLocked") return from(error)
      const message =
        `${purpose} needs the workspace root ${root} for itself, and another opensymphony, process ${error.pid}, has it; ` +
        "stop that first"
      return new OperatorError({ message })
    })
  )

const mask = "***"

const withoutKey = (redact: (text: string) => string, { sessionKey }: Endpoint): ((text: string) => string) => {
  if (sessionKey === null) return redact
  const key = Redacted.value(sessionKey)
  return (text) => redact(text.replaceAll(key, mask))
}

const accessTo = Effect.fnUntraced(function* (
  origin: ServerAccess["origin"],
  server: AgentServerService,
  options: AccessOptions
): Effect.fn.Return<ServerAccess, RuntimeError, HttpClient.HttpClient> {
  const endpoint = yield* server.endpoint
  const redact = withoutKey(options.redact, endpoint)
  const connection = Connection.make(server, yield* HttpClient.HttpClient, redact)
  return { origin, endpoint, connection, api: AgentServerApi.make(connection), redact }
})

const found = (endpoint: AgentServerService["endpoint"]): AgentServerService => ({
  endpoint,
  health: Stream.never,
  reportUnreachable: Effect.void
})

const remedyOf = (answer: ServerProbe.Answer, { settings }: AccessOptions): string => {
  if (answer._tag !== "Answered") return "check that it runs and that openhands.transport.base_url names it"
  if (answer.status !== 401 && answer.status !== 403) return "look at its log"
  const { sessionKeyEnv } = settings.transport
  return sessionKeyEnv === null
    ? "name the variable with its key in openhands.transport.session_api_key_env"
    : `check the key in ${sessionKeyEnv}`
}

const remote = Effect.fnUntraced(function* (options: AccessOptions) {
  const endpoint = yield* RemoteServer.endpointOf(options)
  const answer = yield* ServerProbe.askForConversations(endpoint, answerMs)
  const problem = ServerProbe.problemOf(answer)
  if (problem !== null) {
    const message =
      `the OpenHands agent-server at ${endpoint.baseUrl} does not answer as it should: ${problem}; ` +
      remedyOf(answer, options)
    return yield* new RuntimeError({ message, unavailable: true })
  }
  return yield* accessTo("remote", found(Effect.succeed(endpoint)), options)
})

/** The server that a record is about, wherever it is when it is asked for. */
const recorded = Effect.fnUntraced(function* (stateDirectory: string) {
  const services = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const endpoint = StateDirectory.readRecord(stateDirectory).pipe(
    Effect.flatMap((record) =>
      record === null
        ? Effect.fail(new RuntimeError({ message: "the OpenHands agent-server has ended", unavailable: true }))
        : Effect.succeed(endpointOf(record))
    ),
    Effect.provideContext(services)
  )
  return found(endpoint)
})

/** A server of this root that runs, and whether it answers. */
const running = Effect.fnUntraced(function* ({ stateDirectory }: AccessOptions) {
  const record = yield* StateDirectory.readRecord(stateDirectory)
  if (record === null || !(yield* Inheritance.isRunning(record))) return null
  const problem = ServerProbe.problemOf(yield* ServerProbe.askForConversations(endpointOf(record), answerMs))
  return { record, problem }
})

const silent = ({ host, owner, pid, port }: ServerRecord, problem: string, { stateDirectory }: AccessOptions) =>
  new OperatorError({
    message:
      `the OpenHands agent-server of the orchestrator ${owner.pid}, process ${pid} at ${host}:${port}, does not answer: ` +
      `${problem}; look at ${stateDirectory}/server.log`
  })

/** The supervisor tries again and again; whoever waits here wants to know at once why the first try failed. */
const startedAccess = (options: AccessOptions) => (server: AgentServerService) => {
  const firstFailure = server.health.pipe(
    Stream.drop(1),
    Stream.filter((health) => health._tag === "Down"),
    Stream.runHead,
    Effect.flatMap(
      Option.match({
        onNone: () => Effect.never,
        onSome: ({ reason }) => Effect.fail(new RuntimeError({ message: reason, unavailable: true }))
      })
    )
  )
  return Effect.raceFirst(accessTo("started", server, options), firstFailure)
}

/**
 * The server, reached and answering. Without `claimed` the root is claimed here where a server has to be started.
 */
export const open = Effect.fnUntraced(function* (
  options: AccessOptions,
  { claimed }: { readonly claimed: boolean }
): Effect.fn.Return<ServerAccess, OperatorError, AccessServices | Scope.Scope> {
  if (!options.settings.localServer.managed) return yield* Effect.mapError(remote(options), from)
  const there = yield* Effect.mapError(running(options), from)
  if (there !== null) {
    const { problem, record } = there
    if (problem === null) {
      const server = yield* recorded(options.stateDirectory)
      return yield* Effect.mapError(accessTo("running", server, options), from)
    }
    if (!claimed && (yield* Inheritance.isRunning(record.owner))) return yield* silent(record, problem, options)
  }
  if (!claimed) yield* claim(options, "no OpenHands agent-server runs for this workflow, and starting one")
  yield* Effect.logInfo("no OpenHands agent-server runs for this workflow; one is started for the time of this command")
  return yield* Effect.mapError(Effect.flatMap(LocalServer.make(options), startedAccess(options)), from)
})
