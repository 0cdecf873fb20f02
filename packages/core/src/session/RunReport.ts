/**
 * What one run tells the world: it turns the agent's events into updates, keeps the usage ledger, and stores the
 * session beside the work. Once finished or silenced, nothing more is heard of the run.
 */
import * as Effect from "effect/Effect"
import type { SessionId } from "../domain/Ids.ts"
import type { Outcome } from "../domain/Outcome.ts"
import type { AgentEvent } from "../ports/AgentRuntime.ts"
import { type WorkerRequest, WorkerUpdate } from "../ports/WorkerBackend.ts"
import type { WorkspaceBackendService } from "../ports/WorkspaceBackend.ts"
import * as UsageLedger from "./UsageLedger.ts"

export interface RunReport {
  readonly turnStarted: (turn: number) => Effect.Effect<void>
  readonly turnCompleted: (turn: number, summary: string | null) => Effect.Effect<void>
  readonly agentEvent: (event: AgentEvent) => Effect.Effect<void>
  /** The stored session, null when there is none or it cannot be read. */
  readonly recallSession: Effect.Effect<SessionId | null>
  /** Stores the session, unless it is the one stored already. */
  readonly rememberSession: (session: SessionId) => Effect.Effect<void>
  /** From now on the agent's events, which may come late, are not passed on. */
  readonly close: Effect.Effect<void>
  readonly finished: (outcome: Outcome) => Effect.Effect<void>
  /** From now on nothing at all is passed on. */
  readonly silence: Effect.Effect<void>
}

/** The report of a run that has not said anything yet. `offer` is where its updates go. */
export const makeUnsafe = (
  { issue, runId, workspace }: WorkerRequest,
  workspaces: WorkspaceBackendService,
  offer: (update: WorkerUpdate) => Effect.Effect<void>
): RunReport => {
  let session: SessionId | null = null
  let ledger = UsageLedger.empty
  let open = true
  let silent = false

  const whileOpen = (update: () => WorkerUpdate): Effect.Effect<void> =>
    Effect.suspend(() => (open && !silent ? offer(update()) : Effect.void))

  const sessionUpdated = whileOpen(() => WorkerUpdate.SessionUpdated({ runId, session, usage: ledger.total }))

  const recallSession = workspaces.readSession(workspace).pipe(
    Effect.catch((error) =>
      Effect.as(
        Effect.logWarning(`the session of ${issue.identifier} cannot be read, a new one begins: ${error.message}`),
        null
      )
    ),
    Effect.tap((stored) =>
      Effect.sync(() => {
        session = stored
      })
    )
  )

  const rememberSession = (known: SessionId): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (known === session) return Effect.void
      session = known
      return Effect.catch(workspaces.writeSession(workspace, known), (error) =>
        Effect.logWarning(
          `the session of ${issue.identifier} was not stored, its next run begins a new one: ${error.message}`
        )
      )
    })

  const agentEvent = (event: AgentEvent): Effect.Effect<void> => {
    switch (event._tag) {
      case "Activity":
        return whileOpen(() => WorkerUpdate.Activity({ runId, kind: event.kind, summary: event.summary }))
      case "SessionReported":
        return Effect.andThen(rememberSession(event.session), sessionUpdated)
      case "UsageReported":
        return Effect.suspend(() => {
          ledger = UsageLedger.report(ledger, event.source, event.usage)
          return sessionUpdated
        })
    }
  }

  return {
    turnStarted: (turn) => whileOpen(() => WorkerUpdate.TurnStarted({ runId, turn })),
    turnCompleted: (turn, summary) => whileOpen(() => WorkerUpdate.TurnCompleted({ runId, turn, summary })),
    agentEvent,
    recallSession,
    rememberSession,
    close: Effect.sync(() => {
      open = false
    }),
    finished: (outcome) =>
      Effect.suspend(() =>
        silent ? Effect.void : offer(WorkerUpdate.Finished({ runId, outcome, usage: ledger.total }))
      ),
    silence: Effect.sync(() => {
      silent = true
    })
  }
}
