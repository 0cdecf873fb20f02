/**
 * The port to what an agent is: a command, an OpenHands server, a program in this process. An adapter opens sessions
 * and runs turns; the turn loop, the prompts and the limits belong to `session/` and `scheduler/`.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { SessionId } from "../domain/Ids.ts"
import type { PreparedRun } from "../domain/Run.ts"
import type { Usage } from "../domain/Usage.ts"
import type { RunTools } from "./AgentTools.ts"

/** What an agent reports during a turn. Any of them is activity. */
export type AgentEvent = Data.TaggedEnum<{
  /** A sign of life: a line of output, a tool call, a message. `summary` is one line for people, already bounded. */
  Activity: { readonly kind: string; readonly summary: string }
  /** The agent named its session; later turns and runs may resume it. */
  SessionReported: { readonly session: SessionId }
  /**
   * What `source` has used since this session was opened for this run. Reports of one source replace each other;
   * sources add up. The lifetime total of a resumed conversation would be counted again in every run.
   */
  UsageReported: { readonly source: string; readonly usage: Usage }
}>
export const AgentEvent = Data.taggedEnum<AgentEvent>()

/** How a turn came to rest. */
export type TurnResult = Data.TaggedEnum<{
  Completed: { readonly summary: string | null }
  Failed: { readonly reason: string }
  /** Epoch milliseconds; null when the provider did not say. */
  UsageLimited: { readonly untilMs: number | null; readonly reason: string }
}>
export const TurnResult = Data.taggedEnum<TurnResult>()

export interface Turn {
  /** 1, 2, 3, ... within the run. */
  readonly number: number
  readonly prompt: string
}

/** A conversation with the agent; turns run one after the other. */
export interface AgentSession {
  /** The session as known so far, null until one was reported. */
  readonly session: Effect.Effect<SessionId | null>
  /** Whether the next turn will remember the earlier ones, so that a short continuation prompt is enough. */
  readonly remembers: Effect.Effect<boolean>
  /**
   * Runs one turn and hands every event to `onEvent` as it comes. Interruption ends the turn as {@link stop} does.
   */
  readonly runTurn: (
    turn: Turn,
    onEvent: (event: AgentEvent) => Effect.Effect<void>
  ) => Effect.Effect<TurnResult, RuntimeError>
  /** Stops whatever the agent does and says whether it is certain that nothing goes on. */
  readonly stop: Effect.Effect<StopResult>
}

export type StopResult = "confirmed" | "unconfirmed"

/** The runtime could not do its part. `unavailable` means the runtime itself is down: not this fault. */
export class RuntimeError extends Data.TaggedError("RuntimeError")<{
  /** What happened to what, and what to do; never a secret. */
  readonly message: string
  readonly unavailable: boolean
}> {}

export interface OpenSession {
  readonly run: PreparedRun
  /** The session to go on with, or null to begin a new one. A session that is gone is replaced by a new one. */
  readonly resume: SessionId | null
  /** Tells the workspace which process group works in it, before that process does anything that matters. */
  readonly onProcess: (pid: number) => Effect.Effect<void>
  /** What this process serves to the agent of this run; open until the session's scope closes. */
  readonly tools: RunTools
}

export interface AgentRuntimeService {
  /** The `runtime.kind` of the workflow. */
  readonly kind: string
  /** Opens a session; closing the scope gives back what it holds, after stopping the agent. */
  readonly openSession: (request: OpenSession) => Effect.Effect<AgentSession, RuntimeError, Scope.Scope>
  /** Emits whether the runtime can take work, when that changes. May be empty; never fails. */
  readonly health: Stream.Stream<RuntimeHealth>
}

export type RuntimeHealth = Data.TaggedEnum<{
  Up: {}
  Down: { readonly reason: string }
}>
export const RuntimeHealth = Data.taggedEnum<RuntimeHealth>()

export class AgentRuntime extends Context.Service<AgentRuntime, AgentRuntimeService>()(
  "@opensymphony/core/AgentRuntime"
) {}
