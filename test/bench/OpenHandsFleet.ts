// The real orchestrator, workers and OpenHands runtime in this process, their agent-server in another one. Tracker,
// workspaces and run store are doubles: they have nothing to do while agents work.
import * as OpenHandsRuntime from "@opensymphony/adapters-openhands/OpenHandsRuntime"
import * as RemoteServer from "@opensymphony/adapters-openhands/server/RemoteServer"
import * as Policy from "@opensymphony/core/domain/Policy"
import * as Configuration from "@opensymphony/core/orchestrator/Configuration"
import * as MemoryRunStore from "@opensymphony/core/orchestrator/MemoryRunStore"
import * as Orchestrator from "@opensymphony/core/orchestrator/Orchestrator"
import { StepObserver } from "@opensymphony/core/orchestrator/StepObserver"
import { type AgentEvent, AgentRuntime } from "@opensymphony/core/ports/AgentRuntime"
import { RunStore } from "@opensymphony/core/ports/RunStore"
import * as SessionWorkers from "@opensymphony/core/session/SessionWorkers"
import { MemoryTracker, MemoryWorkspaces } from "@opensymphony/core/testing"
import type { OpenHandsSettings } from "@opensymphony/core/workflow/OpenHandsSettings"
import * as ParseWorkflow from "@opensymphony/core/workflow/ParseWorkflow"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Board from "./Board.ts"
import * as Frames from "./OpenHandsFrames.ts"
import * as ServerProcess from "./OpenHandsServerProcess.ts"

export interface OpenHandsFleet {
  readonly server: ServerProcess.ServerProcess
  /** Starts as many runs as there are conversations, and returns when all of them are followed and at work. */
  readonly start: Effect.Effect<void>
  /** Events that the adapter handed on, of all conversations. */
  readonly received: () => number
  /** Returns when so many were handed on; false when for ten seconds none was. */
  readonly hasReceived: (count: number) => Effect.Effect<boolean>
  /** Returns when every conversation has a socket again. */
  readonly listening: Effect.Effect<void>
}

export interface FleetOptions {
  readonly conversations: number
  /** Told of each call of a tool, how many milliseconds after it was made the adapter handed it on. */
  readonly onReceived?: (lagMs: number) => void
  /** The same for when the scheduler decided on it. Of the signs of life of a run most are conflated before. */
  readonly onDecided?: (lagMs: number) => void
}

const modelKey = "model-key-of-the-benchmark"

/** What a workflow has by default. */
const settingsAt = (url: string, environment: { readonly [name: string]: string }): OpenHandsSettings => {
  const text = [
    "---",
    "tracker: { kind: files }",
    "openhands:",
    `  transport: { base_url: "${url}", session_api_key_env: SESSION_KEY }`,
    "  local_server: { enabled: false }",
    "  conversation: { agent: { llm: { model: openai/scripted, api_key_env: MODEL_KEY } } }",
    "---",
    "Work on {{ issue.identifier }}."
  ].join("\n")
  const { problems, workflow } = ParseWorkflow.parse({
    path: "/WORKFLOW.md",
    text,
    environment,
    homeDirectory: "/",
    systemTempDirectory: tmpdir(),
    knownRuntimeKinds: ["openhands"],
    knownTrackerKinds: ["files"]
  })
  if (workflow === null || workflow.openhands === null) throw new Error(JSON.stringify(problems))
  return workflow.openhands
}

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "opensymphony-bench-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const poll = (everyMs: number, condition: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(condition, (holds) =>
    holds ? Effect.void : Effect.andThen(Effect.sleep(everyMs), poll(everyMs, condition))
  )

/** Builds a fleet that lives as long as the scope. Nothing runs before `start`. */
export const make = Effect.fnUntraced(function* (options: FleetOptions) {
  const { conversations, onDecided, onReceived } = options
  const server = yield* ServerProcess.make
  const environment = { SESSION_KEY: server.sessionKey, MODEL_KEY: modelKey }
  const settings = settingsAt(server.url, environment)
  let received = 0

  const listened = Layer.effect(
    AgentRuntime,
    Effect.map(AgentRuntime, (inner) => ({
      ...inner,
      openSession: (request) =>
        Effect.map(inner.openSession(request), (session) => {
          let steps = 0
          const count = (event: AgentEvent) => {
            if (event._tag === "Activity") {
              received++
              const madeAt = Frames.instantIn(event.summary)
              if (madeAt !== null) onReceived?.(Frames.instant() - madeAt)
            } else if (event._tag === "UsageReported") {
              // One report may stand for several statistics.
              const reported = Frames.stepsIn(event.usage)
              received += reported - steps
              steps = reported
            }
          }
          return {
            ...session,
            runTurn: (turn, onEvent) =>
              session.runTurn(turn, (event) => {
                count(event)
                return onEvent(event)
              })
          }
        })
    }))
  )
  const runtime = listened.pipe(
    Layer.provide(
      OpenHandsRuntime.layer({
        settings,
        environment,
        stopTimeoutMs: Policy.defaults.stopTimeoutMs,
        redact: (text) => text.replaceAll(modelKey, "[redacted]").replaceAll(server.sessionKey, "[redacted]")
      })
    ),
    Layer.provide([RemoteServer.layer({ settings, environment }), FetchHttpClient.layer])
  )

  const tracker = yield* MemoryTracker.make(Board.board(conversations))
  const workspaces = yield* MemoryWorkspaces.make({ root: yield* directory })
  const policy: Policy.Policy = {
    ...Policy.defaults,
    maxConcurrentAgents: conversations,
    pollIntervalMs: 86_400_000,
    stallTimeoutMs: 0
  }
  const store = MemoryRunStore.make({ issues: [], fleet: { paused: "", usageByDay: [] } })
  const layer = Orchestrator.layer.pipe(
    Layer.provide(Configuration.layer(policy)),
    Layer.provide(Layer.succeed(RunStore, store)),
    Layer.provide(
      SessionWorkers.layer({ renderPrompt: ({ issue }) => Effect.succeed(`Work on ${issue.identifier}.`) })
    ),
    Layer.provide([tracker.layer, workspaces.layer, runtime]),
    Layer.provide(
      Layer.succeed(StepObserver, ({ event }) => {
        const madeAt = event._tag === "Activity" ? Frames.instantIn(event.summary) : null
        if (madeAt !== null) onDecided?.(Frames.instant() - madeAt)
      })
    ),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "None"))
  )
  const orchestrator = Context.get(yield* Layer.build(layer), Orchestrator.Orchestrator)

  const listening = poll(
    50,
    Effect.map(server.tell("listening", {}), (count) => count === conversations)
  )
  const working = Effect.map(orchestrator.snapshot, ({ counts }) => counts.running === conversations)
  const hasReceived = (count: number, silentMs = 0): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      if (received >= count) return Effect.succeed(true)
      if (silentMs >= 10_000) return Effect.succeed(false)
      const before = received
      return Effect.andThen(
        Effect.sleep(5),
        Effect.suspend(() => hasReceived(count, received === before ? silentMs + 5 : 0))
      )
    })

  const fleet: OpenHandsFleet = {
    server,
    start: Effect.andThen(orchestrator.resume, Effect.andThen(poll(50, working), listening)),
    received: () => received,
    hasReceived: (count) => hasReceived(count),
    listening
  }
  return fleet
})
