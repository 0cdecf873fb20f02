/**
 * The port to the tools that this process serves to agents, so that the tracker's credential never leaves it. A set of
 * tools is bound to one run and its issue; it is gone when the run is. Without an adapter there are none.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { PreparedRun } from "../domain/Run.ts"

/** An MCP server for one run. */
export interface ToolServer {
  /** The name that agents list it under: `linear`. */
  readonly name: string
  /** Address of its streamable HTTP endpoint, on loopback. */
  readonly url: string
  /** What a client sends as `Authorization: Bearer`; it opens this run's tools only, and nothing after the run. */
  readonly token: Redacted.Redacted
  /**
   * The same tools on standard input and output, through a program that finds the run that is live in this workspace:
   * the same command for every run, for agents whose configuration outlives one. Null when there is none.
   */
  readonly bridge: { readonly command: string; readonly args: ReadonlyArray<string> } | null
}

/** What one run may use. */
export interface RunTools {
  readonly servers: ReadonlyArray<ToolServer>
  /**
   * What the workpad says now: the notes that agents keep between runs, for prompts that begin anew. Null when
   * there is none, or when it could not be read (which is logged).
   */
  readonly workpad: Effect.Effect<string | null>
}

/** The tools of a run could not be opened. */
export class ToolsError extends Data.TaggedError("ToolsError")<{
  /** What happened to what, and what to do; never a secret. */
  readonly message: string
}> {}

export interface AgentToolsService {
  /** Opens the tools of a run; they are closed with the scope. */
  readonly open: (run: PreparedRun) => Effect.Effect<RunTools, ToolsError, Scope.Scope>
}

/** A run without tools. */
export const noTools: RunTools = { servers: [], workpad: Effect.succeed(null) }

export const AgentTools = Context.Reference<AgentToolsService>("@opensymphony/core/AgentTools", {
  defaultValue: () => ({ open: () => Effect.succeed(noTools) })
})
