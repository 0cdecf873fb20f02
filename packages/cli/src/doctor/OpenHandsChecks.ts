/**
 * What a workflow says about OpenHands against what there is: variables, installation, server, version, key, and a whole
 * turn of the agent. Where no server runs, and nobody else has the workspaces, one is started for the time of the checks.
 */
import * as AgentServerVersion from "@opensymphony/adapters-openhands/client/ServerVersion"
import * as ProbeTurn from "@opensymphony/adapters-openhands/operator/ProbeTurn"
import * as ServerAccess from "@opensymphony/adapters-openhands/operator/ServerAccess"
import * as AgentProfile from "@opensymphony/adapters-openhands/session/AgentProfile"
import * as Installation from "@opensymphony/adapters-openhands/server/Installation"
import { pinnedVersion } from "@opensymphony/adapters-openhands/server/Pin"
import * as ServerProbe from "@opensymphony/adapters-openhands/server/ServerProbe"
import * as Usage from "@opensymphony/core/domain/Usage"
import { lookUp, type Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import { type OpenHandsSettings, variablesOf } from "@opensymphony/core/workflow/OpenHandsSettings"
import type { Workflow } from "@opensymphony/core/workflow/Workflow"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Logger from "effect/Logger"
import * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import { given } from "../adapters/OpenHandsAdapters.ts"
import type { Platform } from "../Adapters.ts"
import { accessOf } from "../debug/ConversationWorkflow.ts"
import * as Check from "./Check.ts"

export interface OpenHandsCheckOptions {
  readonly environment: Environment
  /** Takes every known secret out of a text. */
  readonly redact: (text: string) => string
  /** Whether a turn of the agent is tried, which costs some tokens. */
  readonly probe: boolean
  /** Shows checks as they are done: some take a while. */
  readonly tell: (checks: ReadonlyArray<Check.Check>) => Effect.Effect<void>
}

const subject = "openhands"
const modelSubject = "model"

const probeTimeoutMs = 120_000
const answerMs = 10_000

const variables = (settings: OpenHandsSettings, environment: Environment): Effect.Effect<Check.Check> => {
  const named = variablesOf(settings)
  const missing = named.filter((name) => lookUp(environment, name) === null)
  const instead = AgentProfile.resolve(settings, given(environment)).pipe(
    Effect.as(
      named.length === 0
        ? Check.pass(subject, "the openhands section names no secrets; the model gets no key")
        : Check.pass(subject, `every secret that the openhands section names is set: ${named.join(", ")}`)
    ),
    Effect.catch(({ message }) => Effect.succeed(Check.fail(subject, message)))
  )
  if (missing.length === 0) return instead
  const message = `the openhands section names ${missing.join(", ")}, which is not set; set it in the environment of opensymphony`
  return Effect.succeed(Check.fail(subject, message))
}

const installation = (
  { localServer, transport }: OpenHandsSettings,
  environment: Environment
): Effect.Effect<Check.Check, never, FileSystem.FileSystem> => {
  const { command, managed } = localServer
  if (!managed) return Effect.succeed(Check.skip(subject, `no installation is needed: ${transport.baseUrl} is used`))
  if (command !== null) {
    return Effect.succeed(
      Check.skip(subject, `no installation is needed: openhands.local_server.command is ${command[0]}`)
    )
  }
  return Installation.find(environment).pipe(
    Effect.map(({ directory }) =>
      Check.pass(subject, `the agent-server ${pinnedVersion} is installed in ${directory}`)
    ),
    Effect.catch(({ message }) => Effect.succeed(Check.fail(subject, message)))
  )
}

const reached = ({ endpoint: { baseUrl }, origin }: ServerAccess.ServerAccess): Check.Check => {
  switch (origin) {
    case "remote":
      return Check.pass(subject, `the agent-server at ${baseUrl} answers and takes the key`)
    case "running":
      return Check.pass(subject, `the agent-server of these workspaces runs at ${baseUrl} and answers`)
    case "started":
      return Check.pass(subject, `an agent-server can be started; one was, at ${baseUrl}, for these checks`)
  }
}

const version = ({ api }: ServerAccess.ServerAccess): Effect.Effect<Check.Check> =>
  api.version.pipe(
    Effect.map(({ version: named }) => {
      const judgement = AgentServerVersion.judge(named)
      if (judgement._tag === "Supported") return Check.pass(subject, `its version ${named} is supported`)
      return judgement._tag === "Untested"
        ? Check.warn(subject, `${judgement.message}; look at the first runs`)
        : Check.fail(subject, judgement.message)
    }),
    Effect.catch(({ message }) => Effect.succeed(Check.fail(subject, message)))
  )

/** A key that nobody asks for protects nothing. */
const protection = Effect.fnUntraced(function* ({ endpoint }: ServerAccess.ServerAccess) {
  if (endpoint.sessionKey === null) {
    return Check.warn(
      subject,
      "it asks for no key: whoever reaches it can run commands as its user; give it one (OH_SESSION_API_KEYS_0), and name " +
        "the variable with it in openhands.transport.session_api_key_env"
    )
  }
  const answer = yield* ServerProbe.askForConversations({ ...endpoint, sessionKey: null }, answerMs)
  return ServerProbe.problemOf(answer) === null
    ? Check.warn(
        subject,
        "it answers without the key too: whoever reaches it can run commands as its user; give it the key"
      )
    : Check.pass(subject, "it refuses who does not have the key")
})

/** A directory that the server finds at the same path, as it has to find the workspaces. */
const probeDirectory = Effect.fnUntraced(function* (root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const own = path.join(root, ".opensymphony")
  const isThere = yield* fs.exists(own)
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "doctor-", ...(isThere ? { directory: own } : {}) })
  return yield* fs.realPath(directory)
})

const told = ({ result, tookMs, usage }: ProbeTurn.Probe, model: string): Check.Check => {
  if (result._tag !== "Completed") return Check.fail(modelSubject, `${model} did not do a turn: ${result.reason}`)
  const tokens = Usage.tokens(usage) + usage.cacheReadTokens
  const cost = usage.costUsd > 0 ? `, $${usage.costUsd.toFixed(4)}` : ""
  const said = JSON.stringify((result.summary ?? "").slice(0, 40))
  return Check.pass(
    modelSubject,
    `${model} did a whole turn in ${(tookMs / 1_000).toFixed(1)} s and said ${said} (${tokens} tokens${cost})`
  )
}

const model = Effect.fnUntraced(function* (
  access: ServerAccess.ServerAccess,
  settings: OpenHandsSettings,
  { agent, workspace: { root } }: Workflow,
  environment: Environment
): Effect.fn.Return<Check.Check, never, FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const probe = Effect.flatMap(probeDirectory(root), (workspace) =>
    ProbeTurn.run({
      access,
      settings,
      environment: given(environment),
      workspace,
      stopTimeoutMs: agent.stopTimeoutMs,
      timeoutMs: probeTimeoutMs
    })
  )
  return yield* Effect.match(probe, {
    onFailure: ({ message }) => Check.fail(modelSubject, message),
    onSuccess: (done) => told(done, settings.conversation.agent.llm.model)
  })
})

const unprobed = (why: string) => Check.skip(modelSubject, why)

/** Of a server that is reached. */
const onServer = Effect.fnUntraced(function* (
  access: ServerAccess.ServerAccess,
  settings: OpenHandsSettings,
  workflow: Workflow,
  { environment, probe, tell }: OpenHandsCheckOptions
) {
  const about = [reached(access), yield* version(access), yield* protection(access)]
  yield* tell(about)
  if (Check.isBad(about)) return yield* tell([unprobed("needs a server of a supported version")])
  if (!probe) return yield* tell([unprobed("no turn was tried, because of --no-probe")])
  yield* tell([yield* model(access, settings, workflow, environment)])
})

/** Looks at everything; what is wrong is a failed check. */
export const all = (
  workflow: Workflow,
  section: OpenHandsSettings,
  options: OpenHandsCheckOptions
): Effect.Effect<void, never, Platform> =>
  Effect.gen(function* () {
    const { environment, tell } = options
    const access = accessOf(workflow, section, options)
    const here = [yield* variables(access.settings, environment), yield* installation(access.settings, environment)]
    yield* tell(here)
    if (Check.isBad(here)) return yield* tell([unprobed("needs what is missing above")])
    yield* Effect.matchEffect(ServerAccess.open(access, { claimed: false }), {
      onFailure: ({ message }) => tell([Check.fail(subject, message), unprobed("needs a server that answers")]),
      onSuccess: (server) => onServer(server, access.settings, workflow, options)
    })
  }).pipe(
    Effect.scoped,
    // What a server that is started has to say is told by the checks.
    Effect.provide([FetchHttpClient.layer, Logger.layer([])])
  )
