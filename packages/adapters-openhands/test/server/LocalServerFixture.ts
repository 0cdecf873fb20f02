/** Local servers on the fake program, for the tests in this folder. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NodeProcessProbe from "@opensymphony/adapters-fs/process/NodeProcessProbe"
import type { RuntimeHealth } from "@opensymphony/core/ports/AgentRuntime"
import type { EnvironmentValues, OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import { type Duration, Effect, Exit, Layer, Logger, Option, Schedule, Scope, Stream } from "effect"
import { existsSync, mkdtempSync, readFileSync, realpathSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { AgentServerService } from "../../src/server/AgentServer.ts"
import * as LocalServer from "../../src/server/LocalServer.ts"
import type { Patience } from "../../src/server/LocalServerOptions.ts"

/** Node's, and no log. */
export const platform = Layer.mergeAll(
  NodeProcessProbe.layer.pipe(Layer.provideMerge(NodeServices.layer)),
  Logger.layer([])
)

export const newDirectory = (): string => mkdtempSync(join(realpathSync(tmpdir()), "local-server-"))

const program = join(import.meta.dirname, "FakeServerProgram.mjs")

/** Short enough for a test, and long enough for a busy machine. */
const patience: Partial<Patience> = {
  probeIntervalMs: 200,
  probeAgainMs: 50,
  answerMs: 2_000,
  unresponsiveMs: 60_000,
  firstRestartMs: 100,
  longestRestartMs: 400,
  killAfterMs: 3_000
}

export interface Wanted {
  readonly directory?: string
  /** Environment of the server, as `openhands.local_server.env`. */
  readonly env?: EnvironmentValues
  readonly port?: number
  readonly startupTimeoutMs?: number
  readonly patience?: Partial<Patience>
  readonly environment?: { readonly [name: string]: string }
  /** Null: the installed one. */
  readonly command?: ReadonlyArray<string> | null
}

export const settingsOf = (wanted: Wanted): OpenHandsSettings => ({
  transport: {
    baseUrl: `http://127.0.0.1${wanted.port === undefined ? "" : `:${wanted.port}`}`,
    port: wanted.port ?? null,
    sessionKeyEnv: null
  },
  localServer: {
    managed: true,
    command: wanted.command === undefined ? [process.execPath, program] : wanted.command,
    env: wanted.env ?? {},
    startupTimeoutMs: wanted.startupTimeoutMs ?? 20_000,
    readinessProbePath: "/ready"
  },
  conversation: {
    reusePolicy: "per_issue",
    persistenceDirRelative: ".opensymphony/openhands",
    maxIterations: 500,
    stuckDetection: true,
    confirmationPolicy: { kind: "NeverConfirm", options: {} },
    agent: {
      kind: "Agent",
      llm: { model: "m", apiKeyEnv: null, baseUrlEnv: null, secretEnvs: {}, options: {} },
      condenser: null,
      tools: [],
      includeDefaultTools: null,
      options: {}
    }
  },
  websocket: {
    enabled: true,
    readyTimeoutMs: 30_000,
    reconnectInitialMs: 1_000,
    reconnectMaxMs: 30_000,
    authMode: "auto",
    queryParamName: "session_api_key"
  },
  mcp: { servers: [] }
})

export const optionsOf = (wanted: Wanted): LocalServer.LocalServerOptions => ({
  settings: settingsOf(wanted),
  environment: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/home/ann", ...wanted.environment },
  stateDirectory: wanted.directory ?? newDirectory(),
  redact: (text) => text,
  patience: { ...patience, ...wanted.patience }
})

export const text = (value: string) => ({ kind: "text", text: value }) as const

export const start = (wanted: Wanted) =>
  Effect.provide(
    Effect.suspend(() => LocalServer.make(optionsOf(wanted))),
    platform
  )

/** A server in a scope of its own, which `stop` closes. */
export const startApart = Effect.fnUntraced(function* (wanted: Wanted) {
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const server = yield* Scope.provide(start(wanted), scope)
  return { server, stop: Scope.close(scope, Exit.void) }
})

/** Waits for the first health that is asked for. */
export const healthWhere = (
  server: AgentServerService,
  accept: (health: RuntimeHealth) => boolean,
  atMost: Duration.Input = "25 seconds"
) => Stream.runHead(Stream.filter(server.health, accept)).pipe(Effect.map(Option.getOrThrow), Effect.timeout(atMost))

export const isUp = (health: RuntimeHealth): boolean => health._tag === "Up"

/** Waits for a Down whose reason matches, and gives the reason. */
export const downWith = (server: AgentServerService, pattern: RegExp) =>
  Effect.map(
    healthWhere(server, (health) => health._tag === "Down" && pattern.test(health.reason)),
    (health) => (health._tag === "Down" ? health.reason : "")
  )

export interface Seen {
  readonly pid: number
  readonly argv: ReadonlyArray<string>
  readonly env: { readonly [name: string]: string }
  readonly config: { readonly session_api_keys: ReadonlyArray<string>; readonly secret_key: string }
}

/** What the server that started last in a directory was given. */
export const seenIn = (directory: string): Seen => JSON.parse(readFileSync(join(directory, "environment.json"), "utf8"))

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    // A zombie that init has not collected yet is gone for all purposes.
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : ""
    return !/\) Z /.test(stat)
  } catch {
    return false
  }
}

/** Looks until something is so, at most ten seconds. */
export const eventually = (what: string, isSo: () => boolean) =>
  Effect.suspend(() => (isSo() ? Effect.void : Effect.fail(new Error(`never: ${what}`)))).pipe(
    Effect.retry(Schedule.spaced("25 millis").pipe(Schedule.upTo({ times: 400 })))
  )
