/** An OpenHands runtime on an agent-server that the test holds: the fake one, or any other by its address. */
import { AgentEvent, AgentRuntime, type OpenSession, RuntimeHealth } from "@opensymphony/core/ports/AgentRuntime"
import { noTools } from "@opensymphony/core/ports/AgentTools"
import { IssueId, RunId } from "@opensymphony/core/domain/Ids"
import * as Issue from "@opensymphony/core/domain/Issue"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as OpenHandsRuntime from "../../src/OpenHandsRuntime.ts"
import { AgentServer, type Endpoint } from "../../src/server/AgentServer.ts"
import type { Timing } from "../../src/session/Timing.ts"
import { FakeAgentServer } from "../../src/testing/index.ts"

export const sessionKey = "session-key-of-the-test"
export const apiKey = "api-key-of-the-test"

export const settings: OpenHandsSettings = {
  transport: { baseUrl: "http://127.0.0.1:8000", port: 8000, sessionKeyEnv: "SESSION_KEY" },
  localServer: { managed: false, command: null, env: {}, startupTimeoutMs: 30_000, readinessProbePath: "/ready" },
  conversation: {
    reusePolicy: "per_issue",
    persistenceDirRelative: ".opensymphony/openhands",
    maxIterations: 50,
    stuckDetection: true,
    confirmationPolicy: { kind: "NeverConfirm", options: {} },
    agent: {
      kind: "Agent",
      llm: {
        model: "openai/scripted",
        apiKeyEnv: "LLM_API_KEY",
        baseUrlEnv: null,
        secretEnvs: {},
        options: { num_retries: 0 }
      },
      condenser: { maxSize: 240, keepFirst: 2, maxTokens: null },
      tools: [
        { name: "terminal", params: {} },
        { name: "file_editor", params: {} }
      ],
      includeDefaultTools: null,
      options: {}
    }
  },
  websocket: {
    enabled: true,
    readyTimeoutMs: 2_000,
    reconnectInitialMs: 20,
    reconnectMaxMs: 100,
    authMode: "auto",
    queryParamName: "session_api_key"
  },
  mcp: { servers: [] }
}

/** The settings with another conversation section. */
export const withConversation = (change: Partial<OpenHandsSettings["conversation"]>): OpenHandsSettings => ({
  ...settings,
  conversation: { ...settings.conversation, ...change }
})

/** The settings with another agent. */
export const withAgent = (change: Partial<OpenHandsSettings["conversation"]["agent"]>): OpenHandsSettings =>
  withConversation({ agent: { ...settings.conversation.agent, ...change } })

export const environment = { LLM_API_KEY: apiKey, SESSION_KEY: sessionKey }

/** Quick enough for a test. */
export const timing: Partial<Timing> = {
  silentPollMs: 150,
  pollMs: 40,
  settleMs: 120,
  hooksSettleMs: 400,
  lostRunMs: 400,
  wedgeMs: 600,
  capacityMs: 600,
  readBackMs: 2_000,
  outageMs: 3_000
}

export const endpointAt = (baseUrl: string, overrides: Partial<Endpoint> = {}): Endpoint => ({
  baseUrl,
  sessionKey: Redacted.make(sessionKey),
  authMode: "header",
  queryParamName: "session_api_key",
  ...overrides
})

export interface RuntimeOptions {
  readonly settings?: OpenHandsSettings
  readonly environment?: { readonly [name: string]: string }
  readonly stopTimeoutMs?: number
  readonly timing?: Partial<Timing>
  readonly endpoint?: Endpoint
}

/** A runtime that speaks to the server at that address. */
export const runtimeAt = (baseUrl: string, options: RuntimeOptions = {}) => {
  const server = Layer.succeed(AgentServer, {
    endpoint: Effect.succeed(options.endpoint ?? endpointAt(baseUrl)),
    health: Stream.make(RuntimeHealth.Up()),
    reportUnreachable: Effect.void
  })
  const layer = OpenHandsRuntime.layer({
    settings: options.settings ?? settings,
    environment: options.environment ?? environment,
    stopTimeoutMs: options.stopTimeoutMs ?? 3_000,
    redact: (text) => text.replaceAll(apiKey, "<redacted>"),
    timing: { ...timing, ...options.timing }
  }).pipe(Layer.provide(Layer.merge(server, FetchHttpClient.layer)))
  return Effect.map(Layer.build(layer), (context) => Context.get(context, AgentRuntime))
}

/** A fake agent-server that goes with the scope. */
export const fake = (options: FakeAgentServer.FakeAgentServerOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => FakeAgentServer.start({ apiKeys: [sessionKey], ...options })),
    (server) => Effect.promise(() => server.close())
  )

/** A directory that goes with the scope. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(realpathSync(tmpdir()), "openhands-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

let runs = 0

/** What a session is opened with, for the next run of an issue in this directory. */
export const opening = (root: string, overrides: Partial<OpenSession> = {}): OpenSession => {
  const runId = RunId(`run-${++runs}`)
  const issue = Issue.make({ id: IssueId(runId), identifier: "ABC-1", title: "A title", state: "Todo" })
  const path = join(root, runId)
  mkdirSync(path)
  const workspace = { issueId: issue.id, identifier: issue.identifier, key: runId, path }
  return {
    run: { runId, issue, attempt: null, workspace },
    resume: null,
    onProcess: () => Effect.void,
    tools: noTools,
    ...overrides
  }
}

/** Collects what a turn reports. */
export const listener = () => {
  const events: Array<AgentEvent> = []
  return {
    events,
    said: () => events.flatMap((event) => (event._tag === "Activity" ? [event.summary] : [])),
    hear: (event: AgentEvent) => Effect.sync(() => void events.push(event))
  }
}

/** Waits until it holds, for what no signal announces. */
export const eventually = (what: string, holds: () => boolean) =>
  Effect.gen(function* () {
    while (!holds()) yield* Effect.sleep("5 millis")
  }).pipe(
    Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.die(new Error(`not within 10 s: ${what}`)) })
  )
