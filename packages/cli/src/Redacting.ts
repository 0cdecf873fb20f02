/** Adapters whose texts have passed a redactor: nothing that an agent or a hook prints reaches the core as it was. */
import type { Backends } from "@opensymphony/core/orchestrator/Configuration"
import { AgentEvent, AgentRuntime, RuntimeError, TurnResult } from "@opensymphony/core/ports/AgentRuntime"
import type { RunTools } from "@opensymphony/core/ports/AgentTools"
import { HookFailed, HookTimedOut, type WorkspaceError } from "@opensymphony/core/ports/WorkspaceBackend"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { redactor } from "./Secrets.ts"

type Redact = (text: string) => string

/** The tokens of a run's tools are secrets, too, and in the environment of its agent. */
const ofRun = (redact: Redact, { servers }: RunTools): Redact => {
  const own = redactor(Object.fromEntries(servers.map(({ name, token }) => [`TOKEN_${name}`, Redacted.value(token)])))
  return (text) => own(redact(text))
}

const optional = (redact: Redact, text: string | null): string | null => (text === null ? null : redact(text))

const eventOf = (redact: Redact): ((event: AgentEvent) => AgentEvent) =>
  AgentEvent.$match({
    Activity: ({ kind, summary }) => AgentEvent.Activity({ kind, summary: redact(summary) }),
    SessionReported: (event) =>
      redact(event.session) === event.session
        ? event
        : AgentEvent.Activity({ kind: "report", summary: "reported a session that contains a secret; it is not kept" }),
    UsageReported: (event) => event
  })

const resultOf = (redact: Redact): ((result: TurnResult) => TurnResult) =>
  TurnResult.$match({
    Completed: ({ summary }) => TurnResult.Completed({ summary: optional(redact, summary) }),
    Failed: ({ reason }) => TurnResult.Failed({ reason: redact(reason) }),
    UsageLimited: ({ untilMs, reason }) => TurnResult.UsageLimited({ untilMs, reason: redact(reason) })
  })

const runtimeError =
  (redact: Redact) =>
  ({ message, unavailable }: RuntimeError): RuntimeError =>
    new RuntimeError({ message: redact(message), unavailable })

/** The runtime of the environment, with redacted texts. */
export const runtime = (redact: Redact): Layer.Layer<AgentRuntime, never, AgentRuntime> =>
  Layer.effect(
    AgentRuntime,
    Effect.map(AgentRuntime, (inner) => ({
      ...inner,
      openSession: (request) => {
        const redactAll = ofRun(redact, request.tools)
        return inner.openSession(request).pipe(
          Effect.mapError(runtimeError(redactAll)),
          Effect.map((session) => ({
            ...session,
            runTurn: (turn, onEvent) =>
              session
                .runTurn(turn, (event) => onEvent(eventOf(redactAll)(event)))
                .pipe(Effect.map(resultOf(redactAll)), Effect.mapError(runtimeError(redactAll)))
          }))
        )
      }
    }))
  )

const workspaceError =
  (redact: Redact) =>
  (error: WorkspaceError): WorkspaceError => {
    const message = redact(error.message)
    switch (error._tag) {
      case "HookFailed": {
        const { hook, exitCode, outputTail } = error
        return new HookFailed({ message, hook, exitCode, outputTail: redact(outputTail) })
      }
      case "HookTimedOut": {
        const { hook, timeoutMs, outputTail } = error
        return new HookTimedOut({ message, hook, timeoutMs, outputTail: redact(outputTail) })
      }
      default:
        return error
    }
  }

/** The workspaces of a set of adapters, with redacted hook output. */
export const workspaces = (redact: Redact, inner: Backends["workspaces"]): Backends["workspaces"] => ({
  ...inner,
  ensureWorkspace: (issue) => Effect.mapError(inner.ensureWorkspace(issue), workspaceError(redact)),
  startRun: (run) => Effect.mapError(inner.startRun(run), workspaceError(redact)),
  finishRun: (run, outcome) => Effect.mapError(inner.finishRun(run, outcome), workspaceError(redact)),
  cleanupWorkspace: (workspace, issue) =>
    Effect.mapError(inner.cleanupWorkspace(workspace, issue), workspaceError(redact))
})
