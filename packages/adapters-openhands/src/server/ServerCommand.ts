/**
 * What is run to start a server: the program, its arguments, and an environment that holds no secret but those that the
 * settings name, because terminals of agents inherit it.
 */
import { hex } from "@opensymphony/adapters-fs/workspace/Sha256"
import { RuntimeError } from "@opensymphony/core/ports/AgentRuntime"
import { lookUp, type Environment } from "@opensymphony/core/workflow/EnvironmentReference"
import type { EnvironmentValues } from "@opensymphony/core/workflow/OpenHandsSettings"
import { passedThrough } from "@opensymphony/core/workflow/ShellEnvironment"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as Bootstrap from "./Bootstrap.ts"
import * as Installation from "./Installation.ts"
import { markerVariable } from "./Leftovers.ts"
import type { LocalServerOptions } from "./LocalServerOptions.ts"
import { pinnedVersion, serverModule } from "./Pin.ts"
import type { StateDirectory } from "./StateDirectory.ts"

export interface ServerCommand {
  /** Program and arguments, without host and port. */
  readonly words: ReadonlyArray<string>
  /** What the workflow adds to the environment. */
  readonly named: { readonly [name: string]: string }
  /** Equal for equal settings; tells nothing about them. */
  readonly fingerprint: string
}

const valueOf = (environment: Environment, values: EnvironmentValues) =>
  Effect.forEach(Object.entries(values), ([name, value]) => {
    if (value.kind === "text") return Effect.succeed([name, value.text] as const)
    const found = lookUp(environment, value.name)
    if (found !== null) return Effect.succeed([name, found] as const)
    const message =
      `openhands.local_server.env.${name} takes the environment variable ${value.name}, which is not set; ` +
      "set it before starting"
    return Effect.fail(new RuntimeError({ message, unavailable: true }))
  }).pipe(Effect.map((entries): { readonly [name: string]: string } => Object.fromEntries(entries)))

const installedWords = (environment: Environment) =>
  Installation.find(environment).pipe(
    Effect.map(({ python }) => [python, "-m", serverModule]),
    Effect.mapError(({ message }) => new RuntimeError({ message, unavailable: true }))
  )

/** Finds the server and resolves its settings; fails where the user has to do something first. */
export const resolve = Effect.fnUntraced(function* (
  { environment, settings }: LocalServerOptions,
  state: StateDirectory
): Effect.fn.Return<ServerCommand, RuntimeError, FileSystem.FileSystem> {
  const { localServer, transport } = settings
  const words = Bootstrap.withThreads(localServer.command ?? (yield* installedWords(environment)))
  const named = yield* valueOf(environment, localServer.env)
  // With the key in it, nobody can try out values of variables against the fingerprint.
  const facts = [Redacted.value(state.secretKey), pinnedVersion, words, named, transport.baseUrl, transport.port]
  return { words, named, fingerprint: yield* hex(JSON.stringify(facts)) }
})

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Shell text that becomes the server. Its output goes to a file: a pipe would break with this process. */
export const script = (words: ReadonlyArray<string>, host: string, port: number, logPath: string): string => {
  const all = [...words, "--host", host.replaceAll(/[[\]]/g, ""), "--port", String(port)]
  return `exec ${all.map(quoted).join(" ")} >>${quoted(logPath)} 2>&1`
}

const loopbackHosts = "127.0.0.1,localhost,::1"

/** A proxy is no way to this machine. */
const withoutProxyForLoopback = (passed: { readonly [name: string]: string }) => {
  const names = ["NO_PROXY", "no_proxy"] as const
  const given = names.map((name) => passed[name]).find((value) => value !== undefined && value.trim() !== "")
  const value = given === undefined ? loopbackHosts : `${given},${loopbackHosts}`
  return Object.fromEntries(names.map((name) => [name, value]))
}

const weekSeconds = 7 * 24 * 60 * 60
/**
 * The server counts runs and creations together and answers 429 beyond this (its default is 10). How many agents work at
 * once is the orchestrator's to decide, also anew while the server runs; one that does not work costs nothing here.
 */
const maxConcurrentRuns = 10_000

/**
 * The whole environment of a server. Server 1.57 reads `OH_<FIELD>` over its configuration file (`config.py`), whose
 * place is the only trace of the secrets in here.
 */
export const environmentOf = (
  environment: Environment,
  { named }: ServerCommand,
  state: StateDirectory,
  marker: string
): { readonly [name: string]: string } => {
  const passed = passedThrough(environment, [])
  return {
    ...passed,
    ...withoutProxyForLoopback(passed),
    // Events carry local time without an offset.
    TZ: "UTC",
    PYTHONUNBUFFERED: "1",
    COLUMNS: "160",
    // The other handler draws a traceback for every exception, for seconds in which nothing is answered.
    LOG_JSON: "1",
    OPENHANDS_SUPPRESS_BANNER: "1",
    // Otherwise every start fetches a price list from the network.
    LITELLM_LOCAL_MODEL_COST_MAP: "True",
    OPENHANDS_AGENT_SERVER_CONFIG_PATH: state.configPath,
    OH_CONVERSATIONS_PATH: state.data.conversations,
    OH_WORKSPACE_PATH: state.data.project,
    OH_CONVERSATION_WORKTREE_ROOT: state.data.worktrees,
    OH_BASH_EVENTS_DIR: state.data.bashEvents,
    OH_BASH_EVENTS_RETENTION_SECONDS: String(weekSeconds),
    OH_PERSISTENCE_DIR: state.data.persistence,
    TMUX_TMPDIR: state.data.tmux,
    OH_ENABLE_VSCODE: "0",
    OH_ENABLE_VNC: "0",
    OH_PRELOAD_TOOLS: "0",
    OH_MAX_CONCURRENT_RUNS: String(maxConcurrentRuns),
    // One server per directory is our rule; a lease of a dead one would only lock its successor out.
    OH_LEASE_TTL_SECONDS: "0",
    ...named,
    [markerVariable]: marker
  }
}
